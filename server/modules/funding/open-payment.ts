import { sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { readCompany } from '../company/read-company.ts'
import { paymentRoutes, type PaymentSource } from '../compliance/rules.ts'
import { lockOrders, type LockedOrder } from '../order/lock-orders.ts'
import { findOwnOrder } from '../order/read-order.ts'
import { holdWallet } from '../wallet/hold-wallet.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { spendFromWallet } from '../wallet/spend-from-wallet.ts'
import { prepareNative } from './prepare-native.ts'
import { readNeeds, readOrderBrands, type OrderBrand } from './read-needs.ts'
import { cutParts, NATIVE_LIFE_MS, NATIVE_MOST_FEN, newReference, nextLookAt, type Need } from './rules.ts'
import { settlePayment, writeParts } from './settle-payment.ts'
import { Payment, type PaymentRow } from './tables.ts'

export interface NewPayment {
  readonly orderId: Id<'order'>
  readonly source: PaymentSource
  readonly amountFen: Fen
  /** WeChat Pay only, where the order has several brands: who collects. */
  readonly brandId?: Id<'brand'> | undefined
}

/**
 * Opens a payment of one source for an order that waits for funds; the same key gives the same payment. A wallet pays
 * at once. For WeChat Pay the number and the end are recorded first, then the QR is asked for; when the answer stays
 * out, the payment is there without its QR, and its watch or a later question asks again with the same number.
 * Refuses with `not_found`, `state_conflict`, `payment_route_barred`, `payment_over_needed`, `wallet_insufficient`,
 * `malformed_request` (brand), `provider_unavailable` when WeChat Pay refused; then the payment is failed.
 */
export async function openPayment(edge: Edge, wish: NewPayment, key: string): Promise<Id<'payment'>> {
  const { orderId, source, amountFen, brandId = null } = wish
  const input = { orderId, source, amountFen, brandId }
  const paymentId = await edge.tx((tx) =>
    once(tx, `payment.open:${companyOf(tx.actor)}`, key, input, () => recordPayment(tx, wish)),
  )
  if (source === 'wechat_pay') await prepareNative(edge, paymentId)
  return paymentId
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
  const payment = await insertPayment(tx, order, { orderId, source: 'wallet', amountFen }, null, needs)
  await payFromWallet(tx, order, payment)
  return true
}

async function recordPayment(tx: Tx, wish: NewPayment): Promise<Id<'payment'>> {
  await findOwnOrder(tx, wish.orderId)
  const order = (await lockOrders(tx, [wish.orderId])).get(wish.orderId) ?? refuse('not_found')
  if (wish.source === 'wallet') await holdWallet(tx, companyOf(tx.actor))
  if (order.state !== 'awaiting_funds') refuse('state_conflict')
  await mustBeOpen(tx, order, wish.source)
  const brands = await readOrderBrands(tx, order.id)
  const brand = wish.source === 'wechat_pay' ? collectingBrand(brands, wish.brandId) : null
  if (brand === null && wish.brandId !== undefined) refuse('malformed_request', { field: 'brandId' })
  const all = await readNeeds(tx, order.id, brands)
  const needs = brand === null ? all : all.filter((need) => need.brandId === brand.id)
  const missing = needs.reduce((sum, need) => sum + need.missingFen, 0)
  if (wish.amountFen > missing) refuse('payment_over_needed', { field: 'amountFen' })
  const payment = await insertPayment(tx, order, wish, brand, needs)
  switch (wish.source) {
    case 'wallet':
      await payFromWallet(tx, order, payment)
      break
    case 'wechat_pay':
      await watchLater(tx, payment)
      break
    case 'bank_transfer':
      break
  }
  return payment.id
}

/** Checks the order's total against the company's payment routes (compliance/rules.ts). */
async function mustBeOpen(tx: Tx, order: LockedOrder, source: PaymentSource): Promise<void> {
  const company = (await readCompany(tx, order.companyId ?? refuse('not_found'))) ?? refuse('not_found')
  const route = paymentRoutes(company.paymentRoute, order.totalFen).find((one) => one.source === source)
  if (!route?.allowed) refuse('payment_route_barred', { field: 'source' })
}

/** The brand that a WeChat payment goes to; it must be named where the order has several. */
function collectingBrand(brands: readonly OrderBrand[], wanted: Id<'brand'> | undefined): OrderBrand {
  if (wanted === undefined && brands.length > 1) refuse('malformed_request', { field: 'brandId' })
  const brand = wanted === undefined ? brands[0] : brands.find((one) => one.id === wanted)
  if (!brand) refuse('malformed_request', { field: 'brandId' })
  if (brand.merchant === null) refuse('payment_route_barred', { field: 'brandId' })
  return brand
}

async function insertPayment(
  tx: Tx,
  order: LockedOrder,
  wish: NewPayment,
  brand: OrderBrand | null,
  needs: readonly Need[],
): Promise<PaymentRow> {
  const { source, amountFen } = wish
  const wechat = source === 'wechat_pay'
  if (wechat && amountFen > NATIVE_MOST_FEN) refuse('malformed_request', { field: 'amountFen' })
  const [id, now] = [tx.newId('payment'), tx.clock.now()]
  const row: PaymentRow = {
    id,
    companyId: order.companyId,
    orderId: order.id,
    source,
    state: 'opened',
    version: 1,
    amountFen,
    paidFen: null,
    outcome: null,
    mchid: brand?.merchant?.mchid ?? null,
    appid: brand?.merchant?.appid ?? null,
    outTradeNo: wechat ? `FLK${id.slice(4)}` : null,
    codeUrl: null,
    // Whole seconds, as WeChat Pay is told: asking again must say the very same.
    expiresAtMs: wechat ? Math.floor((now + NATIVE_LIFE_MS) / 1000) * 1000 : null,
    transactionId: null,
    bankType: null,
    payerSealed: null,
    reference: source === 'bank_transfer' ? newReference(tx.random) : null,
    openedBy: actorName(tx.actor),
    openedAtMs: now,
    paidAtMs: null,
  }
  await tx.em.insert(Payment, row)
  await writeParts(tx, id, cutParts(amountFen, needs))
  await trail(tx, { objectId: id, act: 'payment.opened', toState: 'opened', note: source })
  return row
}

/** The wallet's guard decides; when it says no, nothing of this payment stays. */
async function payFromWallet(tx: Tx, order: LockedOrder, payment: PaymentRow): Promise<void> {
  const { id: ref, amountFen: amount, orderId } = payment
  const companyId = order.companyId ?? refuse('not_found')
  const spent = await spendFromWallet(tx, { companyId, amount, orderId, ref })
  if (!spent) refuse('wallet_insufficient', { field: 'amountFen' })
  await settlePayment(tx, order, payment, { amount, from: null, atMs: tx.clock.now() })
}

/** Asks for the next look at an open payment. The same instant is asked for once. */
export async function watchLater(tx: Tx, payment: Pick<PaymentRow, 'id' | 'openedAtMs'>): Promise<void> {
  const readyAtMs = nextLookAt(payment.openedAtMs, tx.clock.now())
  const key = `payment.watch:${payment.id}:${readyAtMs}`
  await enqueue(tx, [{ kind: 'payment.watch', key, args: { paymentId: payment.id }, readyAtMs }])
}
