import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { askPayment } from './ask-payment.ts'
import { findOwnPayment } from './read-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

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
    if (await closeHere(tx, payment)) return
    if ((await findOwnPayment(tx, paymentId)).state !== 'closed') refuse('state_conflict')
  })
}

/**
 * Job `payments.close`: closes what is open to be paid for an order that was cancelled, so that nobody pays for nothing.
 * A payment that was paid meanwhile is taken all the same. Throws OutsideError when WeChat Pay gave no answer about one;
 * the others are closed then, and the job comes back for it. May be run again and twice at once.
 */
export async function closeOpenPayments(edge: Edge, orderId: Id<'order'>): Promise<void> {
  const where = { orderId, state: 'opened' as const }
  const open = await edge.read((tx) => tx.em.find(Payment, where, { disableIdentityMap: true }))
  let unanswered: OutsideError | null = null
  for (const payment of open) {
    if (payment.source !== 'wechat_pay') await edge.tx((tx) => closeHere(tx, payment))
    else
      await askPayment(edge, payment.id, { close: true }).catch((error: unknown) => {
        if (!(error instanceof OutsideError)) throw error
        unanswered = error
      })
  }
  if (unanswered !== null) throw unanswered
}

async function closeHere(tx: Tx, payment: Pick<PaymentRow, 'id' | 'orderId'>): Promise<boolean> {
  await lockOrders(tx, [payment.orderId])
  return move(tx, { table: 'payment', id: payment.id, from: 'opened', to: 'closed', moves: paymentMoves })
}
