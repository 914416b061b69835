import { sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { PayProduct } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { enqueue, type NewJob } from '../../kernel/outbox.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readCompany } from '../company/read-company.ts'
import { paymentRoutes, type PaymentSource } from '../compliance/rules.ts'
import { lockOrders, type LockedOrder } from '../order/lock-orders.ts'
import { findOwnOrder } from '../order/read-order.ts'
import { drawCredit } from '../wallet/draw-credit.ts'
import { holdWallet } from '../wallet/hold-wallet.ts'
import { hasCredit } from '../wallet/read-credit.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { spendFromWallet } from '../wallet/spend-from-wallet.ts'
import { chargeWechat, type PayBodies } from './charge-wechat.ts'
import { insertPayment } from './insert-payment.ts'
import { preparePayment } from './prepare-payment.ts'
import { readNeeds, readOrderBrands } from './read-needs.ts'
import { cutParts, nextLookAt } from './rules.ts'
import { settlePayment } from './settle-payment.ts'
import type { PaymentRow } from './tables.ts'

export interface NewPayment {
  readonly orderId: Id<'order'>
  readonly source: PaymentSource
  readonly amountFen: Fen
  /** WeChat Pay: the one brand that is paid; without it all that miss money are, by a combined payment. */
  readonly brandId?: Id<'brand'> | undefined
  /** WeChat Pay: how the payer meets it; a QR code unless said. */
  readonly product?: PayProduct | undefined
  /** JSAPI: who pays. */
  readonly openid?: string | undefined
  /** H5 and combined payments: where the payer is. */
  readonly clientIp?: string | undefined
}

/**
 * Opens a payment of one source for an order that waits for funds; the same key gives the same payment. A wallet pays
 * at once. For WeChat Pay the number, the end and the exact body are recorded first, then what the payer's device needs
 * is asked for; when the answer stays out, the payment is there without it, and its watch or a later question sends the
 * same body again. Of a combined payment (one charge, several brands) the first of its payments is the answer.
 * Refuses with `not_found`, `state_conflict`, `payment_route_barred`, `payment_over_needed`, `wallet_insufficient`,
 * `credit_insufficient`, `malformed_request`, `combined_unavailable`, `combined_too_many`, `provider_unavailable` when
 * WeChat Pay refused; then the payment is failed.
 */
export async function openPayment(edge: Edge, wish: NewPayment, key: string): Promise<Id<'payment'>> {
  const paymentId = await edge.tx((tx) =>
    once(tx, `payment.open:${companyOf(tx.actor)}`, key, keyedInput(tx, wish), () =>
      recordPayment(tx, wish, edge.ports.wechatPay),
    ),
  )
  if (wish.source === 'wechat_pay') await preparePayment(edge, paymentId)
  return paymentId
}

/** What a key stands for. The payer is in it by fingerprint alone, and not where they are: that may change. */
function keyedInput(tx: Tx, wish: NewPayment): object {
  const { orderId, source, amountFen, brandId = null, product = 'native', openid } = wish
  const payer = openid === undefined ? {} : { payer: tx.house.seal.blindIndex('payer-openid', openid) }
  return { orderId, source, amountFen, brandId, ...(product === 'native' ? {} : { product }), ...payer }
}

/**
 * Pays all that an order misses from its company's wallet, for the house itself, under whatever approval the order was
 * placed. False, with nothing written, when the order waits for no money or the wallet holds less: then a person pays.
 */
export async function payFromWalletInFull(tx: Tx, orderId: Id<'order'>): Promise<boolean> {
  const order = (await lockOrders(tx, [orderId])).get(orderId)
  if (order?.state !== 'awaiting_funds' || order.companyId === null) return false
  const needs = await readNeeds(tx, order.id, await readOrderBrands(tx, order.id))
  const amountFen = sumFen(needs.map((need) => need.missingFen))
  await holdWallet(tx, order.companyId)
  const wallet = await readWallet(tx, order.companyId)
  if (amountFen === 0 || wallet === null || wallet.balanceFen < amountFen) return false
  await mustBeOpen(tx, order, 'wallet')
  const seed = { id: tx.newId('payment'), source: 'wallet', amountFen } as const
  const payment = await insertPayment(tx, order, seed, cutParts(amountFen, needs))
  await payFromWallet(tx, order, payment)
  return true
}

async function recordPayment(tx: Tx, wish: NewPayment, bodies: PayBodies): Promise<Id<'payment'>> {
  const { source, amountFen } = wish
  const order = await holdOwnOrder(tx, wish.orderId, source)
  const brands = await readOrderBrands(tx, order.id)
  if (source === 'wechat_pay') {
    const [lead] = await chargeWechat(tx, order, brands, { ...wish, product: wish.product ?? 'native' }, bodies)
    await watchLater(tx, lead!)
    return lead!.id
  }
  if (wish.brandId !== undefined) refuse('malformed_request', { field: 'brandId' })
  if (wish.product !== undefined) refuse('malformed_request', { field: 'product' })
  const needs = await readNeeds(tx, order.id, brands)
  if (amountFen > sumFen(needs.map((need) => need.missingFen))) refuse('payment_over_needed', { field: 'amountFen' })
  const payment = await insertPayment(
    tx,
    order,
    { id: tx.newId('payment'), source, amountFen },
    cutParts(amountFen, needs),
  )
  switch (source) {
    case 'wallet':
      await payFromWallet(tx, order, payment)
      break
    case 'credit_line':
      await payOnCredit(tx, order, payment)
      break
    case 'bank_transfer':
      break
  }
  return payment.id
}

/**
 * Holds an order of the actor's company that waits for money, and checks that this source may pay it. Refuses with
 * `not_found`, `state_conflict`, `payment_route_barred`.
 */
export async function holdOwnOrder(tx: Tx, orderId: Id<'order'>, source: PaymentSource): Promise<LockedOrder> {
  await findOwnOrder(tx, orderId)
  const order = (await lockOrders(tx, [orderId])).get(orderId) ?? refuse('not_found')
  if (source === 'wallet') await holdWallet(tx, companyOf(tx.actor))
  if (order.state !== 'awaiting_funds') refuse('state_conflict')
  await mustBeOpen(tx, order, source)
  return order
}

/** Checks the order's total against the company's payment routes (compliance/rules.ts). */
async function mustBeOpen(tx: Tx, order: LockedOrder, source: PaymentSource): Promise<void> {
  const company = (await readCompany(tx, order.companyId ?? refuse('not_found'))) ?? refuse('not_found')
  const routes = paymentRoutes(company.paymentRoute, order.totalFen, await hasCredit(tx, company.id))
  const route = routes.find((one) => one.source === source)
  if (!route?.allowed) refuse('payment_route_barred', { field: 'source' })
}

/** The wallet's guard decides; when it says no, nothing of this payment stays. */
async function payFromWallet(tx: Tx, order: LockedOrder, payment: PaymentRow): Promise<void> {
  const { id: ref, amountFen: amount, orderId } = payment
  const companyId = order.companyId ?? refuse('not_found')
  const spent = await spendFromWallet(tx, { companyId, amount, orderId, ref })
  if (!spent) refuse('wallet_insufficient', { field: 'amountFen' })
  await settlePayment(tx, order, payment, { amount, from: null, atMs: tx.clock.now() })
}

/** The line's guard decides, as the wallet's does. */
async function payOnCredit(tx: Tx, order: LockedOrder, payment: PaymentRow): Promise<void> {
  const { id: ref, amountFen: amount, orderId } = payment
  const companyId = order.companyId ?? refuse('not_found')
  if (!(await drawCredit(tx, { companyId, amount, orderId, ref })))
    refuse('credit_insufficient', { field: 'amountFen' })
  await settlePayment(tx, order, payment, { amount, from: null, atMs: tx.clock.now() })
}

/** Asks for the next look at an open payment. The same instant is asked for once. */
export async function watchLater(tx: Tx, payment: Pick<PaymentRow, 'id' | 'openedAtMs'>): Promise<void> {
  await enqueue(tx, [watchOf(payment, tx.clock.now())])
}

/** The job of the next look at an open payment. */
export function watchOf({ id, openedAtMs }: Pick<PaymentRow, 'id' | 'openedAtMs'>, nowMs: number): NewJob {
  const readyAtMs = nextLookAt(openedAtMs, nowMs)
  return { kind: 'payment.watch', key: `payment.watch:${id}:${readyAtMs}`, args: { paymentId: id }, readyAtMs }
}
