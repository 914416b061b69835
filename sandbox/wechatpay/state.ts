import type { Clock } from '../clock.ts'
import type { Money } from './money-state.ts'
import type { Bills, Income } from './papers-state.ts'
import type { PlatformCertificate, PlatformKey } from './seal.ts'

/** A merchant as registered with the sandbox. */
export interface Merchant {
  readonly mchid: string
  /** The first of `appids`. */
  readonly appid: string
  /** The apps that the merchant is bound to; at most 50 (protocol sheet 2.1). */
  readonly appids: readonly string[]
  readonly certSerial: string
  readonly publicKeyPem: string
  readonly apiV3Key: string
  readonly shortName: string
  /** How it verifies WeChat Pay; `both` while it moves from certificates to the public key (protocol sheet 1.4). */
  readonly verifyBy: 'public_key' | 'certificate' | 'both'
  readonly permissions: readonly Permission[]
}

export const products = ['native', 'jsapi', 'h5'] as const
/** How a payer meets an order. */
export type Product = (typeof products)[number]

/** An order of a merchant, or one part of a combined order. */
export interface Trade {
  readonly mchid: string
  readonly appid: string
  readonly product: Product
  /** The key of the combined order that this is a part of: the ordinary query and close do not see it. */
  readonly combineKey: string | null
  readonly outTradeNo: string
  readonly description: string
  readonly total: number
  readonly attach: string | null
  readonly notifyUrl: string
  readonly profitSharing: boolean
  /** The parameters of the first call in one order of keys: a repeat must equal them. */
  readonly parameters: string
  readonly expireAtMs: number
  readonly createdAtMs: number
  state: 'NOTPAY' | 'SUCCESS' | 'CLOSED'
  /** The credential that was given out last, under which a payer comes in, and when that was. */
  prepayId: string
  codeUrl: string
  credentialAtMs: number
  /** Once a refund was asked for, the query says REFUND. */
  refundAsked: boolean
  transactionId: string | null
  successAtMs: number | null
  openid: string | null
  bankType: string | null
  lastFailure: string | null
}

/** An order of several merchants that one payer pays whole or not at all (protocol sheet 3). */
export interface Combined {
  /** The merchant that started it, and its number there. */
  readonly mchid: string
  readonly appid: string
  readonly outTradeNo: string
  readonly product: Product
  readonly notifyUrl: string
  readonly parameters: string
  /** The keys of its parts among the trades, in the order of the call. */
  readonly parts: readonly string[]
  readonly expireAtMs: number
  readonly createdAtMs: number
  state: 'NOTPAY' | 'SUCCESS' | 'CLOSED'
  prepayId: string
  codeUrl: string
  credentialAtMs: number
  openid: string | null
  lastFailure: string | null
}

export const permissions = ['pay', 'combine_start', 'combine_receive'] as const
/** What a merchant may do besides; it has all unless some are withdrawn. */
export type Permission = (typeof permissions)[number]

export const faultKinds = [
  'notice_lose',
  'notice_delay',
  'notice_early',
  'notice_repeat',
  'notice_again',
  'notice_reorder',
  'notice_wrong_signature',
  'notice_wrong_signature_probe',
  'notice_stale',
  'notice_serial',
  'notice_cipher',
  'notice_body',
  'notice_merchant',
  'notice_appid',
  'notice_amount',
  'notice_unknown_order',
  'notice_event',
  'notice_profitsharing',
  'notice_xml',
  'delay',
  'cut_before',
  'timeout_before',
  'status429',
  'status500_before',
  'status502_before',
  'status429_after',
  'status500_after',
  'status502_after',
  'cut_after',
  'timeout_after',
  'truncated_after',
  'broken_response_signature',
] as const

/** A fault that was switched on; gone after `times` uses. */
export interface Fault {
  readonly kind: (typeof faultKinds)[number]
  /** Matches when the request's path holds this text (notices: the notify_url). */
  readonly path: string | null
  times: number
  readonly delayMs: number
  readonly copies: number
}

/** A notice on its way, in the form that `fetch` takes. */
export interface PostedNotice {
  readonly method: 'POST'
  readonly headers: Record<string, string>
  readonly body: string
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

/** Everything the sandbox knows; in memory only. */
export interface World {
  readonly clock: Clock
  /** The moved time of the clock; signatures go by `clock.wall`. */
  readonly now: () => number
  readonly key: PlatformKey
  /** The key that a merchant's next notice is signed with. */
  readonly keyFor: (merchant: Merchant) => PlatformKey
  /** Platform certificates, the newest last; two during a rotation. Made when they are first needed. */
  certificates: PlatformCertificate[]
  /** How many of a thousand notices go by the public key while a merchant moves to it. */
  publicKeyPermille: number
  /** By how much WeChat Pay's clock differs from ours, in ms. */
  skewMs: number
  readonly noticeRetryScale: number
  /** Sends a notice; a simulator without a network puts its own in. */
  readonly post: (url: string, init: PostedNotice) => Promise<{ readonly status: number }>
  /** Random bytes; a simulator puts its own in. */
  readonly random: (bytes: number) => Buffer
  readonly merchants: Map<string, Merchant>
  readonly trades: Map<string, Trade>
  /** Combined orders by `tradeKey` of who started them. */
  readonly combined: Map<string, Combined>
  /** Orders by the credential that was given out last, a prepay id or the text of a QR code. */
  readonly entries: Map<string, Trade | Combined>
  /** Paid orders, also parts of combined ones, by their transaction id. */
  readonly paid: Map<string, Trade>
  /** Accounts, shares, returns and refunds. */
  readonly money: Money
  readonly bills: Bills
  /** Transfers from banks, the oldest first. */
  readonly income: Income[]
  /** Keys of numbers that were closed before they were ordered. */
  readonly burned: Set<string>
  readonly log: Record<string, unknown>[]
  faults: Fault[]
  /** Notices that wait to be sent in reverse. */
  held: (() => Promise<void>)[]
}

/** The key of an order: numbers are unique per merchant. */
export function tradeKey(mchid: string, outTradeNo: string): string {
  return `${mchid} ${outTradeNo}`
}

/** Finds an order and closes it first when its time is over. */
export function findTrade(world: World, mchid: string, outTradeNo: string): Trade | undefined {
  const trade = world.trades.get(tradeKey(mchid, outTradeNo))
  if (trade && trade.state === 'NOTPAY' && world.now() >= trade.expireAtMs) trade.state = 'CLOSED'
  return trade
}

/** Finds a combined order and closes it first when its time is over. */
export function findCombined(world: World, key: string): Combined | undefined {
  const combined = world.combined.get(key)
  if (combined && combined.state === 'NOTPAY' && world.now() >= combined.expireAtMs) closeCombined(world, combined)
  return combined
}

/** The parts of a combined order, in the order of the call. */
export function partsOf(world: World, combined: Combined): Trade[] {
  return combined.parts.flatMap((key) => world.trades.get(key) ?? [])
}

/** Closes a combined order with all its parts. */
export function closeCombined(world: World, combined: Combined): void {
  combined.state = 'CLOSED'
  for (const part of partsOf(world, combined)) part.state = 'CLOSED'
}

/** Uses up one matching fault, if any is on. */
export function takeFault(world: World, kinds: readonly Fault['kind'][], path: string): Fault | null {
  const fault = world.faults.find((one) => kinds.includes(one.kind) && (one.path === null || path.includes(one.path)))
  if (!fault) return null
  fault.times -= 1
  if (fault.times <= 0) world.faults = world.faults.filter((one) => one !== fault)
  return fault
}

/** Adds a line to the log; the oldest go after 5,000. */
export function note(world: World, line: Record<string, unknown>): void {
  world.log.push({ atMs: world.now(), ...line })
  if (world.log.length > 5000) world.log.shift()
}

/** RFC 3339 in China's time. */
export function chinaTime(ms: number): string {
  return `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`
}

/** Decimal digits of the world's chance. */
export function digits(world: Pick<World, 'random'>, count: number): string {
  return [...world.random(count)].map((byte) => String(byte % 10)).join('')
}

/** A number of WeChat Pay's own: a prefix, the day in China, and digits, 28 in all for a transaction. */
export function newPlatformId(world: Pick<World, 'random' | 'now'>, prefix: string, length = 28): string {
  const day = chinaTime(world.now()).slice(0, 10).replaceAll('-', '')
  return `${prefix}${day}${digits(world, length - prefix.length - day.length)}`
}

/** A transaction id of 28 digits, as WeChat Pay's are. */
export function newTransactionId(world: Pick<World, 'random' | 'now'>): string {
  return newPlatformId(world, `42000${digits(world, 5)}`)
}

const descriptions = { NOTPAY: '订单未支付', SUCCESS: '支付成功', CLOSED: '订单已关闭', REFUND: '转入退款' }
/** As queries, notices and bills write a product. */
export const tradeTypes: Record<Product, string> = { native: 'NATIVE', jsapi: 'JSAPI', h5: 'MWEB' }

/** The trade as a query tells it: paid ones with their transaction, REFUND once a refund was asked for. */
export function tradeBody(trade: Trade): Record<string, unknown> {
  const paid = trade.state === 'SUCCESS'
  const state = paid && trade.refundAsked ? 'REFUND' : trade.state
  return {
    appid: trade.appid,
    mchid: trade.mchid,
    out_trade_no: trade.outTradeNo,
    trade_state: state,
    trade_state_desc: descriptions[state],
    amount: paid
      ? { total: trade.total, payer_total: trade.total, currency: 'CNY', payer_currency: 'CNY' }
      : { total: trade.total, currency: 'CNY' },
    ...(paid
      ? {
          trade_type: tradeTypes[trade.product],
          transaction_id: trade.transactionId,
          bank_type: trade.bankType,
          success_time: chinaTime(trade.successAtMs ?? 0),
          payer: { openid: trade.openid },
          ...(trade.attach === null ? {} : { attach: trade.attach }),
        }
      : {}),
  }
}

/** A combined order as its query or notice tells it: unpaid parts lack their transaction. */
export function combinedBody(combined: Combined, parts: readonly Trade[]): Record<string, unknown> {
  const paid = combined.state === 'SUCCESS'
  return {
    combine_appid: combined.appid,
    combine_mchid: combined.mchid,
    combine_out_trade_no: combined.outTradeNo,
    ...(paid ? { combine_payer_info: { openid: combined.openid } } : {}),
    sub_orders: parts.map((part) => ({
      mchid: part.mchid,
      out_trade_no: part.outTradeNo,
      trade_state: part.state,
      attach: part.attach,
      amount: paid
        ? { total_amount: part.total, payer_amount: part.total, currency: 'CNY', payer_currency: 'CNY' }
        : { total_amount: part.total, currency: 'CNY' },
      ...(paid
        ? {
            trade_type: tradeTypes[part.product],
            transaction_id: part.transactionId,
            bank_type: part.bankType,
            success_time: chinaTime(part.successAtMs ?? 0).replace('+', '.000+'),
          }
        : {}),
    })),
  }
}
