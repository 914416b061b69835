import { fen, splitFen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { OrderState, PaymentOutcome } from '../../../contract/states.ts'
import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'

/** How long a WeChat payment can be paid. */
export const WECHAT_LIFE_MS = 2 * 3_600_000
/** How long what the payer's device was given is good for; afterwards it is asked for anew (protocols wechat-pay 2.1). */
export const CREDENTIAL_LIFE_MS = { native: 2 * 3_600_000, jsapi: 2 * 3_600_000, h5: 5 * 60_000 } as const
/** One WeChat payment, and each sub-order of a combined one, carries at most ten million yuan (protocols wechat-pay 2.7). */
export const WECHAT_MOST_FEN = 1_000_000_000
/** So many merchants at most are paid by one combined payment (protocols wechat-pay 3). */
export const COMBINED_MOST = 10

/** What a brand of an order still misses, and how much of that is asked for in open payments to its own merchant. */
export interface Need {
  readonly brandId: Id<'brand'>
  readonly missingFen: Fen
  readonly promisedFen: Fen
}

export interface Part {
  readonly brandId: Id<'brand'>
  readonly amountFen: Fen
}

/**
 * Cuts an amount over what each brand still misses, the odd fen by largest remainder; the parts sum to the amount.
 * What a brand is promised by its own merchant's open payments is touched last: that money can go to no other brand.
 */
export function cutParts(amount: Fen, needs: readonly Need[]): Part[] {
  const free = needs.map((need) => Math.max(0, need.missingFen - need.promisedFen))
  const first = Math.min(amount, sumFen(free))
  const rest = needs.map((need, index) => need.missingFen - free[index]!)
  const shares = splitFen(fen(first), free)
  const more = splitFen(fen(amount - first), rest)
  return needs
    .map((need, index) => ({ brandId: need.brandId, amountFen: sumFen([shares[index]!, more[index]!]) }))
    .filter((part) => part.amountFen > 0)
}

/** What of a payment must be as it was opened. */
interface Sold {
  readonly mchid?: string | null | undefined
  readonly appid?: string | null | undefined
  readonly outTradeNo?: string | null | undefined
  readonly combineNo?: string | null | undefined
  readonly amountFen: Fen
}

/** Whether trades are one combined payment, whole and of one mind: each of its sub-orders once, and all paid or none. */
export function isWholeCombination(group: readonly Sold[], trades: readonly WechatPayTrade[]): boolean {
  const byNumber = new Map(trades.map((trade) => [trade.outTradeNo, trade]))
  const paid = trades.filter((trade) => trade.state === 'SUCCESS' || trade.state === 'REFUND')
  return (
    group.length >= 2 &&
    group.every((one) => typeof one.combineNo === 'string' && one.combineNo === group[0]!.combineNo) &&
    trades.length === group.length &&
    byNumber.size === group.length &&
    (paid.length === 0 || paid.length === group.length) &&
    group.every((one) => {
      const trade = byNumber.get(one.outTradeNo ?? '')
      return (
        trade !== undefined && trade.mchid === one.mchid && trade.appid === one.appid && trade.total === one.amountFen
      )
    })
  )
}

export interface Arrived {
  readonly amount: Fen
  readonly asked: Fen
  /** We had closed or given up the payment before. */
  readonly wasClosed: boolean
  readonly orderState: OrderState
  /** What may count: what the payment's brands still miss. */
  readonly needed: Fen
}

/**
 * What becomes of money that arrived: how much counts for the order, how much is surplus and waits, and the outcome's
 * name. Money is never turned away: what does not count is kept under the order's own account of overpaid money.
 */
export function judgeArrival(arrived: Arrived): { counted: Fen; surplus: Fen; outcome: PaymentOutcome } {
  const takes = arrived.orderState === 'awaiting_funds'
  const counted = fen(takes ? Math.min(arrived.amount, arrived.needed) : 0)
  return { counted, surplus: fen(arrived.amount - counted), outcome: outcomeOf(arrived, counted) }
}

function outcomeOf(arrived: Arrived, counted: number): PaymentOutcome {
  if (['cancelled', 'closed', 'refunding', 'refunded'].includes(arrived.orderState)) return 'order_closed'
  if (counted === 0) return 'duplicate'
  if (arrived.wasClosed) return 'late'
  if (counted < arrived.amount || arrived.amount > arrived.asked) return 'over'
  return arrived.amount < arrived.asked ? 'short' : 'exact'
}

const firstLooksMs = [5_000, 20_000, 80_000]
const LOOK_EVERY_MS = 180_000

/**
 * When to ask about an open payment again: 5 s, 20 s and 80 s after it was opened, then every three minutes; on the next whole
 * second, so that those of a rush are looked at together.
 */
export function nextLookAt(openedAtMs: number, nowMs: number): number {
  const age = nowMs - openedAtMs
  const last = firstLooksMs.at(-1)!
  const later = last + (Math.floor((age - last) / LOOK_EVERY_MS) + 1) * LOOK_EVERY_MS
  const step = firstLooksMs.find((one) => one > age) ?? later
  return Math.ceil((openedAtMs + step) / 1000) * 1000
}

/** No 0, 1, I, L, O, U: what a person reads and types at a bank stays itself. No W: `FLKW` begins a wallet's reference. */
const letters = '23456789ABCDEFGHJKMNPQRSTVXYZ'
const PREFIX = 'FLK'
const LENGTH = 8
const FAIR = 256 - (256 % letters.length)

/** A fresh reference for a bank transfer: `FLK` and 8 characters, 38 bits of chance. */
export function newReference(random: (bytes: number) => Buffer): string {
  let text = ''
  while (text.length < LENGTH) {
    for (const byte of random(LENGTH)) {
      // Bytes from the largest multiple of 29 on are thrown away: each letter stays equally likely.
      if (byte < FAIR && text.length < LENGTH) text += letters[byte % letters.length]!
    }
  }
  return PREFIX + text
}

/** A memo as references are looked for in it: plain capital letters, without spaces, dashes and dots. */
const plainMemo = (memo: string): string =>
  memo
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s\-_.·,:;#*/]/g, '')

/** Everything in a memo that has the form of a payment's or a wallet's reference, whatever stands around it. */
export function referencesIn(memo: string): { payments: string[]; wallets: string[] } {
  const plain = plainMemo(memo)
  const all = (pattern: RegExp) => [...new Set([...plain.matchAll(pattern)].map((match) => match[1]!))]
  return { payments: all(/(?=(FLK[2-9A-HJKMNP-TVX-Z]{8}))/g), wallets: all(/(?=(FLKW[2-9A-HJKMNP-Z]{8}))/g) }
}

/** A name of a company or person as two banks may write it: widths, brackets, case and spaces make no difference. */
export const foldName = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s\-_.·,]/g, '')

/** An account number as it is compared: its letters and digits; null where too little of it is there to mean anybody. */
export function plainAccount(account: string): string | null {
  const plain = account
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
  return plain.length < 8 ? null : plain
}
