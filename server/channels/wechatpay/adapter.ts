import { OutsideError } from '../../kernel/outside.ts'
import type { NativeOrder, WechatPayMerchant, WechatPayPort, WechatPayTrade } from '../ports.ts'
import { refusal } from './answer.ts'
import { answerText, authorization, verifyText } from './crypto.ts'
import type { MerchantCredentials } from './crypto.ts'
import { openNotice } from './notice.ts'
import { readJson, readTrade } from './trade.ts'

/** How the house speaks with WeChat Pay. */
export interface WechatPayOptions {
  readonly baseUrl: string
  readonly merchants: readonly MerchantCredentials[] | ((mchid: string) => MerchantCredentials | null)
  /** Needed beside a function in `merchants`: whose APIv3 keys are tried on a notice. */
  readonly noticeMerchants?: () => readonly MerchantCredentials[]
  /** PEM by id; the first entry is the one that answers are asked to be signed with. */
  readonly platformKeys: Readonly<Record<string, string>>
  readonly notifyUrl: string
  readonly now: () => number
  readonly random: (length: number) => Buffer
  readonly fetch?: typeof globalThis.fetch
  readonly timeoutMs?: number
}

interface Call {
  readonly merchant: WechatPayMerchant
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body: string
}

const ORDER_PATH = '/v3/pay/transactions/out-trade-no'

/** The port to WeChat Pay over API v3. Requests are signed per merchant; every 2xx is verified before it is believed. */
export function wechatPayAdapter(options: WechatPayOptions): WechatPayPort {
  return {
    prepareNative: (order) => prepareNative(options, order),
    query: (merchant, outTradeNo) => query(options, merchant, outTradeNo),
    close: async (merchant, outTradeNo) => {
      const path = `${ORDER_PATH}/${encodeURIComponent(outTradeNo)}/close`
      await call(options, { merchant, method: 'POST', path, body: JSON.stringify({ mchid: merchant.mchid }) })
    },
    openNotice: (headers, raw) =>
      openNotice(headers, raw, {
        platformKeys: options.platformKeys,
        apiV3Keys: noticeMerchants(options).map((merchant) => merchant.apiV3Key),
        nowMs: options.now(),
      }),
  }
}

async function prepareNative(options: WechatPayOptions, order: NativeOrder): Promise<{ codeUrl: string }> {
  const body = JSON.stringify({
    appid: order.merchant.appid,
    mchid: order.merchant.mchid,
    description: order.description,
    out_trade_no: order.outTradeNo,
    time_expire: chinaTime(order.expireAtMs),
    notify_url: options.notifyUrl,
    amount: { total: order.total, currency: 'CNY' },
    settle_info: { profit_sharing: order.profitSharing },
  })
  const path = '/v3/pay/transactions/native'
  const answer = readJson(await call(options, { merchant: order.merchant, method: 'POST', path, body }))
  const codeUrl = (answer as { code_url?: unknown } | null | undefined)?.code_url
  if (typeof codeUrl !== 'string' || codeUrl === '') throw malformed()
  return { codeUrl }
}

async function query(
  options: WechatPayOptions,
  merchant: WechatPayMerchant,
  outTradeNo: string,
): Promise<WechatPayTrade | null> {
  const path = `${ORDER_PATH}/${encodeURIComponent(outTradeNo)}?mchid=${encodeURIComponent(merchant.mchid)}`
  let text: string
  try {
    text = await call(options, { merchant, method: 'GET', path, body: '' })
  } catch (error) {
    if (error instanceof OutsideError && error.code === 'ORDER_NOT_EXIST') return null
    throw error
  }
  const trade = readTrade(readJson(text))
  if (trade === null || trade.outTradeNo !== outTradeNo || trade.mchid !== merchant.mchid) throw malformed()
  return trade
}

async function call(options: WechatPayOptions, request: Call): Promise<string> {
  const merchant = credentialsOf(options, request.merchant)
  const seconds = Math.floor(options.now() / 1000)
  const nonce = options.random(16).toString('hex').toUpperCase()
  const serial = Object.keys(options.platformKeys)[0]
  const { status, headers, raw } = await send(options, request, {
    accept: 'application/json',
    'user-agent': 'fulika/0.1',
    authorization: authorization(merchant, { ...request, seconds, nonce }),
    ...(serial === undefined ? {} : { 'wechatpay-serial': serial }),
    ...(request.body === '' ? {} : { 'content-type': 'application/json' }),
  })
  if (status < 200 || status > 299) throw refusal(status, raw, headers.get('retry-after'))
  if (!isSigned(options, headers, raw)) {
    throw new OutsideError('unknown', 'RESPONSE_SIGNATURE', 'the answer of WeChat Pay is not signed as it must be')
  }
  return raw.toString('utf8')
}

async function send(
  options: WechatPayOptions,
  request: Call,
  headers: Record<string, string>,
): Promise<{ status: number; headers: Headers; raw: Buffer }> {
  try {
    const response = await (options.fetch ?? globalThis.fetch)(options.baseUrl + request.path, {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs ?? 8000),
      ...(request.method === 'POST' ? { body: request.body } : {}),
    })
    return { status: response.status, headers: response.headers, raw: Buffer.from(await response.arrayBuffer()) }
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    throw new OutsideError('unknown', timedOut ? 'TIMEOUT' : 'NETWORK', 'WeChat Pay gave no whole answer')
  }
}

function isSigned(options: WechatPayOptions, headers: Headers, raw: Buffer): boolean {
  const seconds = headers.get('wechatpay-timestamp') ?? ''
  const serial = headers.get('wechatpay-serial') ?? ''
  const key = Object.hasOwn(options.platformKeys, serial) ? options.platformKeys[serial] : undefined
  if (key === undefined || !/^\d{1,12}$/.test(seconds)) return false
  if (Math.abs(options.now() - Number(seconds) * 1000) >= 5 * 60_000) return false
  const text = answerText(seconds, headers.get('wechatpay-nonce') ?? '', raw)
  return verifyText(text, headers.get('wechatpay-signature') ?? '', key)
}

function credentialsOf(options: WechatPayOptions, merchant: WechatPayMerchant): MerchantCredentials {
  const { merchants } = options
  const found =
    typeof merchants === 'function'
      ? merchants(merchant.mchid)
      : merchants.find((candidate) => candidate.mchid === merchant.mchid)
  if (!found) throw new OutsideError('broken', 'MERCHANT_UNKNOWN', `no credentials for merchant ${merchant.mchid}`)
  return found
}

function noticeMerchants(options: WechatPayOptions): readonly MerchantCredentials[] {
  if (options.noticeMerchants) return options.noticeMerchants()
  return typeof options.merchants === 'function' ? [] : options.merchants
}

function malformed(): OutsideError {
  return new OutsideError('unknown', 'MALFORMED', 'the answer of WeChat Pay cannot be read')
}

/** RFC 3339 in China's time, whole seconds. */
function chinaTime(ms: number): string {
  return `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`
}
