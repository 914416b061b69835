import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { readOrder } from '../order/read-order.ts'
import { askPayment } from './ask-payment.ts'
import { watchLater } from './open-payment.ts'
import { preparePayment } from './prepare-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

/**
 * Looks after an open WeChat payment, for when its notice never comes: asks, takes the money that is there, and closes
 * the payment at its end or once its order needs nothing more. While it stays open the next look is enqueued. No answer
 * is no reason to stop looking. May run twice at once and be killed anywhere.
 */
export async function watchPayment(edge: Edge, paymentId: Id<'payment'>): Promise<void> {
  const payment = await readOpen(edge, paymentId)
  if (!payment) return
  try {
    const close = edge.clock.now() >= (payment.expiresAtMs ?? 0) || !(await isWaiting(edge, payment))
    const standing = await askPayment(edge, paymentId, { close })
    // Placed or not: when the answer with the credential was lost, it is asked for again.
    if (standing === 'never_placed' || standing === 'unpaid') await preparePayment(edge, paymentId)
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ paymentId, outcome: error.outcome, code: error.code }, 'no answer about a payment')
  }
  const still = await readOpen(edge, paymentId)
  if (still) await edge.tx((tx) => watchLater(tx, still))
}

/**
 * The same for many: most were paid within seconds and need no look, which one question tells of all of them. The others are
 * looked after one by one; what fails there fails all, and each is then tried by itself.
 */
export async function watchPayments(edge: Edge, paymentIds: readonly Id<'payment'>[]): Promise<void> {
  const where = { id: { $in: [...paymentIds] }, state: 'opened' as const, source: 'wechat_pay' as const }
  const open = await edge.read((tx) => tx.em.find(Payment, where, { fields: ['id'], disableIdentityMap: true }))
  for (const { id } of open) await watchPayment(edge, id)
}

async function readOpen(edge: Edge, paymentId: Id<'payment'>): Promise<PaymentRow | null> {
  const where = { id: paymentId, state: 'opened' as const, source: 'wechat_pay' as const }
  return edge.read((tx) => tx.em.findOne(Payment, where, { disableIdentityMap: true }))
}

async function isWaiting(edge: Edge, payment: PaymentRow): Promise<boolean> {
  const order = await edge.read((tx) => readOrder(tx, payment.orderId))
  return order?.state === 'awaiting_funds'
}
