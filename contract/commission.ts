import { fen, type Fen } from './fen.ts'

/** Somebody besides brand and platform who gets a share of a card's price, by the merchant that receives it. */
export interface Channel {
  readonly code: string
  readonly name: string
  readonly mchid: string
  readonly bp: number
}

/** What decides who gets which fen of a card's price. */
export interface ShareTerms {
  readonly collector: 'brand' | 'platform'
  readonly platformBp: number
  readonly channels: readonly Channel[]
  readonly maxRatioBp: number
}

/** A card's price, cut: the three sum to it. */
export interface Commission {
  readonly platformFen: Fen
  /** As the terms name the channels. */
  readonly channelFen: readonly Fen[]
  readonly brandFen: Fen
}

/** What `bp` basis points of an amount are, rounded down. */
export const ofBp = (amount: Fen, bp: number): Fen => fen(Number((BigInt(amount) * BigInt(bp)) / 10_000n))

/**
 * Cuts a card's price: platform and each channel get their basis points rounded down, the brand gets the rest with every
 * odd fen. Per card, so that taking one card back reverses exactly what it brought.
 */
export function commissionOf(terms: Pick<ShareTerms, 'platformBp' | 'channels'>, price: Fen): Commission {
  const platformFen = ofBp(price, terms.platformBp)
  const channelFen = terms.channels.map((channel) => ofBp(price, channel.bp))
  const brandFen = fen(price - platformFen - channelFen.reduce<number>((sum, part) => sum + part, 0))
  return { platformFen, channelFen, brandFen }
}

/**
 * The first field of terms that cannot be kept, or null. Whoever does not collect is a receiver, and receivers together
 * stay within what WeChat Pay granted the collecting merchant (30 % by default, protocols wechat-pay 0 and 5.3).
 */
export function faultOfTerms(
  terms: ShareTerms,
): { field: string; code: 'malformed_request' | 'ratio_over_cap' } | null {
  const bp = (value: number) => Number.isSafeInteger(value) && value >= 0 && value <= 10_000
  const { platformBp, channels, maxRatioBp, collector } = terms
  const channelBp = channels.reduce((sum, channel) => sum + channel.bp, 0)
  if (!bp(maxRatioBp)) return { field: 'maxRatioBp', code: 'malformed_request' }
  if (!bp(platformBp)) return { field: 'platformBp', code: 'malformed_request' }
  if (channels.some((channel) => !bp(channel.bp) || channel.bp === 0) || platformBp + channelBp > 10_000)
    return { field: 'channels', code: 'malformed_request' }
  if (new Set(channels.map((channel) => channel.code)).size !== channels.length)
    return { field: 'channels', code: 'malformed_request' }
  const shared = collector === 'brand' ? platformBp + channelBp : 10_000 - platformBp
  return shared > maxRatioBp ? { field: 'maxRatioBp', code: 'ratio_over_cap' } : null
}
