import { randomInt } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { PlatformKey } from './seal.ts'

/** A merchant as registered with the sandbox. */
export interface Merchant {
  readonly mchid: string
  readonly appid: string
  readonly certSerial: string
  readonly publicKeyPem: string
  readonly apiV3Key: string
  readonly shortName: string
}

/** An order of a merchant. */
export interface Trade {
  readonly mchid: string
  readonly appid: string
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
  codeUrl: string
  transactionId: string | null
  successAtMs: number | null
  openid: string | null
  bankType: string | null
  lastFailure: string | null
}

export const faultKinds = [
  'notice_lose',
  'notice_delay',
  'notice_repeat',
  'notice_reorder',
  'notice_wrong_signature',
  'notice_wrong_signature_probe',
  'notice_stale',
  'delay',
  'cut_before',
  'status500_before',
  'status500_after',
  'cut_after',
  'status429',
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

/** Everything the sandbox knows; in memory only. */
export interface World {
  readonly clock: Clock
  /** The moved time of the clock; signatures go by `clock.wall`. */
  readonly now: () => number
  readonly key: PlatformKey
  readonly noticeRetryScale: number
  readonly merchants: Map<string, Merchant>
  readonly trades: Map<string, Trade>
  /** Numbers that were closed before they were ordered. */
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

/** A transaction id of 28 digits, as WeChat Pay's are. */
export function newTransactionId(nowMs: number): string {
  const day = chinaTime(nowMs).slice(0, 10).replaceAll('-', '')
  let tail = ''
  for (let i = 0; i < 10; i += 1) tail += String(randomInt(10))
  return `42000${randomInt(10_000, 99_999)}${day}${tail}`
}

const descriptions = { NOTPAY: '订单未支付', SUCCESS: '支付成功', CLOSED: '订单已关闭' }

/** The trade as a query or notice tells it. */
export function tradeBody(trade: Trade): Record<string, unknown> {
  const paid = trade.state === 'SUCCESS'
  return {
    appid: trade.appid,
    mchid: trade.mchid,
    out_trade_no: trade.outTradeNo,
    trade_state: trade.state,
    trade_state_desc: descriptions[trade.state],
    amount: paid
      ? { total: trade.total, payer_total: trade.total, currency: 'CNY', payer_currency: 'CNY' }
      : { total: trade.total, currency: 'CNY' },
    ...(paid
      ? {
          trade_type: 'NATIVE',
          transaction_id: trade.transactionId,
          bank_type: trade.bankType,
          success_time: chinaTime(trade.successAtMs ?? 0),
          payer: { openid: trade.openid },
          ...(trade.attach === null ? {} : { attach: trade.attach }),
        }
      : {}),
  }
}
