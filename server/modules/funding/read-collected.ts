import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** A WeChat payment as its merchant's bill names it. */
export interface Collected {
  readonly id: Id<'payment'>
  readonly outTradeNo: string
  readonly transactionId: string | null
  /** Null: no money of it is known here. */
  readonly paidFen: Fen | null
  readonly paidAtMs: number | null
}

const columns = 'id, out_trade_no, transaction_id, paid_fen, paid_at_ms'
interface Row {
  readonly id: Id<'payment'>
  readonly out_trade_no: string
  readonly transaction_id: string | null
  readonly paid_fen: unknown
  readonly paid_at_ms: unknown
}

/** What a merchant collected from `fromMs` until before `toMs`. */
export async function readCollectedOf(tx: Tx, mchid: string, fromMs: number, toMs: number): Promise<Collected[]> {
  const rows = await sql<Row>(
    tx.em,
    `select ${columns} from payment where mchid = ? and paid_fen is not null and paid_at_ms >= ? and paid_at_ms < ?`,
    [mchid, fromMs, toMs],
  )
  return rows.map(present)
}

/** At most 500 payments of a merchant by their numbers, whatever their day. */
export async function readCollectedByNumbers(tx: Tx, mchid: string, numbers: readonly string[]): Promise<Collected[]> {
  if (numbers.length === 0) return []
  const slots = numbers.map(() => '?').join(',')
  const text = `select ${columns} from payment where mchid = ? and out_trade_no in (${slots})`
  return (await sql<Row>(tx.em, text, [mchid, ...numbers])).map(present)
}

const present = (row: Row): Collected => ({
  id: row.id,
  outTradeNo: row.out_trade_no,
  transactionId: row.transaction_id,
  paidFen: row.paid_fen === null ? null : fen(Number(row.paid_fen)),
  paidAtMs: row.paid_at_ms === null ? null : Number(row.paid_at_ms),
})
