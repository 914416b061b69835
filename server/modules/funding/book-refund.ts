import { fen, splitFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, sql } from '../../kernel/sql.ts'
import { Payment, PaymentPart, type PaymentRow } from './tables.ts'

const arrived = ['paid', 'refunding', 'part_refunded', 'refunded'] as const

/** A payment whose money arrived, for whoever gives it back; null otherwise. */
export const readArrived = (tx: Tx, id: Id<'payment'>): Promise<PaymentRow | null> =>
  tx.em.findOne(Payment, { id, state: { $in: [...arrived] } }, { disableIdentityMap: true })

/** A part of a payment that still has money which can go back. */
export interface RefundablePart {
  readonly partId: Id<'paymentPart'>
  readonly brandId: Id<'brand'>
  readonly payment: PaymentRow
  readonly leftFen: Fen
}

/** Holds all payments of an order until the end of the transaction, in the order of their ids. The order is held before. */
export async function holdPayments(tx: Tx, orderId: Id<'order'>): Promise<void> {
  await change(tx.em, 'update payment set version = version where order_id = ?', [orderId])
}

/** What of an order's payments can still go back, by payment and brand: parts less what was accepted before. */
export async function readRefundable(tx: Tx, orderId: Id<'order'>): Promise<RefundablePart[]> {
  const where = { orderId, state: { $in: [...arrived] } }
  const payments = await tx.em.find(Payment, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  const ids = payments.map((payment) => payment.id)
  const options = { orderBy: { paymentId: 'asc', brandId: 'asc' }, disableIdentityMap: true } as const
  const parts = await tx.em.find(PaymentPart, { paymentId: { $in: ids } }, options)
  const byId = new Map(payments.map((payment) => [payment.id, payment]))
  return parts.map((part) => ({
    partId: part.id,
    brandId: part.brandId,
    payment: byId.get(part.paymentId)!,
    leftFen: fen(part.amountFen - part.refundedFen),
  }))
}

/**
 * Cuts what goes back of a brand over the parts that paid it, in proportion to what is left of each, so that the last
 * refund ends all of them at 0. Null when less is left than is to go back.
 */
export function cutRefund(amount: Fen, parts: readonly RefundablePart[]): { part: RefundablePart; fen: Fen }[] | null {
  const left = parts.reduce((sum, part) => sum + part.leftFen, 0)
  if (amount > left) return null
  const shares = splitFen(
    amount,
    parts.map((part) => part.leftFen),
  )
  return parts.map((part, index) => ({ part, fen: shares[index]! })).filter((share) => share.fen > 0)
}

/** What of a payment was more than its order needed; what of that went back before, the caller knows. */
export async function readSurplus(tx: Tx, paymentId: Id<'payment'>): Promise<Fen> {
  const [row] = await sql<{ surplus: unknown }>(
    tx.em,
    `select payment.paid_fen - coalesce((select sum(amount_fen) from payment_part where payment_id = payment.id), 0)
        as surplus from payment where payment.id = ? and payment.state in ('paid', 'refunding', 'part_refunded', 'refunded')`,
    [paymentId],
  )
  return fen(readSum(row?.surplus))
}

/** Money of a payment that was accepted to be given back. */
export interface BookedRefund {
  readonly paymentId: Id<'payment'>
  /** Null: surplus, which is in no part. */
  readonly partId: Id<'paymentPart'> | null
  readonly fen: Fen
  /** It goes the way it came. Otherwise (a wallet credit, a payout in place of WeChat Pay) the payment keeps its money. */
  readonly sameWay: boolean
}

/**
 * Books refunds on their payments, guarded: never more than a part has left, never more than the payment brought. The
 * caller holds the order. Throws when a guard says no: the caller cut under the same lock, so the house is wrong.
 */
export async function bookRefund(tx: Tx, refunds: readonly BookedRefund[]): Promise<void> {
  for (const refund of [...refunds].sort((a, b) => (a.paymentId < b.paymentId ? -1 : 1))) {
    if (refund.partId !== null) {
      const counted = await change(
        tx.em,
        'update payment_part set refunded_fen = refunded_fen + ? where id = ? and payment_id = ? and refunded_fen + ? <= amount_fen',
        [refund.fen, refund.partId, refund.paymentId, refund.fen],
      )
      if (counted !== 1) throw new Error(`payment part ${refund.partId} has less than ${refund.fen} fen left`)
    }
    if (!refund.sameWay) continue
    const counted = await change(
      tx.em,
      `update payment set refunded_fen = refunded_fen + ?, version = version + 1
        where id = ? and state in ('paid', 'refunding', 'part_refunded') and refunded_fen + ? <= paid_fen`,
      [refund.fen, refund.paymentId, refund.fen],
    )
    if (counted !== 1) throw new Error(`payment ${refund.paymentId} brought less than is to go back`)
    for (const from of ['paid', 'part_refunded'])
      await move(tx, { table: 'payment', id: refund.paymentId, from, to: 'refunding', moves: paymentMoves })
  }
}

/** A refund that was to go the way it came goes another way: the payment keeps that money. */
export async function keepOnPayment(tx: Tx, paymentId: Id<'payment'>, amount: Fen): Promise<void> {
  const kept = await change(
    tx.em,
    'update payment set refunded_fen = refunded_fen - ?, version = version + 1 where id = ? and refunded_fen >= ?',
    [amount, paymentId, amount],
  )
  if (kept !== 1) throw new Error(`payment ${paymentId} has less than ${amount} fen to go back`)
}

/** No refund of a payment is under way any more: it is refunded in part, wholly, or (all went other ways) paid as before. */
export async function endRefunding(tx: Tx, paymentId: Id<'payment'>): Promise<void> {
  const payment = await tx.em.findOneOrFail(Payment, { id: paymentId }, { disableIdentityMap: true })
  const { refundedFen, paidFen } = payment
  const to = refundedFen === 0 ? 'paid' : refundedFen === paidFen ? 'refunded' : 'part_refunded'
  await move(tx, { table: 'payment', id: paymentId, from: 'refunding', to, moves: paymentMoves })
}
