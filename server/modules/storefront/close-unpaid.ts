import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { cancelOrder } from '../order/cancel-order.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { findBuyersOrder } from '../order/read-order.ts'
import { returnTaking } from '../shelf/return-taking.ts'

/**
 * Jobs `store-order.close`: nobody paid these in time, so each is over and its card is for others. Its payment is closed at WeChat
 * Pay afterwards (job `payments.close`); money that arrives all the same goes back by itself. Nothing for an order that was paid or
 * given up before. Harmless to repeat.
 */
export async function closeUnpaid(edge: Edge, orderIds: readonly Id<'order'>[]): Promise<void> {
  const unpaid = await edge.read((tx) =>
    sql<{ id: Id<'order'> }>(
      tx.em,
      `select id from orders where id in (${orderIds.map(() => '?').join(',')}) and state = 'awaiting_funds' order by id`,
      orderIds,
    ),
  )
  for (const { id } of unpaid) await edge.tx((tx) => endUnpaid(tx, id))
}

/** The buyer gives up what they have not paid. Refuses with `not_found`, `state_conflict` once there is money. */
export async function giveUpStoreOrder(tx: Tx, orderId: Id<'order'>): Promise<void> {
  const order = await findBuyersOrder(tx, orderId)
  if (order.state === 'cancelled') return
  if (!(await endUnpaid(tx, orderId))) refuse('state_conflict')
}

/** False, with nothing changed, when money is there, or it was over before. */
async function endUnpaid(tx: Tx, orderId: Id<'order'>): Promise<boolean> {
  const order = (await lockOrders(tx, [orderId])).get(orderId)
  if (order?.state !== 'awaiting_funds' || order.securedFen !== 0) return false
  if (!(await cancelOrder(tx, orderId))) throw new Error(`order ${orderId} changed while it was held`)
  await returnTaking(tx, orderId)
  return true
}
