import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { lockCard } from '../card/change-held-card.ts'
import { holds, type Holder } from '../card/read-card.ts'
import { holdPayments } from '../funding/book-refund.ts'
import { readBuyersPayment } from '../funding/charge-buyer.ts'
import { withdrawGiftOf } from '../gift/end-gift.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { findBuyersOrder } from '../order/read-order.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { returnTaking } from '../shelf/return-taking.ts'
import { findOwnCard } from './read-store-orders.ts'
import { rightEndsAt } from './rules.ts'
import { StoreOrder } from './tables.ts'

/**
 * Gives a bought card back, and all of its price to where it came from, in the caller's transaction. Two clocks allow it: while the
 * card is locked (cooling-off), and after that for as long as the law lets an unused one go back. An open present of it is taken back
 * first. Refuses with `not_found` for another buyer's order, `card_not_refundable` where the card is not theirs any more, and as
 * `requestRefund` does: `card_spent`, `refund_right_over`, `state_conflict`.
 */
export async function refundStoreOrder(tx: Tx, orderId: Id<'order'>): Promise<Id<'refund'>> {
  await findBuyersOrder(tx, orderId)
  await lockOrders(tx, [orderId])
  await holdPayments(tx, orderId)
  const holder: Holder = { companyId: null, holderId: buyerOf(tx.actor) }
  const card = (await findOwnCard(tx, orderId, holder)) ?? refuse('card_not_refundable')
  // A friend may claim it in this very moment: with the card held it is theirs, or the buyer's, for good.
  if (!holds(holder, (await lockCard(tx, card.id))!)) refuse('card_not_refundable')
  await withdrawGiftOf(tx, holder, card.id)
  // Decided again with the card held: by the lock, which ends at its very instant, where the other right is over.
  const inRight = !(await isInDays(tx, orderId))
  const refundId = await requestRefund(tx, { kind: 'cards', orderId, cardIds: [card.id], inRight })
  await returnTaking(tx, orderId)
  return refundId
}

/** Whether the days that the law gives are not over at this instant. */
async function isInDays(tx: Tx, orderId: Id<'order'>): Promise<boolean> {
  const own = await tx.em.findOneOrFail(StoreOrder, { orderId }, { disableIdentityMap: true })
  const payment = await readBuyersPayment(tx, orderId)
  const endsAtMs = rightEndsAt(own.rightMs, payment?.paidAtMs ?? null)
  return endsAtMs !== null && tx.clock.now() < endsAtMs
}
