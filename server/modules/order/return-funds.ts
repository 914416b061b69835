import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { orderMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { Order } from './tables.ts'

/**
 * Gives up an order that has some of its money and waits for the rest: it takes no more, nothing of it is made, and all
 * that is secured is to go back. What is open to be paid is closed by the job `payments.close`. Returns how much goes
 * back; null when the order is not waiting, or has no money (then cancel it): a caller that gets null must roll back. The
 * caller posts, in the same transaction.
 */
export async function returnFunds(tx: Tx, orderId: Id<'order'>): Promise<Fen | null> {
  const step = { table: 'orders', id: orderId, from: 'awaiting_funds', to: 'refunding', moves: orderMoves }
  if (!(await move(tx, step))) return null
  const order = await tx.em.findOneOrFail(Order, { id: orderId }, { disableIdentityMap: true })
  const amount = fen(order.securedFen - order.issuedFen - order.returnedFen)
  if (amount === 0) return null
  await change(tx.em, 'update orders set returned_fen = returned_fen + ?, version = version + 1 where id = ?', [
    amount,
    orderId,
  ])
  await enqueue(tx, [{ kind: 'payments.close', key: `payments.close:${orderId}`, args: { orderId } }])
  return amount
}
