import { fen, type Fen } from '../../../contract/fen.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** A share that a receiver got, or gave back, as the sharing bill of who collected names it. */
export interface Moved {
  readonly kind: 'share' | 'return'
  /** Our number of the call, or of the return. */
  readonly outNo: string
  readonly account: string
  readonly amountFen: Fen
  readonly atMs: number
  /** Our receiver or return. */
  readonly ref: string
}

interface Row {
  readonly no: string
  readonly account: string
  readonly fen: unknown
  readonly at_ms: unknown
  readonly ref: string
}

const shares = `select split_call.out_order_no as no, split_receiver.account as account, split_receiver.amount_fen as fen,
    split_receiver.finished_at_ms as at_ms, split_receiver.id as ref from split_receiver
  join split_call on split_call.id = split_receiver.call_id join split on split.id = split_receiver.split_id
  where split.mchid = ? and split_receiver.state in ('success', 'returning', 'returned')`
const returns = `select split_return.out_return_no as no, split_receiver.account as account,
    split_return.amount_fen as fen, split_return.made_at_ms as at_ms, split_return.id as ref from split_return
  join split_receiver on split_receiver.id = split_return.receiver_id join split on split.id = split_return.split_id
  where split.mchid = ? and split_return.state = 'done'`

/** What a collecting merchant shared and got back from `fromMs` until before `toMs`. */
export async function readMovedOf(tx: Tx, mchid: string, fromMs: number, toMs: number): Promise<Moved[]> {
  const day = [mchid, fromMs, toMs]
  return [
    ...(await read(
      tx,
      'share',
      `${shares} and split_receiver.finished_at_ms >= ? and split_receiver.finished_at_ms < ?`,
      day,
    )),
    ...(await read(tx, 'return', `${returns} and split_return.made_at_ms >= ? and split_return.made_at_ms < ?`, day)),
  ]
}

/** The same by at most 500 numbers, whatever their day. */
export async function readMovedByNumbers(tx: Tx, mchid: string, numbers: readonly string[]): Promise<Moved[]> {
  if (numbers.length === 0) return []
  const slots = numbers.map(() => '?').join(',')
  return [
    ...(await read(tx, 'share', `${shares} and split_call.out_order_no in (${slots})`, [mchid, ...numbers])),
    ...(await read(tx, 'return', `${returns} and split_return.out_return_no in (${slots})`, [mchid, ...numbers])),
  ]
}

async function read(tx: Tx, kind: Moved['kind'], text: string, values: readonly (string | number)[]): Promise<Moved[]> {
  const rows = await sql<Row>(tx.em, text, values)
  return rows.map((row) => ({
    kind,
    outNo: row.no,
    account: row.account,
    amountFen: fen(Number(row.fen)),
    atMs: Number(row.at_ms),
    ref: row.ref,
  }))
}
