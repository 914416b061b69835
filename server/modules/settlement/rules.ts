import { fen, splitFen, sumFen, type Fen } from '../../../contract/fen.ts'
import { ofBp, type ShareTerms } from '../../../contract/commission.ts'

/** Who is to get money: `platform`, a brand's id, or a channel as `brandId.code`. */
export type Payee = string
export interface Share {
  readonly payee: Payee
  readonly fen: Fen
}
export type Party = 'platform' | 'channel' | 'brand'
export type Relation = 'SERVICE_PROVIDER' | 'DISTRIBUTOR' | 'BRAND'
/** What one merchant is to receive of a transaction in the end, and for whom. */
export interface Target {
  readonly account: string
  readonly party: Party
  readonly relation: Relation
  readonly shares: readonly Share[]
}

/** WeChat Pay's limits of one call and of one transaction (protocols wechat-pay 5.3). */
export const RECEIVERS_PER_CALL = 50
export const CALLS_PER_TRANSACTION = 50
/** One call of a transaction a second (5.6). */
export const BETWEEN_CALLS_MS = 1_000

/** What of a brand's sales in an order belongs to whom. */
export interface BrandCut {
  readonly platformFen: Fen
  /** As the terms name the channels. */
  readonly channelFen: readonly Fen[]
}

export interface TargetsOf {
  readonly brandId: string
  readonly terms: ShareTerms
  readonly cut: BrandCut
  /** What each payment of the order still holds for the brand, by payment; and which of them this is. */
  readonly nets: readonly Fen[]
  readonly index: number
  /** Of the transaction: paid less refunded. */
  readonly netFen: Fen
  readonly feeFen: Fen
  /** Who collects, who we are, and the brand's own merchant. */
  readonly mchid: string
  readonly platformMchid: string | null
  readonly brandMchid: string | null
}

/** What may be shared of a transaction at all: the granted ratio, rounded down, and never what WeChat Pay keeps. */
export const shareCap = (netFen: Fen, feeFen: Fen, maxRatioBp: number): Fen =>
  fen(Math.max(0, Math.min(ofBp(netFen, maxRatioBp), netFen - feeFen)))

/**
 * Who receives what of one transaction by profit sharing: the brand's commission in the order, cut over its payments in
 * proportion, channels before whoever gets the largest part, within the cap. What does not fit, and what belongs to
 * somebody without a merchant of their own, is left to payouts. Receivers with one merchant become one.
 */
export function targetsOf(of: TargetsOf): Target[] {
  const { terms, cut, brandId } = of
  const part = (total: Fen): Fen => cutOver(total, of.nets)[of.index]!
  const channels = terms.channels.map((channel, index): Target & { fen: Fen } => {
    const own = part(cut.channelFen[index]!)
    const shares = [{ payee: `${brandId}.${channel.code}`, fen: own }]
    return { account: channel.mchid, party: 'channel', relation: 'DISTRIBUTOR', shares, fen: own }
  })
  const platform = part(cut.platformFen)
  const rest = Math.max(0, of.nets[of.index]! - platform - sumFen(channels.map((one) => one.fen)))
  const largest: Target =
    terms.collector === 'brand'
      ? receiverOf(of.platformMchid, 'platform', 'SERVICE_PROVIDER', 'platform', platform)
      : receiverOf(of.brandMchid, 'brand', 'BRAND', brandId, fen(rest))
  const outside = [...channels, largest].filter((one) => one.account !== '' && one.account !== of.mchid)
  return mergeTargets(withinCap(outside, shareCap(of.netFen, of.feeFen, terms.maxRatioBp)))
}

const receiverOf = (account: string | null, party: Party, relation: Relation, payee: Payee, own: Fen): Target => ({
  account: account ?? '',
  party,
  relation,
  shares: [{ payee, fen: own }],
})

/** In proportion; nothing where nothing is left of any payment. */
export function cutOver(total: Fen, nets: readonly Fen[]): Fen[] {
  return nets.every((net) => net === 0) ? nets.map(() => fen(0)) : splitFen(total, nets)
}

function withinCap(targets: readonly Target[], cap: Fen): Target[] {
  let left: number = cap
  return targets.map((target) => {
    const shares = target.shares.map((share) => {
      const own = Math.min(share.fen, left)
      left -= own
      return { ...share, fen: fen(own) }
    })
    return { ...target, shares }
  })
}

function mergeTargets(targets: readonly Target[]): Target[] {
  const byAccount = new Map<string, Target>()
  for (const target of targets) {
    const shares = target.shares.filter((share) => share.fen > 0)
    if (shares.length === 0) continue
    const known = byAccount.get(target.account)
    byAccount.set(target.account, known ? { ...known, shares: [...known.shares, ...shares] } : { ...target, shares })
  }
  return [...byAccount.values()]
}

export const sumShares = (shares: readonly Share[]): Fen => sumFen(shares.map((share) => share.fen))

/**
 * The fen from `from` on, `amount` of them, of shares that lie one after another: whose they are. So any number of
 * pieces of the same shares never overlap and together are the whole.
 */
export function takeShares(shares: readonly Share[], from: number, amount: number): Share[] {
  let at = 0
  return shares.flatMap((share) => {
    const [begin, end] = [Math.max(at, from), Math.min(at + share.fen, from + amount)]
    at += share.fen
    return end > begin ? [{ payee: share.payee, fen: fen(end - begin) }] : []
  })
}

/** What WeChat Pay keeps of an amount, rounded half up. */
export const feeOf = (amount: Fen, feeBp: number): Fen =>
  fen(Number((BigInt(amount) * BigInt(feeBp) * 2n + 10_000n) / 20_000n))

/**
 * When to ask again about a call that is executed, after so many questions: denser at first, and hourly in the end. What
 * ends within an hour is seen five minutes later at most, within three hours ten (sheet 9 asks only at 22 and 82 minutes).
 * One merchant's 25 calls a second, all of them slow, come to 180 questions a second, of the 500 that WeChat Pay takes.
 */
export function nextPollMs(polls: number): number {
  const { at } = pollSteps.find((step) => polls < step.before) ?? { at: 3_600_000 }
  return at
}
const pollSteps = [
  { before: 1, at: 10_000 },
  { before: 2, at: 30_000 },
  { before: 3, at: 60_000 },
  { before: 4, at: 120_000 },
  { before: 15, at: 300_000 },
  { before: 27, at: 600_000 },
  { before: 35, at: 1_800_000 },
] as const

const returnPollsMs = [5_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000]
/** When to ask again about a return: 5 s, 30 s, 1, 5, 30 minutes, then every hour (sheet 9). */
export const nextReturnPollMs = (polls: number): number => returnPollsMs[Math.min(polls, returnPollsMs.length - 1)]!

/** How long to wait after a call whose outcome is not known, before it is asked about: longer each time. */
export const nextTryMs = (tries: number): number => Math.min(600_000, 1_000 * 2 ** Math.min(tries, 10))

/**
 * What to do about a receiver that WeChat Pay refused (protocols wechat-pay 5.2): `again` after a while, first telling of
 * the relation anew where that was the reason; `payout`: never by sharing; `person`: somebody must look.
 */
export type Reaction =
  { readonly kind: 'again'; readonly afterMs: number } | { readonly kind: 'payout' } | { readonly kind: 'person' }
const laterMs = [3_600_000, 6 * 3_600_000, 24 * 3_600_000]

export function reactTo(reason: string, times: number): Reaction {
  switch (reason) {
    case 'NO_RELATION':
    case 'INVALID_REQUEST':
      return times <= 2 ? { kind: 'again', afterMs: BETWEEN_CALLS_MS } : { kind: 'person' }
    case 'ACCOUNT_ABNORMAL':
    case 'RECEIVER_REAL_NAME_NOT_VERIFIED':
    case 'RECEIVER_RECEIPT_LIMIT':
      return times <= laterMs.length ? { kind: 'again', afterMs: laterMs[times - 1]! } : { kind: 'person' }
    case 'RECEIVER_HIGH_RISK':
      return { kind: 'payout' }
    default:
      return { kind: 'person' }
  }
}

/** A cell that no spreadsheet takes for a formula, and no reader for another row. */
export function safeCell(text: string): string {
  const plain = text.replaceAll(/[\r\n\t]+/g, ' ').trim()
  return /^[=+\-@＝＋－＠]/.test(plain) ? `'${plain}` : plain
}
