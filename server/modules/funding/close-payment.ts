import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { askPayment } from './ask-payment.ts'
import { findOwnPayment } from './read-payment.ts'

/**
 * Closes an open payment of the actor's company; closing it again changes nothing. A WeChat payment is closed there
 * first, and one that was paid meanwhile becomes paid instead. Money that arrives after the closing is kept (outcome
 * `late`). Refuses with `not_found`, and `state_conflict` when the payment is neither open nor closed; throws
 * OutsideError when WeChat Pay gave no answer, and then nothing was closed here.
 */
export async function closePayment(edge: Edge, paymentId: Id<'payment'>): Promise<void> {
  const payment = await edge.read((tx) => findOwnPayment(tx, paymentId))
  if (payment.state === 'closed') return
  if (payment.state !== 'opened') refuse('state_conflict')
  if (payment.source === 'wechat_pay') {
    await askPayment(edge, paymentId, { close: true })
    return
  }
  await edge.tx(async (tx) => {
    await lockOrders(tx, [payment.orderId])
    const step = { table: 'payment', id: paymentId, from: 'opened', to: 'closed', moves: paymentMoves }
    if (await move(tx, step)) return
    if ((await findOwnPayment(tx, paymentId)).state !== 'closed') refuse('state_conflict')
  })
}
