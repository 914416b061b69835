import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { orderMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue, type NewJob } from '../../kernel/outbox.ts'
import { change, sql, updateRows } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'
import type { LockedOrder } from './lock-orders.ts'

/**
 * Adds money that arrived for an order and posts nothing: the caller posts the payment in the same transaction.
 * The order becomes funded exactly once, when the stored sum reaches the total, and then asks for its cards.
 * Returns false when the order takes no more money (cancelled, refunded, closed): the caller names the outcome.
 */
export async function secureFunds(tx: Tx, orderId: Id<'order'>, amount: Fen): Promise<boolean> {
  const added = await change(
    tx.em,
    "update orders set secured_fen = secured_fen + ?, version = version + 1 where id = ? and state in ('awaiting_funds', 'funded', 'issuing', 'issued')",
    [amount, orderId],
  )
  if (added === 0) return false
  const [order] = await sql<{ state: string; enough: number; items: number }>(
    tx.em,
    'select state, secured_fen >= total_fen as enough, item_count as items from orders where id = ?',
    [orderId],
  )
  if (order?.state !== 'awaiting_funds' || Number(order.enough) !== 1) return true
  const first = await move(tx, {
    table: 'orders',
    id: orderId,
    from: 'awaiting_funds',
    to: 'funded',
    moves: orderMoves,
  })
  if (first) await enqueue(tx, [issueJob(orderId, Number(order.items))])
  return true
}

/**
 * The same for many orders that the caller holds and that wait for their funds, each named once: one statement, one of
 * the trail and one of jobs for those that now have all. Gives those. Throws when an order does not stand as it was held.
 */
export async function secureMany(
  tx: Tx,
  arrived: readonly { readonly order: LockedOrder; readonly amount: Fen }[],
): Promise<LockedOrder[]> {
  const funded = arrived.filter(({ order, amount }) => order.securedFen + amount >= order.totalFen)
  const rows = arrived.map(({ order, amount }) => ({
    id: order.id,
    before_fen: order.securedFen,
    after_fen: order.securedFen + amount,
    state: order.securedFen + amount >= order.totalFen ? 'funded' : 'awaiting_funds',
  }))
  const changed = await updateRows(
    tx.em,
    'orders',
    rows.sort((a, b) => (a.id < b.id ? -1 : 1)),
    {
      set: 'secured_fen = new_after_fen, state = new_state, version = version + 1',
      where: "state = 'awaiting_funds' and secured_fen = new_before_fen",
    },
  )
  if (changed !== arrived.length) throw new Error(`${changed} of ${arrived.length} orders took money`)
  await trailMany(
    tx,
    funded.map(({ order }) => ({
      objectId: order.id,
      act: 'orders.funded',
      fromState: 'awaiting_funds',
      toState: 'funded',
    })),
  )
  if (funded.length > 0)
    await enqueue(
      tx,
      funded.map(({ order }) => issueJob(order.id, order.itemCount)),
    )
  return funded.map(({ order }) => order)
}

const issueJob = (orderId: Id<'order'>, items: number): NewJob => ({
  kind: 'order.issue',
  key: `order.issue:${orderId}`,
  args: { orderId },
  lane: items > limits.cardsPerSlice ? 'bulk' : 'small',
})
