import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readNumber } from './write-call.ts'

/** A refund that was asked of WeChat Pay, as its merchant's bill names it. */
export interface SentRefund {
  readonly id: Id<'refundPart'>
  readonly outRefundNo: string
  readonly amountFen: Fen
  readonly takenAtMs: number
}

interface Row {
  readonly id: Id<'refundPart'>
  readonly no: string
  readonly fen: unknown
  readonly at_ms: unknown
}
const select = `select refund_part.id as id, refund_part.out_refund_no as no, refund_part.fen as fen,
  coalesce(refund_part.taken_at_ms, refund_part.first_call_at_ms) as at_ms from refund_part join payment on payment.id = refund_part.payment_id
  where payment.mchid = ? and refund_part.out_refund_no is not null`

/**
 * Refunds of a merchant that WeChat Pay took from `fromMs` until before `toMs`. Of one that a notice alone told of it is not
 * known when that was: it counts by its calls, and not at all where a later one was made after `toMs`.
 */
export async function readSentRefunds(tx: Tx, mchid: string, fromMs: number, toMs: number): Promise<SentRefund[]> {
  const text = `${select} and refund_part.provider_refund_id is not null
    and coalesce(refund_part.taken_at_ms, refund_part.first_call_at_ms) >= ? and coalesce(refund_part.taken_at_ms, refund_part.first_call_at_ms) < ?
    and (refund_part.taken_at_ms is not null or refund_part.last_call_at_ms < ?)`
  return (await sql<Row>(tx.em, text, [mchid, fromMs, toMs, toMs])).map(present)
}

/**
 * At most 500 refunds of a merchant by their numbers, whatever their day; also by numbers that a part had before WeChat Pay
 * closed them and a person took the next.
 */
export async function readRefundsByNumbers(tx: Tx, mchid: string, numbers: readonly string[]): Promise<SentRefund[]> {
  if (numbers.length === 0) return []
  const text = `${select} and refund_part.out_refund_no in (${slots(numbers)})`
  const found = (await sql<Row>(tx.em, text, [mchid, ...numbers])).map(present)
  const known = new Set(found.map((one) => one.outRefundNo))
  return [
    ...found,
    ...(await readFormer(
      tx,
      mchid,
      numbers.filter((one) => !known.has(one)),
    )),
  ]
}

async function readFormer(tx: Tx, mchid: string, numbers: readonly string[]): Promise<SentRefund[]> {
  const former = numbers.flatMap((outRefundNo) => {
    const named = readNumber(outRefundNo)
    return named === null ? [] : [{ ...named, outRefundNo }]
  })
  if (former.length === 0) return []
  const ids = former.map((one) => one.partId)
  const rows = await sql<{ id: Id<'refundPart'>; fen: unknown; retries: unknown }>(
    tx.em,
    `select refund_part.id as id, refund_part.fen as fen, refund_part.retries as retries from refund_part
      join payment on payment.id = refund_part.payment_id where payment.mchid = ? and refund_part.id in (${slots(ids)})`,
    [mchid, ...ids],
  )
  return rows.flatMap((row) =>
    former
      .filter(({ partId, retries }) => partId === row.id && retries < Number(row.retries))
      .map(({ outRefundNo }) => ({ id: row.id, outRefundNo, amountFen: fen(Number(row.fen)), takenAtMs: 0 })),
  )
}

const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')

const present = (row: Row): SentRefund => ({
  id: row.id,
  outRefundNo: row.no,
  amountFen: fen(Number(row.fen)),
  takenAtMs: Number(row.at_ms ?? 0),
})
