import type { PackCard } from '../../contract/employee/pack.ts'

const DAY_MS = 86_400_000
/** A card that ends within this many days is shown as ending soon. */
const SOON_DAYS = 30

export type Group = 'usable' | 'soon' | 'used'

/** Days until a card's validity ends, begun days counted whole; null for a card without an end. */
export function daysLeft(card: Pick<PackCard, 'expiresAtMs'>, nowMs: number): number | null {
  return card.expiresAtMs === null ? null : Math.max(0, Math.ceil((card.expiresAtMs - nowMs) / DAY_MS))
}

/** Where a card stands in the pack. Locked and frozen cards will be usable again, so they stay with those. */
export function groupOf(card: Pick<PackCard, 'view' | 'expiresAtMs'>, nowMs: number): Group {
  if (['exhausted', 'expired', 'refunded', 'void'].includes(card.view)) return 'used'
  const left = daysLeft(card, nowMs)
  if (left === 0) return 'used'
  return left !== null && left <= SOON_DAYS ? 'soon' : 'usable'
}

/** The pack in its three groups; the soonest to end first, the others as they came. */
export function groupCards(
  cards: readonly PackCard[],
  nowMs: number,
): readonly { readonly group: Group; readonly cards: readonly PackCard[] }[] {
  const of = (group: Group): PackCard[] => cards.filter((card) => groupOf(card, nowMs) === group)
  const soon = of('soon').sort((a, b) => (a.expiresAtMs ?? 0) - (b.expiresAtMs ?? 0))
  const groups = [
    { group: 'soon', cards: soon },
    { group: 'usable', cards: of('usable') },
    { group: 'used', cards: of('used') },
  ] as const
  return groups.filter((one) => one.cards.length > 0)
}

/** A card number in groups of four, as printed. */
export function spaced(number: string): string {
  return number.replace(/(.{4})(?=.)/g, '$1 ')
}
