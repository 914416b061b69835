import { sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { PayProduct, WechatPayMerchant, WechatPayPort } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import type { LockedOrder } from '../order/lock-orders.ts'
import { insertPayment } from './insert-payment.ts'
import { readCollectors, readNeeds, type CollectedBrand, type OrderBrand } from './read-needs.ts'
import { COMBINED_MOST, cutParts, WECHAT_LIFE_MS, WECHAT_MOST_FEN } from './rules.ts'
import type { PaymentRow } from './tables.ts'

/** Makes the exact bodies; pure, no network. */
export type PayBodies = Pick<WechatPayPort, 'paymentBody' | 'combinedBody'>

/** How a payer is to meet the payment. */
export interface PayScene {
  readonly product: PayProduct
  /** JSAPI: who pays, under the app that collects or combines. */
  readonly openid?: string | undefined
  /** H5 and combined payments: where the payer is. */
  readonly clientIp?: string | undefined
}

export interface WechatCharge extends PayScene {
  readonly amountFen: Fen
  /** Whose merchant is paid; without it all brands whose merchants miss money are paid at once. */
  readonly brandId?: Id<'brand'> | undefined
}

interface Share {
  readonly brand: CollectedBrand
  readonly merchant: WechatPayMerchant
  readonly amountFen: Fen
}

/**
 * Records WeChat payments for one charge of the payer, with their numbers and the exact body that every call sends: one
 * to the brand that is named or the only one that misses money; otherwise one combined payment, a sub-order for each
 * brand. Answers with the payments, the one with the body first. The caller holds the order. Refuses with
 * `malformed_request`, `payment_route_barred` (no merchant), `payment_over_needed`, `combined_unavailable`,
 * `combined_too_many`.
 */
export async function chargeWechat(
  tx: Tx,
  order: LockedOrder,
  brands: readonly OrderBrand[],
  charge: WechatCharge,
  bodies: PayBodies,
): Promise<PaymentRow[]> {
  if (charge.product === 'jsapi' && charge.openid === undefined) refuse('malformed_request', { field: 'openid' })
  if (charge.product === 'h5' && charge.clientIp === undefined) refuse('malformed_request', { field: 'clientIp' })
  const shares = await cutCharge(tx, order, await readCollectors(tx, order.id, brands), charge)
  if (shares.some((share) => share.amountFen > WECHAT_MOST_FEN)) refuse('malformed_request', { field: 'amountFen' })
  // Whole seconds, as WeChat Pay is told.
  const expiresAtMs = Math.floor((tx.clock.now() + WECHAT_LIFE_MS) / 1000) * 1000
  return shares.length === 1
    ? [await recordSingle(tx, order, shares[0]!, charge, expiresAtMs, bodies)]
    : recordCombined(tx, order, shares, charge, expiresAtMs, bodies)
}

/** What of the charge goes to which merchant. */
async function cutCharge(
  tx: Tx,
  order: LockedOrder,
  brands: readonly CollectedBrand[],
  { brandId, amountFen }: WechatCharge,
): Promise<Share[]> {
  const asked = brandId === undefined ? brands : brands.filter((brand) => brand.id === brandId)
  if (asked.length === 0) refuse('malformed_request', { field: 'brandId' })
  const taking = new Map(asked.filter((brand) => brand.merchant !== null).map((brand) => [brand.id, brand]))
  if (taking.size === 0) refuse('payment_route_barred', { field: 'brandId' })
  const needs = (await readNeeds(tx, order.id, brands)).filter((need) => taking.has(need.brandId))
  if (amountFen > sumFen(needs.map((need) => need.missingFen))) refuse('payment_over_needed', { field: 'amountFen' })
  return cutParts(amountFen, needs).map((part) => {
    const brand = taking.get(part.brandId)!
    return { brand, merchant: brand.merchant!, amountFen: part.amountFen }
  })
}

/** What a payer reads on their statement. */
export const describe = (order: { readonly id: Id<'order'> }): string => `福利卡订单 ${order.id.slice(4)}`
/** Our number of a payment at WeChat Pay. */
export const tradeNo = (id: Id<'payment'>): string => `FLK${id.slice(4)}`
/** Where the body of a payment is sealed. */
export const place = (rowId: Id<'payment'>) => ({ table: 'payment', column: 'request_sealed', rowId })

async function recordSingle(
  tx: Tx,
  order: LockedOrder,
  { brand, merchant, amountFen }: Share,
  { product, openid, clientIp }: PayScene,
  expiresAtMs: number,
  bodies: PayBodies,
): Promise<PaymentRow> {
  const id = tx.newId('payment')
  const body = bodies.paymentBody({
    product,
    merchant,
    outTradeNo: tradeNo(id),
    description: describe(order),
    total: amountFen,
    expireAtMs: expiresAtMs,
    profitSharing: true,
    ...(product === 'jsapi' ? { openid } : {}),
    ...(product === 'h5' ? { clientIp } : {}),
  })
  const seed = {
    id,
    source: 'wechat_pay',
    amountFen,
    ...merchant,
    outTradeNo: tradeNo(id),
    product,
    expiresAtMs,
  } as const
  const requestSealed = tx.house.seal.seal(place(id), body)
  return insertPayment(tx, order, { ...seed, requestSealed }, [{ brandId: brand.id, amountFen }])
}

/** A payment for each sub-order. They carry the app of whoever combines: their trades come under it. */
async function recordCombined(
  tx: Tx,
  order: LockedOrder,
  shares: readonly Share[],
  { product, openid, clientIp }: PayScene,
  expiresAtMs: number,
  bodies: PayBodies,
): Promise<PaymentRow[]> {
  const initiator = tx.house.wechatPay.platform ?? refuse('combined_unavailable', { field: 'brandId' })
  if (shares.length > COMBINED_MOST) refuse('combined_too_many', { field: 'brandId' })
  if (clientIp === undefined) refuse('malformed_request', { field: 'clientIp' })
  const ids = shares.map(() => tx.newId('payment'))
  const combineNo = `FLC${ids[0]!.slice(4)}`
  const body = bodies.combinedBody({
    product,
    initiator,
    combineNo,
    expireAtMs: expiresAtMs,
    clientIp,
    ...(product === 'jsapi' ? { openid } : {}),
    subOrders: shares.map(({ merchant, amountFen }, index) => ({
      mchid: merchant.mchid,
      outTradeNo: tradeNo(ids[index]!),
      description: describe(order),
      total: amountFen,
      profitSharing: true,
    })),
  })
  const rows: PaymentRow[] = []
  for (const [index, { brand, merchant, amountFen }] of shares.entries()) {
    const id = ids[index]!
    const merchants = { mchid: merchant.mchid, appid: initiator.appid, combineNo, combineMchid: initiator.mchid }
    const seed = {
      id,
      source: 'wechat_pay',
      amountFen,
      ...merchants,
      outTradeNo: tradeNo(id),
      product,
      expiresAtMs,
    } as const
    const requestSealed = index === 0 ? tx.house.seal.seal(place(id), body) : null
    rows.push(await insertPayment(tx, order, { ...seed, requestSealed }, [{ brandId: brand.id, amountFen }]))
  }
  return rows
}
