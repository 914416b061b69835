import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import { placeHold } from '../server/modules/redemption/place-hold.ts'
import { voidHold } from '../server/modules/redemption/void-hold.ts'
import { requestRefund } from '../server/modules/refund/request-refund.ts'
import { buyerOf } from './cast.ts'
import { NOTHING, rows, type Act } from './play.ts'

/** A company takes cards of an order back: one, some, or all that nobody has used. */
export const refund: Act = async (stage, cast) => {
  const { chance } = stage
  const orders = await rows<{ id: Id<'order'>; company_id: Id<'company'> }>(
    stage,
    "select id, company_id from orders where state in ('issued', 'refunding') order by id desc limit 8",
  )
  if (orders.length === 0) return NOTHING
  const order = chance.pick(orders)
  const cards = await rows<{ id: Id<'card'> }>(
    stage,
    "select card.id as id from card join order_item on order_item.id = card.order_item_id where order_item.order_id = ? and card.state in ('active', 'frozen') order by card.id",
    [order.id],
  )
  if (cards.length === 0) return NOTHING
  const count = chance.oneIn(3) ? cards.length : chance.between(1, cards.length)
  const cardIds = cards.slice(0, count).map((card) => card.id)
  const wish = {
    kind: 'cards',
    orderId: order.id,
    cardIds,
    toWallet: chance.oneIn(6),
    inRight: chance.oneIn(8),
  } as const
  const id = await stage.edge(buyerOf(cast, order.company_id).finance).tx((tx) => requestRefund(tx, wish))
  return `${count} cards of ${order.id} go back: ${id}`
}

/** What a payment brought beyond its order goes back. */
export const surplus: Act = async (stage, cast) => {
  const found = await rows<{ id: Id<'payment'>; company_id: Id<'company'> }>(
    stage,
    "select id, company_id from payment where outcome in ('over', 'late', 'duplicate', 'order_closed') order by id desc limit 6",
  )
  if (found.length === 0) return NOTHING
  const payment = stage.chance.pick(found)
  const edge = stage.edge(buyerOf(cast, payment.company_id).finance)
  const id = await edge.tx((tx) => requestRefund(tx, { kind: 'surplus', paymentId: payment.id }))
  return `surplus of ${payment.id} goes back: ${id}`
}

/** An order that waits for the rest of its money is given up. */
export const giveUp: Act = async (stage, cast) => {
  const found = await rows<{ id: Id<'order'>; company_id: Id<'company'> }>(
    stage,
    "select id, company_id from orders where state = 'awaiting_funds' and secured_fen > 0 order by id desc limit 6",
  )
  if (found.length === 0 || !stage.chance.oneIn(2)) return NOTHING
  const order = stage.chance.pick(found)
  const edge = stage.edge(buyerOf(cast, order.company_id).finance)
  const id = await edge.tx((tx) => requestRefund(tx, { kind: 'order_funds', orderId: order.id }))
  return `${order.id} is given up: ${id}`
}

/** A shop sets value of a card aside, or lets it go. */
export const hold: Act = async (stage) => {
  const { chance } = stage
  const held = await rows<{ id: Id<'hold'> }>(stage, "select id from hold where state = 'held' order by id limit 6")
  if (held.length > 0 && chance.oneIn(2)) {
    const { id } = chance.pick(held)
    return `hold ${id} ends: ${await stage.edge().tx((tx) => voidHold(tx, id))}`
  }
  const cards = await rows<{ id: Id<'card'>; balance_fen: number }>(
    stage,
    "select id, balance_fen from card where state = 'active' order by id desc limit 12",
  )
  if (cards.length === 0) return NOTHING
  const card = chance.pick(cards)
  const amount = fen(chance.between(1, Number(card.balance_fen)))
  const wish = { cardId: card.id, amount, ref: 'shop', endsAtMs: stage.now() + 600_000 }
  const id = await stage.edge().tx((tx) => placeHold(tx, wish))
  return `shop holds ${amount} of ${card.id}: ${id}`
}
