import { z } from 'zod'
import { readBody, sortedText } from './body.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import { payEarly } from './pay.ts'
import { digits, findTrade, tradeBody, tradeKey } from './state.ts'
import type { Combined, Merchant, Product, Trade, World } from './state.ts'

const DAY_MS = 86_400_000
/** An order that nobody pays is closed after so long at the latest. */
export const OPEN_MS = 7 * DAY_MS
export const text = (max: number): z.ZodString => z.string().min(1).max(max)
/** A merchant's number of an order. */
export const tradeNumber = z.string().regex(/^[0-9A-Za-z_\-|*]{6,32}$/)
/** 10,000,000 yuan, for an order and for each part of a combined one (protocol sheet 2.7). */
export const MOST_FEN = 1_000_000_000

const goods = z.strictObject({
  merchant_goods_id: text(32),
  wechatpay_goods_id: text(32).optional(),
  goods_name: text(256).optional(),
  quantity: z.int().min(1),
  unit_price: z.int().min(0),
})
export const detailBody = z
  .strictObject({
    cost_price: z.int().min(0).optional(),
    invoice_id: text(32).optional(),
    goods_detail: z.array(goods).min(1).optional(),
  })
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= 6144, { error: 'at most 6144 bytes' })
const storeBody = z.strictObject({
  id: text(32),
  name: text(256).optional(),
  area_code: text(32).optional(),
  address: text(512).optional(),
})
const h5Body = z.strictObject({
  type: z.enum(['Wap', 'iOS', 'Android']),
  app_name: text(64).optional(),
  app_url: text(128).optional(),
  bundle_id: text(128).optional(),
  package_name: text(128).optional(),
})
const clientIp = z.union([z.ipv4(), z.ipv6()])
export const sceneBody = z.strictObject({
  payer_client_ip: clientIp,
  device_id: text(32).optional(),
  store_info: storeBody.optional(),
})
export const h5SceneBody = sceneBody.extend({
  payer_client_ip: clientIp.refine((ip) => ip !== '127.0.0.1' && ip !== '::1', {
    error: 'the address of the payer, not of this machine',
  }),
  h5_info: h5Body,
})
export const settleBody = z.strictObject({ profit_sharing: z.boolean().optional() })
export const noticeUrl = (max: number) =>
  z
    .url({ protocol: /^https?$/ })
    .max(max)
    .refine((url) => URL.canParse(url) && new URL(url).search === '', { error: 'without a query' })
export const expiry = z.iso.datetime({ offset: true }).max(64)

/** The fields of an order (protocol sheet 2.1); anything else is refused. */
const nativeBody = z.strictObject({
  appid: text(32),
  mchid: text(32),
  description: text(127),
  out_trade_no: tradeNumber,
  time_expire: expiry.optional(),
  attach: text(128).optional(),
  notify_url: noticeUrl(255),
  goods_tag: text(32).optional(),
  support_fapiao: z.boolean().optional(),
  amount: z.strictObject({ total: z.int().min(1), currency: z.literal('CNY').optional() }),
  detail: detailBody.optional(),
  scene_info: sceneBody.optional(),
  settle_info: settleBody.optional(),
  limit_pay: z.array(z.enum(['no_credit', 'no_balance', 'no_debit', 'balance_only'])).optional(),
})
const jsapiBody = nativeBody.extend({ payer: z.strictObject({ openid: text(128) }) })
const h5OrderBody = nativeBody.extend({ scene_info: h5SceneBody })
const bodies = { native: nativeBody, jsapi: jsapiBody, h5: h5OrderBody } as const
type OrderBody = z.infer<typeof nativeBody> & { readonly payer?: { readonly openid: string } }

/**
 * POST /v3/pay/transactions/{native|jsapi|h5}. The same number with the same parameters and product is the same order with a
 * fresh credential, as long as it is unpaid. `origin` is where payers' browsers reach the sandbox.
 */
export async function createOrder(
  world: World,
  merchant: Merchant,
  product: Product,
  raw: Buffer,
  origin: string,
): Promise<Answer> {
  const read = readBody<OrderBody>(bodies[product], raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  if (body.mchid !== merchant.mchid) return reject(400, 'PARAM_ERROR', '商户号与签名的商户号不一致')
  if (!merchant.permissions.includes('pay')) return reject(403, 'NO_AUTH', '商户无权限')
  if (!merchant.appids.includes(body.appid)) return reject(400, 'APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配')
  if (body.amount.total > MOST_FEN)
    return reject(400, 'PARAM_ERROR', '金额超过上限', { location: 'body', field: '/amount/total' })
  if (world.burned.has(tradeKey(body.mchid, body.out_trade_no))) return reject(400, 'ORDER_CLOSED', '该订单已关闭')
  const parameters = sortedText(body)
  const known = findTrade(world, body.mchid, body.out_trade_no)
  const refusal = known && repeatRefusal(known, parameters)
  if (refusal) return refusal
  const trade = known ?? place(world, product, body, parameters)
  renewCredential(world, trade)
  await payEarly(world, trade.mchid, trade.outTradeNo)
  return { status: 200, body: credentialOf(trade, origin) }
}

/** Why a number that was ordered before cannot be ordered so again; null when it can (protocol sheet 2.1, repeat rule). */
function repeatRefusal(trade: Trade, parameters: string): Answer | null {
  if (trade.state === 'CLOSED') return reject(400, 'ORDER_CLOSED', '该订单已关闭')
  if (trade.parameters !== parameters) return reject(403, 'OUT_TRADE_NO_USED', '商户订单号重复，请求重入时参数不一致')
  return trade.state === 'SUCCESS' ? reject(400, 'INVALID_REQUEST', '该订单已支付') : null
}

/** When an order closes by itself: at least a minute and at most seven days from now, whatever was asked for. */
export function expireAt(nowMs: number, asked: string | undefined): number {
  const wanted = asked === undefined ? nowMs + OPEN_MS : Date.parse(asked)
  return Math.min(Math.max(wanted, nowMs + 60_000), nowMs + OPEN_MS)
}

function place(world: World, product: Product, body: OrderBody, parameters: string): Trade {
  const now = world.now()
  const trade: Trade = {
    mchid: body.mchid,
    appid: body.appid,
    product,
    combineKey: null,
    outTradeNo: body.out_trade_no,
    description: body.description,
    total: body.amount.total,
    attach: body.attach ?? null,
    notifyUrl: body.notify_url,
    profitSharing: body.settle_info?.profit_sharing ?? false,
    parameters,
    expireAtMs: expireAt(now, body.time_expire),
    createdAtMs: now,
    ...unpaid(now),
    openid: body.payer?.openid ?? null,
  }
  world.trades.set(tradeKey(trade.mchid, trade.outTradeNo), trade)
  return trade
}

/** What nobody has paid yet. */
export function unpaid(nowMs: number) {
  return {
    state: 'NOTPAY',
    prepayId: '',
    codeUrl: '',
    credentialAtMs: nowMs,
    refundAsked: false,
    transactionId: null,
    successAtMs: null,
    openid: null,
    bankType: null,
    lastFailure: null,
  } satisfies Partial<Trade>
}

/** What a payer comes in with; whatever was given out before is void. */
export interface Credential {
  readonly product: Product
  prepayId: string
  codeUrl: string
  credentialAtMs: number
}

/** Gives out a fresh credential. */
export function renewCredential(world: World, order: Trade | Combined): void {
  for (const old of [order.prepayId, order.codeUrl]) world.entries.delete(old)
  const china = new Date(world.now() + 8 * 3_600_000).toISOString().replace(/\D/g, '').slice(2, 14)
  order.prepayId = `wx${china}${world.random(8).toString('hex')}${digits(world, 6)}`
  order.codeUrl = order.product === 'native' ? `weixin://wxpay/bizpayurl?pr=${world.random(6).toString('hex')}` : ''
  order.credentialAtMs = world.now()
  for (const given of [order.prepayId, order.codeUrl]) if (given !== '') world.entries.set(given, order)
}

const CREDENTIAL_MS: Record<Product, number> = { native: 2 * 3_600_000, jsapi: 2 * 3_600_000, h5: 5 * 60_000 }
/** Whether the credential that was given out last still lets a payer in. */
export function credentialHolds(world: World, order: Credential): boolean {
  return world.now() < order.credentialAtMs + CREDENTIAL_MS[order.product]
}

/** The credential as the answer to its order: a QR text, a prepay id, or an address. */
export function credentialOf(order: Credential, origin: string): Record<string, unknown> {
  if (order.product === 'native') return { code_url: order.codeUrl }
  if (order.product === 'jsapi') return { prepay_id: order.prepayId }
  return {
    h5_url: `${origin}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${order.prepayId}&package=${order.prepayId.slice(-10)}`,
  }
}

/** GET out-trade-no/{n} and id/{n}; parts of combined orders are not seen. */
export function queryTrade(
  world: World,
  merchant: Merchant,
  by: 'number' | 'id',
  value: string,
  mchid: string,
): Answer {
  if (mchid !== merchant.mchid) return reject(400, 'PARAM_ERROR', '商户号与签名的商户号不一致')
  const trade = by === 'number' ? findTrade(world, mchid, value) : world.paid.get(value)
  if (trade?.mchid !== mchid || trade.combineKey !== null) return reject(404, 'ORDER_NOT_EXIST', '订单不存在')
  return { status: 200, body: tradeBody(trade) }
}

/** POST out-trade-no/{n}/close: a number that was never ordered is burned, and the answer is 204 all the same. */
export function closeTrade(world: World, merchant: Merchant, outTradeNo: string, raw: Buffer): Answer {
  const read = readBody(z.strictObject({ mchid: text(32) }), raw)
  if ('refusal' in read) return read.refusal
  if (read.value.mchid !== merchant.mchid) return reject(400, 'PARAM_ERROR', '商户号与签名的商户号不一致')
  const trade = findTrade(world, merchant.mchid, outTradeNo)
  if (trade && trade.combineKey !== null) return reject(404, 'ORDER_NOT_EXIST', '订单不存在')
  if (trade?.state === 'SUCCESS') return reject(400, 'INVALID_REQUEST', '该订单已支付，不能关闭')
  if (trade) trade.state = 'CLOSED'
  else world.burned.add(tradeKey(merchant.mchid, outTradeNo))
  return { status: 204, body: null }
}
