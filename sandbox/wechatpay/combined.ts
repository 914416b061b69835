import { z } from 'zod'
import { readBody, sortedText } from './body.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import * as order from './orders.ts'
import { payEarly } from './pay.ts'
import { closeCombined, combinedBody, findCombined, partsOf, tradeKey } from './state.ts'
import type { Combined, Merchant, Product, Trade, World } from './state.ts'

const { text, tradeNumber } = order
const subOrder = z.strictObject({
  mchid: text(32),
  out_trade_no: tradeNumber,
  description: text(127),
  attach: text(128),
  amount: z.strictObject({ total_amount: z.int().min(1), currency: z.literal('CNY') }),
  goods_tag: text(32).optional(),
  detail: text(6000).optional(),
  settle_info: order.settleBody.optional(),
})
/** The fields of a combined order (protocol sheet 3); anything else is refused. */
const nativeBody = z.strictObject({
  combine_appid: text(32),
  combine_mchid: text(32),
  combine_out_trade_no: tradeNumber,
  sub_orders: z.array(subOrder).min(2).max(10),
  scene_info: order.sceneBody,
  time_start: order.expiry.optional(),
  time_expire: order.expiry.optional(),
  notify_url: order.noticeUrl(255),
})
const jsapiBody = nativeBody.extend({ combine_payer_info: z.strictObject({ openid: text(128) }) })
const h5Body = nativeBody.extend({ scene_info: order.h5SceneBody })
const bodies = { native: nativeBody, jsapi: jsapiBody, h5: h5Body } as const
type CombinedBody = z.infer<typeof nativeBody> & { readonly combine_payer_info?: { readonly openid: string } }

/** POST /v3/combine-transactions/{native|jsapi|h5}. `origin` is where payers' browsers reach the sandbox. */
export async function createCombined(
  world: World,
  merchant: Merchant,
  product: Product,
  raw: Buffer,
  origin: string,
): Promise<Answer> {
  const read = readBody<CombinedBody>(bodies[product], raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  const refusal = wrongInitiator(merchant, body) ?? wrongParts(world, body)
  if (refusal) return refusal
  const key = tradeKey(body.combine_mchid, body.combine_out_trade_no)
  if (world.burned.has(key)) return reject(400, 'ORDER_CLOSED', '该订单已关闭')
  const parameters = sortedText(body)
  const known = findCombined(world, key)
  const again = known ? repeatRefusal(known, parameters) : numbersTaken(world, key, body)
  if (again) return again
  const combined = known ?? place(world, product, body, parameters)
  order.renewCredential(world, combined)
  await payEarly(world, combined.mchid, combined.outTradeNo)
  return { status: 200, body: order.credentialOf(combined, origin) }
}

function wrongInitiator(merchant: Merchant, body: CombinedBody): Answer | null {
  if (body.combine_mchid !== merchant.mchid) return reject(400, 'PARAM_ERROR', '商户号与签名的商户号不一致')
  if (!merchant.permissions.includes('combine_start')) return reject(403, 'NO_AUTH', '商户没有发起合单支付的权限')
  if (!merchant.appids.includes(body.combine_appid))
    return reject(400, 'APPID_MCHID_NOT_MATCH', 'combine_appid和combine_mchid不匹配')
  return null
}

/** All parts belong to merchants that may take part and are bound to the same app; each is at most 10,000,000 yuan. */
function wrongParts(world: World, body: CombinedBody): Answer | null {
  for (const [index, { mchid, amount }] of body.sub_orders.entries()) {
    const merchant = world.merchants.get(mchid)
    const at = (field: string) => ({ location: 'body', field: `/sub_orders/${index}/${field}` })
    if (!merchant) return reject(400, 'MCH_NOT_EXISTS', '商户号不存在', at('mchid'))
    if (!merchant.appids.includes(body.combine_appid))
      return reject(400, 'APPID_MCHID_NOT_MATCH', 'combine_appid和子单商户号不匹配', at('mchid'))
    if (!merchant.permissions.includes('pay') || !merchant.permissions.includes('combine_receive'))
      return reject(403, 'NO_AUTH', '子单商户没有合单收款的权限', at('mchid'))
    if (amount.total_amount > order.MOST_FEN)
      return reject(400, 'PARAM_ERROR', '金额超过上限', at('amount/total_amount'))
  }
  return null
}

/** A part's number is new to its merchant, and named once. */
function numbersTaken(world: World, key: string, body: CombinedBody): Answer | null {
  const seen = new Set([key])
  if (world.trades.has(key)) return reject(403, 'OUT_TRADE_NO_USED', '商户订单号重复')
  for (const part of body.sub_orders) {
    const own = tradeKey(part.mchid, part.out_trade_no)
    if (world.burned.has(own)) return reject(400, 'ORDER_CLOSED', '该订单已关闭')
    if (world.trades.has(own) || world.combined.has(own) || seen.has(own))
      return reject(403, 'OUT_TRADE_NO_USED', '子单商户订单号重复')
    seen.add(own)
  }
  return null
}

function repeatRefusal(combined: Combined, parameters: string): Answer | null {
  if (combined.state === 'CLOSED') return reject(400, 'ORDER_CLOSED', '该订单已关闭')
  if (combined.parameters !== parameters)
    return reject(403, 'OUT_TRADE_NO_USED', '合单商户订单号重复，请求重入时参数不一致')
  return combined.state === 'SUCCESS' ? reject(400, 'INVALID_REQUEST', '该订单已支付') : null
}

function place(world: World, product: Product, body: CombinedBody, parameters: string): Combined {
  const now = world.now()
  const key = tradeKey(body.combine_mchid, body.combine_out_trade_no)
  const expireAtMs = order.expireAt(now, body.time_expire)
  const openid = body.combine_payer_info?.openid ?? null
  for (const part of body.sub_orders) {
    const trade: Trade = {
      mchid: part.mchid,
      appid: body.combine_appid,
      product,
      combineKey: key,
      outTradeNo: part.out_trade_no,
      description: part.description,
      total: part.amount.total_amount,
      attach: part.attach,
      notifyUrl: body.notify_url,
      profitSharing: part.settle_info?.profit_sharing ?? false,
      parameters: '',
      expireAtMs,
      createdAtMs: now,
      ...order.unpaid(now),
    }
    world.trades.set(tradeKey(part.mchid, part.out_trade_no), trade)
  }
  const combined: Combined = {
    mchid: body.combine_mchid,
    appid: body.combine_appid,
    outTradeNo: body.combine_out_trade_no,
    product,
    notifyUrl: body.notify_url,
    parameters,
    parts: body.sub_orders.map((part) => tradeKey(part.mchid, part.out_trade_no)),
    expireAtMs,
    createdAtMs: now,
    state: 'NOTPAY',
    prepayId: '',
    codeUrl: '',
    credentialAtMs: now,
    openid,
    lastFailure: null,
  }
  world.combined.set(key, combined)
  return combined
}

/** GET out-trade-no/{n}: for who started it. */
export function queryCombined(world: World, merchant: Merchant, outTradeNo: string): Answer {
  const combined = findCombined(world, tradeKey(merchant.mchid, outTradeNo))
  if (!combined) return reject(404, 'ORDER_NOT_EXIST', '订单不存在')
  const parts = partsOf(world, combined)
  const body = combinedBody(combined, parts)
  const refunded = (body['sub_orders'] as Record<string, unknown>[]).map((told, index) =>
    parts[index]?.refundAsked === true ? { ...told, trade_state: 'REFUND' } : told,
  )
  return { status: 200, body: { ...body, sub_orders: refunded } }
}

const closeBody = z.strictObject({
  combine_appid: text(32),
  sub_orders: z
    .array(z.strictObject({ mchid: text(32), out_trade_no: tradeNumber }))
    .min(2)
    .max(10),
})

/** POST out-trade-no/{n}/close: with exactly the parts of the order, in any order. */
export function closeCombinedOrder(world: World, merchant: Merchant, outTradeNo: string, raw: Buffer): Answer {
  const read = readBody(closeBody, raw)
  if ('refusal' in read) return read.refusal
  const combined = findCombined(world, tradeKey(merchant.mchid, outTradeNo))
  if (!combined) return reject(404, 'ORDER_NOT_EXIST', '订单不存在')
  if (combined.appid !== read.value.combine_appid)
    return reject(400, 'APPID_MCHID_NOT_MATCH', 'combine_appid和combine_mchid不匹配')
  const asked = read.value.sub_orders.map((part) => tradeKey(part.mchid, part.out_trade_no))
  if (sortedText([...asked].sort()) !== sortedText([...combined.parts].sort()))
    return reject(400, 'INVALID_REQUEST', '子单信息与下单时不一致')
  if (combined.state === 'SUCCESS') return reject(400, 'INVALID_REQUEST', '该订单已支付，不能关闭')
  closeCombined(world, combined)
  return { status: 204, body: null }
}
