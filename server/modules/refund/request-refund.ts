import { fen, formatYuan, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { RefundKind } from '../../../contract/refunds.ts'
import type { Tx } from '../../kernel/context.ts'
import { readSum } from '../../kernel/columns.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { moveCampaign } from '../campaign/move-campaign.ts'
import { readCampaignByOrder } from '../campaign/read-campaign.ts'
import type { KeptCard } from '../card/refund-cards.ts'
import { holdPayments, readArrived, readSurplus } from '../funding/book-refund.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { findBuyersOrder, findOwnOrder, readOrder } from '../order/read-order.ts'
import { returnFunds } from '../order/return-funds.ts'
import { acceptCards } from './accept-cards.ts'
import { planSurplus, planWhole } from './plan-parts.ts'
import { readHeldRefund, startParts } from './start-parts.ts'
import { Refund } from './tables.ts'

/** What is to go back. A campaign's unopened cards have a command of their own: they may be many. */
export type RefundWish =
  | {
      readonly kind: 'cards'
      readonly orderId: Id<'order'>
      /** At most 1,000, all of the order. */
      readonly cardIds: readonly Id<'card'>[]
      /** A wallet credit in place of WeChat Pay, for brands that agreed to it. */
      readonly toWallet?: boolean
      /** Only until their lock ends (cooling-off). */
      readonly inRight?: boolean
    }
  | { readonly kind: 'surplus'; readonly paymentId: Id<'payment'>; readonly amount?: Fen }
  | { readonly kind: 'order_funds'; readonly orderId: Id<'order'> }

/**
 * Gives money of one order back, all or nothing, in the caller's transaction: cards are void and the books owe the money
 * from then on; WeChat Pay and the bank follow. Refuses with `card_spent` (saying how much was used), `card_not_refundable`,
 * `refund_over_paid`, `state_conflict`, and `not_found` for what is not the actor's company's.
 */
export async function requestRefund(tx: Tx, wish: RefundWish): Promise<Id<'refund'>> {
  switch (wish.kind) {
    case 'cards':
      return refundChosen(tx, wish)
    case 'surplus':
      return refundSurplus(tx, wish.paymentId, wish.amount)
    case 'order_funds':
      return giveUpOrder(tx, wish.orderId)
  }
}

/** Writes a refund that is asked for, and holds its order and payments until the end of the transaction. */
export async function openRefund(
  tx: Tx,
  wish: {
    readonly orderId: Id<'order'>
    readonly kind: RefundKind
    readonly toWallet?: boolean
    readonly cardsPlanned?: number
    readonly campaignId?: Id<'campaign'>
    readonly paymentId?: Id<'payment'>
  },
) {
  const order = (await lockOrders(tx, [wish.orderId])).get(wish.orderId) ?? refuse('not_found')
  await holdPayments(tx, order.id)
  const id = tx.newId('refund')
  const { toWallet = false, cardsPlanned = 0, campaignId = null, paymentId = null, kind } = wish
  const asked = { requestedBy: actorName(tx.actor), requestedAtMs: tx.clock.now(), acceptedAtMs: null, doneAtMs: null }
  const counts = { amountFen: fen(0), cardsPlanned, cardsBack: 0, cardsKept: 0, afterCardId: null }
  const of = { id, companyId: order.companyId, orderId: order.id, kind, campaignId, paymentId, toWallet }
  await tx.em.insert(Refund, { ...of, state: 'requested', version: 1, ...counts, ...asked })
  await trail(tx, { objectId: id, act: 'refund.requested', toState: 'requested', note: `${kind} ${order.id}` })
  return { refund: await readHeldRefund(tx, id), order }
}

async function refundChosen(tx: Tx, wish: Extract<RefundWish, { kind: 'cards' }>): Promise<Id<'refund'>> {
  const cardIds = [...new Set(wish.cardIds)]
  if (cardIds.length === 0 || cardIds.length > limits.cardsPerSlice) refuse('malformed_request', { field: 'cardIds' })
  await mustSeeOrder(tx, wish.orderId)
  const { refund } = await openRefund(tx, { ...wish, cardsPlanned: cardIds.length })
  const [own] = await sql<{ cards: unknown }>(
    tx.em,
    `select count(*) as cards from card join order_item on order_item.id = card.order_item_id
      where order_item.order_id = ? and card.id in (${cardIds.map(() => '?').join(',')})`,
    [wish.orderId, ...cardIds],
  )
  if (readSum(own?.cards) !== cardIds.length) refuse('not_found')
  const order = (await readOrder(tx, wish.orderId)) ?? refuse('not_found')
  if (order.state !== 'issued' && order.state !== 'refunding') refuse('state_conflict')
  const { kept } = await acceptCards(tx, refund, order, cardIds, { inRight: wish.inRight === true })
  if (kept.length > 0) refuseKept(kept)
  await startParts(tx, refund.id)
  return refund.id
}

/** Says how many cards stand in the way, and how much of them was spent. */
function refuseKept(kept: readonly KeptCard[]): never {
  const spent = kept.filter((card) => card.why === 'card_spent')
  if (spent.length === 0) {
    const late = kept.some((card) => card.why === 'right_over')
    const detail = { zh: `涉及 ${kept.length} 张卡。`, en: `${kept.length} cards.` }
    refuse(late ? 'refund_right_over' : 'card_not_refundable', { detail })
  }
  const used = formatYuan(sumFen(spent.map((card) => card.spentFen)))
  refuse('card_spent', {
    detail: {
      zh: `${spent.length} 张卡已使用，共 ${used}。`,
      en: `${spent.length} cards were used, ${used} in all.`,
    },
  })
}

async function refundSurplus(tx: Tx, paymentId: Id<'payment'>, amount?: Fen): Promise<Id<'refund'>> {
  const found = (await readArrived(tx, paymentId)) ?? refuse('not_found')
  await mustSeeOrder(tx, found.orderId)
  const { refund } = await openRefund(tx, { kind: 'surplus', orderId: found.orderId, paymentId })
  const [back] = await sql<{ total: unknown }>(
    tx.em,
    'select sum(fen) as total from refund_part where payment_id = ? and brand_id is null',
    [paymentId],
  )
  const left = fen((await readSurplus(tx, paymentId)) - readSum(back?.total))
  const wanted = amount ?? left
  if (wanted > left) refuse('refund_over_paid', { detail: formatYuan(left) })
  if (wanted === 0) refuse('state_conflict')
  await setAmount(tx, refund.id, wanted)
  const lines = [debit(account.overpaid(found.orderId), wanted), credit(account.refundPayable(refund.id), wanted)]
  await post(tx, [{ kind: 'refund_accepted', ref: refund.id, lines }])
  await planSurplus(tx, refund, found, wanted)
  await startParts(tx, refund.id)
  return refund.id
}

/** An order that waits for the rest of its money is given up, and its campaign with it. */
async function giveUpOrder(tx: Tx, orderId: Id<'order'>): Promise<Id<'refund'>> {
  await mustSeeOrder(tx, orderId)
  const { refund } = await openRefund(tx, { kind: 'order_funds', orderId })
  const amount = (await returnFunds(tx, orderId)) ?? refuse('state_conflict')
  await setAmount(tx, refund.id, amount)
  const lines = [debit(account.orderFunds(orderId), amount), credit(account.refundPayable(refund.id), amount)]
  await post(tx, [{ kind: 'refund_accepted', ref: refund.id, lines }])
  const planned = await planWhole(tx, refund)
  if (planned !== amount) throw new Error(`order ${orderId}: its payments have ${planned} fen left, not ${amount}`)
  const campaign = await readCampaignByOrder(tx, orderId)
  if (campaign?.state === 'approved') await moveCampaign(tx, campaign, 'cancelled')
  await startParts(tx, refund.id)
  return refund.id
}

const setAmount = (tx: Tx, id: Id<'refund'>, amount: Fen) =>
  change(tx.em, 'update refund set amount_fen = ?, version = version + 1 where id = ?', [amount, id])

/** A member sees the orders of their company, a buyer their own; the house, and operators, see all. */
export async function mustSeeOrder(tx: Tx, orderId: Id<'order'>): Promise<void> {
  if (tx.actor.kind === 'member' || tx.actor.kind === 'employee') await findOwnOrder(tx, orderId)
  else if (tx.actor.kind === 'buyer') await findBuyersOrder(tx, orderId)
  else if (!(await readOrder(tx, orderId))) refuse('not_found')
}

/** A refund of the actor's company; anything else is 404. */
export const findOwnRefund = (tx: Tx, id: Id<'refund'>) => findOwn(tx, Refund, id)
