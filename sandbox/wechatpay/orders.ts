import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import { findTrade, tradeBody, tradeKey } from './state.ts'
import type { Merchant, Trade, World } from './state.ts'

const DAY_MS = 86_400_000
const text = (max: number): z.ZodString => z.string().min(1).max(max)

/** The fields of a Native order (protocol sheet 2.1); anything else is refused. */
const nativeBody = z.strictObject({
  appid: text(32),
  mchid: text(32),
  description: text(127),
  out_trade_no: z.string().regex(/^[0-9A-Za-z_\-|*]{6,32}$/),
  time_expire: z.iso.datetime({ offset: true }).max(64).optional(),
  attach: text(128).optional(),
  notify_url: z.url({ protocol: /^https?$/ }).max(255),
  goods_tag: text(32).optional(),
  support_fapiao: z.boolean().optional(),
  amount: z.strictObject({ total: z.int().min(1).max(1_000_000_000), currency: z.literal('CNY').optional() }),
  detail: z.record(z.string(), z.unknown()).optional(),
  scene_info: z.record(z.string(), z.unknown()).optional(),
  settle_info: z.strictObject({ profit_sharing: z.boolean().optional() }).optional(),
  limit_pay: z.array(z.enum(['no_credit', 'no_balance', 'no_debit', 'balance_only'])).optional(),
})
type NativeBody = z.infer<typeof nativeBody>

/** JSON of the raw bytes, or undefined. */
function readJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

function badParameters(error: z.ZodError): Answer {
  const issue = error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    const pointers = issue.keys.map((key) => `/${[...issue.path, key].join('/')}`)
    return reject(400, 'PARAM_ERROR', '请求中含有未在API文档中定义的参数', {
      location: 'body',
      field: pointers[0],
      value: pointers,
      issue: 'undefined field',
    })
  }
  const detail = { location: 'body', field: `/${(issue?.path ?? []).join('/')}`, issue: issue?.message ?? '' }
  return reject(400, 'PARAM_ERROR', '参数错误', detail)
}

/** POST /v3/pay/transactions/native. */
export function createNative(world: World, merchant: Merchant, raw: Buffer): Answer {
  const parsed = nativeBody.safeParse(readJson(raw))
  if (!parsed.success) return badParameters(parsed.error)
  const body = parsed.data
  if (new URL(body.notify_url).search !== '') {
    return reject(400, 'PARAM_ERROR', '回调地址不能携带参数', { location: 'body', field: '/notify_url' })
  }
  if (body.mchid !== merchant.mchid) return reject(400, 'PARAM_ERROR', '商户号与签名的商户号不一致')
  if (body.appid !== merchant.appid) return reject(400, 'APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配')
  if (world.burned.has(tradeKey(body.mchid, body.out_trade_no))) return reject(400, 'ORDER_CLOSED', '该订单已关闭')
  const trade = findTrade(world, body.mchid, body.out_trade_no)
  if (!trade) return { status: 200, body: { code_url: place(world, body).codeUrl } }
  if (trade.state === 'CLOSED') return reject(400, 'ORDER_CLOSED', '该订单已关闭')
  if (trade.parameters !== sorted(body)) return reject(403, 'OUT_TRADE_NO_USED', '商户订单号重复，请求重入时参数不一致')
  if (trade.state === 'SUCCESS') return reject(400, 'INVALID_REQUEST', '该订单已支付')
  trade.codeUrl = newCodeUrl()
  return { status: 200, body: { code_url: trade.codeUrl } }
}

function place(world: World, body: NativeBody): Trade {
  const now = world.now()
  const asked = body.time_expire === undefined ? now + 7 * DAY_MS : Date.parse(body.time_expire)
  const trade: Trade = {
    mchid: body.mchid,
    appid: body.appid,
    outTradeNo: body.out_trade_no,
    description: body.description,
    total: body.amount.total,
    attach: body.attach ?? null,
    notifyUrl: body.notify_url,
    profitSharing: body.settle_info?.profit_sharing ?? false,
    parameters: sorted(body),
    expireAtMs: Math.min(Math.max(asked, now + 60_000), now + 7 * DAY_MS),
    createdAtMs: now,
    state: 'NOTPAY',
    codeUrl: newCodeUrl(),
    transactionId: null,
    successAtMs: null,
    openid: null,
    bankType: null,
    lastFailure: null,
  }
  world.trades.set(tradeKey(trade.mchid, trade.outTradeNo), trade)
  return trade
}

function newCodeUrl(): string {
  return `weixin://wxpay/bizpayurl?pr=${randomBytes(6).toString('hex')}`
}

/** The same text for the same parameters, whatever the order of their keys. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${pairs.map(([key, inner]) => `${JSON.stringify(key)}:${sorted(inner)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

/** GET out-trade-no/{n} and id/{n}. */
export function queryTrade(
  world: World,
  merchant: Merchant,
  by: 'number' | 'id',
  value: string,
  mchid: string,
): Answer {
  if (mchid !== merchant.mchid) return reject(400, 'PARAM_ERROR', '商户号与签名的商户号不一致')
  const trade =
    by === 'number'
      ? findTrade(world, mchid, value)
      : [...world.trades.values()].find((one) => one.mchid === mchid && one.transactionId === value)
  return trade ? { status: 200, body: tradeBody(trade) } : reject(404, 'ORDER_NOT_EXIST', '订单不存在')
}

/** POST out-trade-no/{n}/close: a number that was never ordered is burned, and the answer is 204 all the same. */
export function closeTrade(world: World, merchant: Merchant, outTradeNo: string, raw: Buffer): Answer {
  const parsed = z.strictObject({ mchid: text(32) }).safeParse(readJson(raw))
  if (!parsed.success) return badParameters(parsed.error)
  if (parsed.data.mchid !== merchant.mchid) return reject(400, 'PARAM_ERROR', '商户号与签名的商户号不一致')
  const trade = findTrade(world, merchant.mchid, outTradeNo)
  if (trade?.state === 'SUCCESS') return reject(400, 'INVALID_REQUEST', '该订单已支付，不能关闭')
  if (trade) trade.state = 'CLOSED'
  else world.burned.add(tradeKey(merchant.mchid, outTradeNo))
  return { status: 204, body: null }
}
