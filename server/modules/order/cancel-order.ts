import type { Id } from '../../../contract/ids.ts'
import { orderMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { Order } from './tables.ts'

/**
 * Cancels an order that has no money yet; money that still comes is named `order_closed` by whoever takes it.
 * What is open to be paid for it is closed by the job `payments.close`. Returns false when money has arrived or the
 * order is further on. A caller that gets false must roll back.
 */
export async function cancelOrder(tx: Tx, orderId: Id<'order'>): Promise<boolean> {
  const step = { table: 'orders', id: orderId, to: 'cancelled', moves: orderMoves }
  const moved = (await move(tx, { ...step, from: 'awaiting_funds' })) || (await move(tx, { ...step, from: 'placing' }))
  if (!moved) return false
  // The row is ours now: what it says of its money cannot change before we commit.
  const order = await tx.em.findOneOrFail(Order, { id: orderId }, { disableIdentityMap: true })
  if (order.securedFen !== 0) return false
  await enqueue(tx, [{ kind: 'payments.close', key: `payments.close:${orderId}`, args: { orderId } }])
  return true
}
