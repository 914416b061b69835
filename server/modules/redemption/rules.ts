import type { ErrorCode } from '../../../contract/error-codes.ts'
import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { CardNow, DayLimit } from './till-books.ts'

/** Why a card does not pay here now; null: it may. The lock and the end count to the millisecond. */
export function whyNot(card: CardNow, brandId: Id<'brand'>, nowMs: number): ErrorCode | null {
  if (card.before.brandId !== brandId) return 'card_foreign'
  if (card.state === 'frozen') return 'card_frozen'
  if (card.state !== 'active') return 'card_ended'
  if (nowMs < card.before.lockedUntilMs) return 'card_locked'
  const end = card.before.expiresAtMs
  return end !== null && nowMs >= end ? 'card_expired' : null
}

/** What a card that may pay can give now: what is free on it, within its issuer's limits of a day. */
export function freeOn(card: CardNow, limit: DayLimit): Fen {
  if (limit.cardDayTimes !== null && card.spentDayTimes >= limit.cardDayTimes) return fen(0)
  const left = limit.cardDayFen === null ? Infinity : Math.max(0, limit.cardDayFen - card.spentDayFen)
  return fen(Math.min(card.balanceFen - card.heldFen, left))
}

/**
 * In which order cards pay: soonest to expire, then the smaller balance, then the older card. Those that never expire
 * come last.
 */
export function payingOrder(cards: readonly CardNow[]): CardNow[] {
  const end = (card: CardNow): number => card.before.expiresAtMs ?? Infinity
  return cards.toSorted((a, b) =>
    end(a) !== end(b)
      ? end(a) - end(b)
      : a.balanceFen !== b.balanceFen
        ? a.balanceFen - b.balanceFen
        : a.before.id < b.before.id
          ? -1
          : 1,
  )
}

/**
 * Cuts an amount over what stands in a row, each giving what it has until nothing is left to give. The parts sum to the
 * amount; throws RangeError when there is not enough.
 */
export function takeInTurn<T>(
  amount: number,
  from: readonly T[],
  has: (one: T) => number,
): { readonly one: T; readonly fen: Fen }[] {
  let left = amount
  const parts: { one: T; fen: Fen }[] = []
  for (const one of from) {
    const part = Math.min(left, has(one))
    if (part > 0) parts.push({ one, fen: fen(part) })
    left -= part
  }
  if (left > 0) throw new RangeError(`${left} fen are missing`)
  return parts
}
