import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { askPayment } from './ask-payment.ts'
import { merchantOf } from './read-payment.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { Payment, type PaymentRow } from './tables.ts'

/** A call may be repeated with the same number and body: WeChat Pay answers with a fresh code. */
const TRIES = 2

/**
 * Gets the QR of an open WeChat payment that has none yet. An unknown or busy answer leaves it without, to be asked for
 * again. A refusal is first checked against what WeChat Pay knows of the number: a payment that it does not know is
 * failed, and `provider_unavailable` is thrown. A payment that was closed meanwhile is closed at WeChat Pay too.
 */
export async function prepareNative(edge: Edge, paymentId: Id<'payment'>): Promise<void> {
  const payment = await edge.tx((tx) => claimPreparing(tx, paymentId))
  if (!payment) return
  const codeUrl = await askForCode(edge, payment)
  if (codeUrl === null) return
  const [kept, now] = await edge.tx(async (tx) => [
    await change(tx.em, 'update payment set code_url = ?, version = version + 1 where id = ? and version = ?', [
      codeUrl,
      paymentId,
      payment.version,
    ]),
    await tx.em.findOneOrFail(Payment, { id: paymentId }, { disableIdentityMap: true }),
  ])
  if (kept === 0 && now.state !== 'opened') await askPayment(edge, paymentId, { close: true })
}

/**
 * Marks that this caller asks now. A later code kills an earlier one, so of several callers only the last one's is kept.
 * Null when there is nothing to ask for. A caller that dies holds nobody up.
 */
async function claimPreparing(tx: Tx, paymentId: Id<'payment'>): Promise<PaymentRow | null> {
  const claimed = await change(
    tx.em,
    "update payment set version = version + 1 where id = ? and source = 'wechat_pay' and state = 'opened' and code_url is null and expires_at_ms > ?",
    [paymentId, tx.clock.now()],
  )
  return claimed === 0 ? null : tx.em.findOne(Payment, { id: paymentId }, { disableIdentityMap: true })
}

async function askForCode(edge: Edge, payment: PaymentRow): Promise<string | null> {
  for (let tried = 1; ; tried += 1) {
    try {
      const answer = await edge.ports.wechatPay.prepareNative({
        merchant: merchantOf(payment),
        outTradeNo: payment.outTradeNo!,
        description: `福利卡订单 ${payment.orderId.slice(4)}`,
        total: payment.amountFen,
        expireAtMs: payment.expiresAtMs!,
        profitSharing: true,
      })
      return answer.codeUrl
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      edge.log.warn({ paymentId: payment.id, outcome: error.outcome, code: error.code }, 'no code for a payment')
      if (error.outcome === 'unknown' && tried < TRIES) continue
      if (error.outcome === 'unknown' || error.outcome === 'busy') return null
      await giveUp(edge, payment, error)
      return null
    }
  }
}

/** Refused: either the number already ended there (paid or closed), or it never began and the payment has failed. */
async function giveUp(edge: Edge, payment: PaymentRow, cause: OutsideError): Promise<void> {
  if (cause.outcome === 'refused' && (await askPayment(edge, payment.id)) !== 'never_placed') return
  await edge.tx(async (tx) => {
    await lockOrders(tx, [payment.orderId])
    const step = { table: 'payment', id: payment.id, from: 'opened', to: 'failed', moves: paymentMoves }
    await move(tx, { ...step, note: cause.code.slice(0, 64) })
  })
  refuse('provider_unavailable', { cause })
}
