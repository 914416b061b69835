import { fen, splitFen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RefundPartReason, RefundRoute } from '../../../contract/refunds.ts'
import type { RefundPartState } from '../../../contract/states.ts'
import { commissionOf } from '../../../contract/commission.ts'
import type { Terms } from '../catalog/read-terms.ts'

/** WeChat Pay's limits of refunds (protocols wechat-pay 4.3). */
export const REFUND_YEAR_MS = 365 * 86_400_000
export const REFUNDS_PER_PAYMENT = 50
export const BETWEEN_REFUNDS_MS = 60_000
/** A call has ended after this long, one way or the other: only then is it asked about. */
export const CALL_MS = 10_000
/** When to ask again where no answer came: 10 s, and twice as long each time, half an hour at most. */
export const noAnswerMs = (calls: number): number => Math.min(30 * 60_000, CALL_MS * 2 ** Math.min(calls, 10))
/** How often to look where somebody else must end first. */
export const LOOK_MS = 30_000
/** How often a refund is tried again for which the merchant had too little money. */
export const NOT_ENOUGH_MS = 10 * 60_000

const laterLooksMs = [5, 10, 20, 30].map((minutes) => minutes * 60_000)
/** When to ask about a refund that WeChat Pay works on: each minute five times, then after 5, 10, 20, 30 minutes (4.2). */
export function nextPollMs(looks: number): number {
  return looks < 5 ? 60_000 : laterLooksMs[Math.min(looks - 5, laterLooksMs.length - 1)]!
}

export type PaymentSource = 'wallet' | 'wechat_pay' | 'bank_transfer' | 'credit_line'

/** By which way the money of a payment goes back. */
export function routeOf(source: PaymentSource, toWallet: boolean): RefundRoute {
  switch (source) {
    case 'wallet':
      return 'wallet'
    case 'bank_transfer':
      return 'bank'
    case 'credit_line':
      return 'credit'
    case 'wechat_pay':
      return toWallet ? 'wallet_credit' : 'wechat'
  }
}

/** Whether the payment's own source pays it: then the payment has given the money back. */
export function isSameWay(source: PaymentSource, route: RefundRoute): boolean {
  return routeOf(source, false) === route
}

/** States in which a part has the transaction for itself: nothing else of it may be under way. */
export const busyStates = ['waiting', 'returning', 'unfreezing', 'sent', 'processing', 'stuck'] as const
export const isBusy = (state: RefundPartState): boolean => (busyStates as readonly RefundPartState[]).includes(state)

/** A card's price as it was cut when the card was issued. */
export interface CutCard {
  readonly priceFen: Fen
  readonly cards: number
}
/** Who got which fen of cards of one brand. */
export interface CardCut {
  readonly priceFen: Fen
  readonly platformFen: Fen
  /** As the terms name the channels. */
  readonly channelFen: readonly Fen[]
}

/** What platform and channels had got of cards that go back, card by card as they were issued. */
export function cutOf(terms: Pick<Terms, 'platformBp' | 'channels'>, cards: readonly CutCard[]): CardCut {
  const cuts = cards.map((card) => ({ ...card, ...commissionOf(terms, card.priceFen) }))
  return {
    priceFen: sumFen(cuts.map((cut) => cut.priceFen * cut.cards)),
    platformFen: sumFen(cuts.map((cut) => cut.platformFen * cut.cards)),
    channelFen: terms.channels.map((_, index) => sumFen(cuts.map((cut) => cut.channelFen[index]! * cut.cards))),
  }
}

/** Somebody who got a share of a transaction. */
export interface Shared {
  readonly id: Id<'splitReceiver'>
  /** The merchant that received it. */
  readonly account: string
  readonly amountFen: Fen
  readonly returnedFen: Fen
  readonly state: string
}

export interface ReturnsOf {
  readonly terms: Terms
  readonly cut: CardCut
  /** The merchants of platform and brand; null: they have none, and were given nothing. */
  readonly platform: string | null
  readonly brand: string | null
  /** The fen of all parts of the brand in this refund, and the place of this one. */
  readonly parts: readonly Fen[]
  readonly at: number
  /** What merchants gave back for this part before. */
  readonly back: ReadonlyMap<string, number>
}

/**
 * What each receiver gives back for one part of a refund: what it got for these cards, cut over the parts of the brand
 * in proportion; never more than it got by this transaction and has not given back.
 */
export function returnsWanted(
  receivers: readonly Shared[],
  of: ReturnsOf,
): { receiverId: Id<'splitReceiver'>; amountFen: Fen }[] {
  const { terms, cut } = of
  const owed = new Map<string, number>()
  const owe = (account: string | null, amount: Fen) => {
    if (account !== null) owed.set(account, (owed.get(account) ?? 0) + splitFen(amount, of.parts)[of.at]!)
  }
  owe(of.platform, cut.platformFen)
  owe(of.brand, fen(cut.priceFen - cut.platformFen - sumFen(cut.channelFen)))
  terms.channels.forEach((channel, index) => owe(channel.mchid, cut.channelFen[index]!))
  for (const [account, amount] of of.back) owed.set(account, (owed.get(account) ?? 0) - amount)
  const wanted: { receiverId: Id<'splitReceiver'>; amountFen: Fen }[] = []
  for (const receiver of receivers) {
    const amount = Math.min(owed.get(receiver.account) ?? 0, receiver.amountFen - receiver.returnedFen)
    if (amount <= 0 || !gotIt(receiver)) continue
    owed.set(receiver.account, owed.get(receiver.account)! - amount)
    wanted.push({ receiverId: receiver.id, amountFen: fen(amount) })
  }
  return wanted
}

const gotIt = (receiver: Shared): boolean => ['success', 'returning', 'returned'].includes(receiver.state)

/** What a refusal of a refund says to do (protocols wechat-pay 4.4). Null: the same number is tried again later. */
export function judgeRefusal(code: string): {
  readonly to: 'stuck' | 'payout' | 'wait'
  readonly reason: RefundPartReason
} {
  switch (code) {
    case 'NOT_ENOUGH':
      return { to: 'wait', reason: 'merchant_not_enough' }
    case 'USER_ACCOUNT_ABNORMAL':
      return { to: 'stuck', reason: 'payer_account_abnormal' }
    case 'NO_AUTH':
      return { to: 'stuck', reason: 'merchant_no_auth' }
    case 'TRADE_OVERDUE':
      return { to: 'payout', reason: 'too_old' }
    default:
      return { to: 'stuck', reason: 'refused' }
  }
}

/** Why returns ended without the money (protocols wechat-pay 5.5). */
export function reasonOfReturn(failReason: string | null): RefundPartReason {
  if (failReason === 'BALANCE_NOT_ENOUGH' || failReason === 'NOT_ENOUGH') return 'receiver_not_enough'
  return failReason === 'NO_AUTH' ? 'receiver_no_auth' : 'return_failed'
}
