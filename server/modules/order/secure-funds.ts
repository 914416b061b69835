import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { orderMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'

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
  const lane = Number(order.items) > limits.cardsPerSlice ? 'bulk' : 'small'
  if (first) await enqueue(tx, [{ kind: 'order.issue', key: `order.issue:${orderId}`, args: { orderId }, lane }])
  return true
}
