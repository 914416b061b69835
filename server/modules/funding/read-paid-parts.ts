import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** What a brand has of a payment that arrived, and how far refunds of it are. */
export interface PaidPart {
  readonly paymentId: Id<'payment'>
  readonly source: string
  readonly brandId: Id<'brand'>
  /** Of the part: what it brought, and what of it was accepted to be given back. */
  readonly amountFen: Fen
  readonly backFen: Fen
  readonly mchid: string | null
  readonly appid: string | null
  readonly transactionId: string | null
  /** Of the whole payment, with what the order did not need. */
  readonly paidFen: Fen
  readonly refundedFen: Fen
  /** A refund waits for its turn, or something of the transaction is under way. */
  readonly busy: boolean
}

/** The parts of all payments of an order that arrived, by payment. The caller holds the order where it decides on them. */
export async function readPaidParts(tx: Tx, orderId: Id<'order'>): Promise<PaidPart[]> {
  const rows = await sql<Record<string, unknown>>(
    tx.em,
    `select payment.id as paymentId, payment.source as source, payment_part.brand_id as brandId,
        payment_part.amount_fen as amountFen, payment_part.refunded_fen as backFen, payment.mchid as mchid,
        payment.appid as appid, payment.transaction_id as transactionId, payment.paid_fen as paidFen,
        payment.refunded_fen as refundedFen, payment.refunds_waiting as waiting, payment.in_flight as flight
      from payment join payment_part on payment_part.payment_id = payment.id
      where payment.order_id = ? and payment.state in ('paid', 'refunding', 'part_refunded', 'refunded')
      order by payment.id, payment_part.brand_id`,
    [orderId],
  )
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  return rows.map((row) => ({
    paymentId: row['paymentId'] as Id<'payment'>,
    source: String(row['source']),
    brandId: row['brandId'] as Id<'brand'>,
    amountFen: fen(Number(row['amountFen'])),
    backFen: fen(Number(row['backFen'])),
    mchid: text(row['mchid']),
    appid: text(row['appid']),
    transactionId: text(row['transactionId']),
    paidFen: fen(Number(row['paidFen'])),
    refundedFen: fen(Number(row['refundedFen'])),
    busy: Number(row['waiting']) > 0 || text(row['flight']) !== null,
  }))
}
