import { setTimeout as sleep } from 'node:timers/promises'
import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { JsapiParameters, WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertRows } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'
import { describe, place, tradeNo, type PayBodies } from './charge-wechat.ts'
import { watchOf } from './open-payment.ts'
import { prepareNew, preparePayment } from './prepare-payment.ts'
import { callerOf } from './read-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

const [LOOKS, LOOK_MS] = [20, 50]

/** The one payment of a buyer's order, for all that it costs. */
export interface BuyerCharge {
  readonly orderId: Id<'order'>
  readonly buyerId: Id<'buyer'>
  readonly brandId: Id<'brand'>
  readonly mchid: string
  /** By which app the payer is known, and as whom: the merchant must be bound to it. */
  readonly payer: { readonly appid: string; readonly openid: string }
  readonly amountFen: Fen
  /** When the order ends; its payment ends with it. */
  readonly endsAtMs: number
}

/** A payment that was recorded a moment ago: whoever recorded it is the first to ask WeChat Pay about it. */
export type NewCharge = Pick<
  PaymentRow,
  'id' | 'orderId' | 'version' | 'mchid' | 'appid' | 'product' | 'requestSealed'
> & { readonly mchid: string; readonly appid: string; readonly combineNo: null; readonly combineMchid: null }

/**
 * Records the payments of buyers' orders that were placed in the same transaction, each with its number and the exact body that
 * every call sends; nothing is asked for yet. One statement a table for any number of them.
 */
export async function chargeBuyers(tx: Tx, charges: readonly BuyerCharge[], bodies: PayBodies): Promise<NewCharge[]> {
  const now = tx.clock.now()
  const rows = charges.map((charge) => rowOf(tx, charge, now, bodies))
  await insertRows(tx.em, 'payment', rows)
  const parts = charges.map(({ brandId, amountFen }, index) => {
    return { id: tx.newId('paymentPart'), payment_id: rows[index]!.id, brand_id: brandId, amount_fen: amountFen }
  })
  await insertRows(
    tx.em,
    'payment_part',
    parts.map((part) => ({ ...part, refunded_fen: 0 })),
  )
  await trailMany(
    tx,
    rows.map(({ id }) => ({ objectId: id, act: 'payment.opened', toState: 'opened', note: 'wechat_pay' })),
  )
  await enqueue(
    tx,
    rows.map(({ id }) => watchOf({ id, openedAtMs: now }, now)),
  )
  return rows.map(({ id, order_id: orderId, mchid, appid, product, request_sealed: requestSealed }) => {
    return { id, orderId, version: 1, mchid, appid, product, requestSealed, combineNo: null, combineMchid: null }
  })
}

function rowOf(tx: Tx, charge: BuyerCharge, now: number, bodies: PayBodies) {
  const { orderId, buyerId, mchid, payer, amountFen, endsAtMs } = charge
  const id = tx.newId('payment')
  // Whole seconds, as WeChat Pay is told.
  const expiresAtMs = Math.floor(endsAtMs / 1000) * 1000
  const body = bodies.paymentBody({
    product: 'jsapi',
    merchant: { mchid, appid: payer.appid },
    outTradeNo: tradeNo(id),
    description: describe({ id: orderId }),
    total: amountFen,
    expireAtMs: expiresAtMs,
    profitSharing: true,
    openid: payer.openid,
  })
  return {
    id,
    order_id: orderId,
    source: 'wechat_pay',
    state: 'opened',
    version: 1,
    amount_fen: amountFen,
    mchid,
    appid: payer.appid,
    out_trade_no: tradeNo(id),
    product: 'jsapi' as const,
    request_sealed: tx.house.seal.seal(place(id), body),
    expires_at_ms: expiresAtMs,
    opened_by: buyerId,
    opened_at_ms: now,
    refunded_fen: 0,
    refunds_waiting: 0,
  }
}

/** What the payer's phone needs for a payment that was recorded a moment ago; null when no answer came. */
export async function firstReadyToPay(edge: Edge, charge: NewCharge): Promise<JsapiParameters | null> {
  const prepayId = await prepareNew(edge, charge)
  return prepayId === null ? null : parametersOf(edge, charge, prepayId)
}

/**
 * What the payer's phone needs to pay a buyer's order now, signed anew each time: asks WeChat Pay for a prepay id where there is
 * none that is good. Null: it is paid, closed or over, or no answer came; then asking again may help. Refuses with
 * `provider_unavailable` when WeChat Pay refused the payment.
 */
export async function readyToPay(edge: Edge, orderId: Id<'order'>): Promise<JsapiParameters | null> {
  let payment = await edge.read((tx) => readBuyersPayment(tx, orderId))
  // Whoever recorded it a moment ago is asking: a second prepay id would make theirs void.
  if (payment?.version === 1 && edge.clock.now() < payment.openedAtMs + LOOKS * LOOK_MS)
    payment = await lookUntilGood(edge, orderId)
  if (payment?.state === 'opened' && !isGood(payment, edge.clock.now())) {
    await preparePayment(edge, payment.id)
    // Of presses at once the last one's prepay id is the one that counts, and it may take a moment longer.
    payment = await lookUntilGood(edge, orderId)
  }
  if (payment === null || !isGood(payment, edge.clock.now())) return null
  return parametersOf(edge, callerOf(payment), payment.codeUrl)
}

async function lookUntilGood(edge: Edge, orderId: Id<'order'>): Promise<PaymentRow | null> {
  for (let looked = 1; ; looked += 1) {
    const payment = await edge.read((tx) => readBuyersPayment(tx, orderId))
    if (payment?.state !== 'opened' || isGood(payment, edge.clock.now()) || looked === LOOKS) return payment
    await sleep(LOOK_MS)
  }
}

const parametersOf = (edge: Edge, { mchid, appid }: WechatPayMerchant, prepayId: string): Promise<JsapiParameters> =>
  edge.ports.wechatPay.jsapiParameters({ mchid, appid }, prepayId)

type Prepared = PaymentRow & { readonly codeUrl: string }

const isGood = (payment: PaymentRow, nowMs: number): payment is Prepared =>
  payment.state === 'opened' &&
  typeof payment.codeUrl === 'string' &&
  nowMs < Math.min(payment.expiresAtMs ?? 0, payment.codeUntilMs ?? 0)

/** The payment of a buyer's order; it has one. The caller has checked whose order it is. */
export async function readBuyersPayment(tx: Tx, orderId: Id<'order'>): Promise<PaymentRow | null> {
  return tx.em.findOne(Payment, { orderId }, { orderBy: { id: 'desc' }, disableIdentityMap: true })
}
