import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RefundRoute } from '../../../contract/refunds.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { readTermsAt } from '../catalog/read-terms.ts'
import { bookRefund, cutRefund, readRefundable, type BookedRefund } from '../funding/book-refund.ts'
import { countWaitingRefund } from '../funding/take-flight.ts'
import { readOrder } from '../order/read-order.ts'
import { isSameWay, routeOf, type PaymentSource } from './rules.ts'
import { RefundPart, type RefundRow } from './tables.ts'

/** What of a refund a brand's payments give back. */
export interface OwedOfBrand {
  readonly brandId: Id<'brand'>
  readonly fen: Fen
}

/**
 * Cuts what goes back of each brand over the payments that paid it, in proportion to what is left of each, books it
 * there and writes the refund's parts; a part that the refund has already for a payment grows. The caller holds the order
 * and its payments. Refuses with `refund_over_paid` when the payments of a brand have less left.
 */
export async function planParts(tx: Tx, refund: RefundRow, owed: readonly OwedOfBrand[]): Promise<void> {
  const order = (await readOrder(tx, refund.orderId)) ?? refuse('not_found')
  const terms = await readTermsAt(
    tx,
    owed.map((one) => one.brandId),
    order.createdAtMs,
  )
  const left = await readRefundable(tx, refund.orderId)
  const booked: BookedRefund[] = []
  for (const { brandId, fen: amount } of owed) {
    if (amount === 0) continue
    const shares = cutRefund(
      amount,
      left.filter((part) => part.brandId === brandId),
    )
    if (shares === null) refuse('refund_over_paid')
    for (const { part, fen: share } of shares) {
      const { id: paymentId, source } = part.payment
      const route = routeOf(source, refund.toWallet && terms.get(brandId)?.walletCredit === true)
      const sameWay = isSameWay(source, route)
      booked.push({ paymentId, partId: part.partId, fen: share, sameWay })
      await addPart(tx, refund, { paymentId, brandId, fen: share, route })
    }
  }
  await bookRefund(tx, booked)
}

/** Everything that an order's payments have left goes back: nothing of it became cards. Returns how much that is. */
export async function planWhole(tx: Tx, refund: RefundRow): Promise<Fen> {
  const left = await readRefundable(tx, refund.orderId)
  const owed = new Map<Id<'brand'>, number>()
  for (const part of left) owed.set(part.brandId, (owed.get(part.brandId) ?? 0) + part.leftFen)
  await planParts(
    tx,
    refund,
    [...owed].map(([brandId, amount]) => ({ brandId, fen: fen(amount) })),
  )
  return sumFen(owed.values())
}

/** Money of a payment that its order did not need: the payment alone gives it back. */
export async function planSurplus(
  tx: Tx,
  refund: RefundRow,
  payment: { readonly id: Id<'payment'>; readonly source: PaymentSource },
  amount: Fen,
): Promise<void> {
  const route = routeOf(payment.source, false)
  await addPart(tx, refund, { paymentId: payment.id, brandId: null, fen: amount, route })
  await bookRefund(tx, [{ paymentId: payment.id, partId: null, fen: amount, sameWay: true }])
}

interface NewPart {
  readonly paymentId: Id<'payment'>
  readonly brandId: Id<'brand'> | null
  readonly fen: Fen
  readonly route: RefundRoute
}

/** New shares of a transaction wait from here on until the part has ended. */
async function addPart(tx: Tx, refund: RefundRow, wish: NewPart): Promise<void> {
  const grown =
    wish.brandId === null
      ? 0
      : await change(
          tx.em,
          `update refund_part set fen = fen + ?, version = version + 1
            where refund_id = ? and payment_id = ? and brand_id = ? and state = 'waiting'`,
          [wish.fen, refund.id, wish.paymentId, wish.brandId],
        )
  if (grown === 1) return
  const id = tx.newId('refundPart')
  const { companyId = null, orderId, id: refundId } = refund
  await tx.em.insert(RefundPart, { ...blank, id, refundId, companyId, orderId, ...wish, createdAtMs: tx.clock.now() })
  await trail(tx, { objectId: id, act: 'refund_part.planned', toState: 'waiting', note: `${wish.route} ${wish.fen}` })
  if (wish.route === 'wechat') await countWaitingRefund(tx, wish.paymentId, 1)
}

const blank = {
  state: 'waiting',
  version: 1,
  reason: null,
  outRefundNo: null,
  body: null,
  providerRefundId: null,
  retries: 0,
  calls: 0,
  looks: 0,
  firstCallAtMs: null,
  lastCallAtMs: null,
  takenAtMs: null,
  nextAtMs: null,
  returnedFen: fen(0),
  ownFen: fen(0),
  withoutReturns: false,
  doneAtMs: null,
} as const
