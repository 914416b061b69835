import { setTimeout as sleep } from 'node:timers/promises'
import type { Id } from '../../../contract/ids.ts'
import type { JsapiParameters } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { chargeWechat, type PayBodies } from './charge-wechat.ts'
import { watchLater } from './open-payment.ts'
import { preparePayment } from './prepare-payment.ts'
import { readOrderBrands } from './read-needs.ts'
import { callerOf } from './read-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

const [LOOKS, LOOK_MS] = [20, 50]

/** Who pays, as WeChat Pay must be told. */
export interface Payer {
  readonly appid: string
  readonly openid: string
}

/**
 * Records the one payment of a buyer's order, for all that it costs, with the exact body that every call sends; nothing is
 * asked for yet (`readyToPay` does). It ends when the order does. Refuses with `payment_route_barred` where nobody collects
 * for the brand.
 */
export async function chargeBuyer(
  tx: Tx,
  orderId: Id<'order'>,
  payer: Payer,
  endsAtMs: number,
  bodies: PayBodies,
): Promise<void> {
  const order = (await lockOrders(tx, [orderId])).get(orderId) ?? refuse('not_found')
  const charge = { product: 'jsapi', amountFen: order.totalFen, endsAtMs, ...payer } as const
  const [payment] = await chargeWechat(tx, order, await readOrderBrands(tx, orderId), charge, bodies)
  await watchLater(tx, payment!)
}

/**
 * What the payer's phone needs to pay a buyer's order now, signed anew each time: asks WeChat Pay for a prepay id where there is
 * none that is good. Null: it is paid, closed or over, or no answer came; then asking again may help. Refuses with
 * `provider_unavailable` when WeChat Pay refused the payment.
 */
export async function readyToPay(edge: Edge, orderId: Id<'order'>): Promise<JsapiParameters | null> {
  let payment = await edge.read((tx) => readBuyersPayment(tx, orderId))
  if (payment?.state === 'opened' && !isGood(payment, edge.clock.now())) {
    await preparePayment(edge, payment.id)
    // Of presses at once the last one's prepay id is the one that counts, and it may take a moment longer.
    for (let looked = 0; looked < LOOKS; looked += 1) {
      payment = await edge.read((tx) => readBuyersPayment(tx, orderId))
      if (payment?.state !== 'opened' || isGood(payment, edge.clock.now())) break
      await sleep(LOOK_MS)
    }
  }
  if (payment === null || !isGood(payment, edge.clock.now())) return null
  return edge.ports.wechatPay.jsapiParameters(callerOf(payment), payment.codeUrl)
}

type Prepared = PaymentRow & { readonly codeUrl: string }

const isGood = (payment: PaymentRow, nowMs: number): payment is Prepared =>
  payment.state === 'opened' &&
  typeof payment.codeUrl === 'string' &&
  nowMs < Math.min(payment.expiresAtMs ?? 0, payment.codeUntilMs ?? 0)

/** The payment of a buyer's order; it has one. The caller has checked whose order it is. */
export async function readBuyersPayment(tx: Tx, orderId: Id<'order'>): Promise<PaymentRow | null> {
  return tx.em.findOne(Payment, { orderId }, { orderBy: { id: 'desc' }, disableIdentityMap: true })
}
