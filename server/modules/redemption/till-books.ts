import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { CardState, HoldState, RedemptionState } from '../../../contract/states.ts'
import type { NewActivity } from '../card/change-cards.ts'
import type { LockedCard } from '../card/lock-cards.ts'
import type { Till } from './till-acts.ts'

/** A card while acts are decided: as it was locked, and as it is to become. */
export interface CardNow {
  readonly before: LockedCard
  state: CardState
  balanceFen: number
  heldFen: number
  spentDay: number
  spentDayFen: number
  spentDayTimes: number
  spends: boolean
  readonly activities: NewActivity[]
}

export interface HoldNow {
  readonly id: Id<'hold'>
  readonly card: CardNow
  readonly amountFen: Fen
  readonly isNew: boolean
  /** The day of China on which it was set aside, and for which it counts. */
  readonly day: number
  state: HoldState
  capturedFen: number
  refundedFen: number
}

export interface RedemptionNow {
  readonly id: Id<'redemption'>
  readonly till: Omit<Till, 'tillId'> & { readonly tillId: string }
  readonly isNew: boolean
  readonly createdAtMs: number
  /** When it was read; equal to `state` for a new one. */
  readonly stateBefore: RedemptionState
  /** The till that last did something with it. */
  byTillId: string
  /** When value was last taken; null: never. Read only where an act asks for it. */
  capturedAtMs: number | null
  /** When value last moved, either way; null: none did yet. */
  movedAtMs: number | null
  state: RedemptionState
  ref: string | null
  billFen: number
  authorisedFen: number
  capturedFen: number
  refundedFen: number
  endsAtMs: number
  /** Of an opened one: the cards that were scanned. */
  scanned: readonly CardNow[]
  /** In the order in which they pay. */
  readonly holds: HoldNow[]
  changed: boolean
}

export interface MovementNow {
  readonly redemption: RedemptionNow
  readonly kind: 'capture' | 'refund' | 'undo'
  readonly amountFen: Fen
  readonly till: Till
}

/** What an issuer allows one card on one day; null: no limit. */
export interface DayLimit {
  readonly cardDayFen: number | null
  readonly cardDayTimes: number | null
}

/** All that acts of one transaction decide on, and what came of them: held in memory, written at the end. */
export interface TillBooks {
  readonly nowMs: number
  /** The day of China: 20261123. */
  readonly day: number
  readonly cards: ReadonlyMap<Id<'card'>, CardNow>
  /** The cards that a code stands for at a till of a brand: none where they changed hands since it was made. */
  readonly cardsBehind: (signed: string, brandId: Id<'brand'>) => readonly CardNow[]
  readonly limitOf: (brandId: Id<'brand'>) => DayLimit
  readonly isShiftOpen: (shiftId: Id<'shift'>) => boolean
  readonly redemptions: Map<Id<'redemption'>, RedemptionNow>
  /** What is signed of a code, to the purchase that used it up; with those of this transaction. */
  readonly usedCodes: Map<string, Id<'redemption'>>
  readonly newCodes: { readonly code: string; readonly redemptionId: Id<'redemption'> }[]
  readonly movements: MovementNow[]
  readonly newId: { readonly redemption: () => Id<'redemption'>; readonly hold: () => Id<'hold'> }
}

export const cardNow = (before: LockedCard, day: number): CardNow => ({
  before,
  state: before.state,
  balanceFen: before.balanceFen,
  heldFen: before.heldFen,
  // Another day begins at nothing.
  spentDay: day,
  spentDayFen: before.spentDay === day ? before.spentDayFen : 0,
  spentDayTimes: before.spentDay === day ? before.spentDayTimes : 0,
  spends: false,
  activities: [],
})

/**
 * Writes value off a card or back onto it, with its activity. An empty card is used up, a refilled one is not; a frozen
 * one stays frozen, though what was set aside before is taken from it.
 */
export function moveValue(card: CardNow, kind: NewActivity['kind'], amountFen: number, ref: string): void {
  card.balanceFen += amountFen
  card.activities.push({ kind, amountFen, balanceFen: fen(card.balanceFen), ref })
  if (card.balanceFen === 0 && card.state === 'active') card.state = 'exhausted'
  if (card.balanceFen > 0 && card.state === 'exhausted') card.state = 'active'
}
