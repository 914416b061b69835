import { fen, type Fen } from '../../../contract/fen.ts'
import { redemptionMoves, type RedemptionState } from '../../../contract/states.ts'
import { refuseAct } from './act-refused.ts'
import { freeOn, takeInTurn } from './rules.ts'
import type { Till } from './till-acts.ts'
import { moveValue, type CardNow, type HoldNow, type RedemptionNow, type TillBooks } from './till-books.ts'

/** Sets an amount aside on cards that have it free, in the order given: a hold a card. Posts nothing. */
export function setAside(books: TillBooks, redemption: RedemptionNow, amount: Fen, cards: readonly CardNow[]): void {
  const limit = books.limitOf(redemption.till.brandId)
  for (const { one: card, fen: part } of takeInTurn(amount, cards, (card) => freeOn(card, limit))) {
    card.heldFen += part
    card.spentDayFen += part
    card.spentDayTimes += 1
    card.spends = true
    const amounts = { amountFen: part, capturedFen: 0, refundedFen: 0 }
    redemption.holds.push({ id: books.newId.hold(), card, ...amounts, isNew: true, day: books.day, state: 'held' })
  }
  redemption.authorisedFen = amount
  step(redemption, 'held')
}

/** Takes an amount of what is set aside, from the cards in their order. Refuses what is 0 or more than that. */
export function takeHeld(books: TillBooks, redemption: RedemptionNow, amount: Fen, till: Till): void {
  if (amount < 1) refuseAct('amount_not_valid', { field: 'amountFen' })
  const left = fen(redemption.authorisedFen - redemption.capturedFen)
  if (amount > left) refuseAct('amount_over_authorised', { field: 'amountFen', availableFen: left })
  for (const { one: hold, fen: part } of takeInTurn(amount, redemption.holds, leftOf)) {
    hold.capturedFen += part
    hold.card.heldFen -= part
    moveValue(hold.card, 'capture', 0 - part, redemption.id)
  }
  redemption.capturedFen += amount
  redemption.capturedAtMs = books.nowMs
  redemption.byTillId = till.tillId
  redemption.movedAtMs = books.nowMs
  redemption.changed = true
  books.movements.push({ redemption, kind: 'capture', amountFen: amount, till })
}

/** Ends a purchase: what is set aside and not taken goes back. Where something was taken, it stays taken. */
export function closeRest(
  books: TillBooks,
  redemption: RedemptionNow,
  to: 'captured' | 'voided' | 'timed_out',
): RedemptionNow {
  for (const hold of redemption.holds.filter(({ state }) => state === 'held')) {
    const rest = leftOf(hold)
    hold.card.heldFen -= rest
    uncount(books, hold, rest, hold.capturedFen === 0)
    hold.state = hold.capturedFen > 0 ? 'captured' : to === 'captured' ? 'voided' : to
  }
  step(redemption, redemption.capturedFen > 0 ? 'captured' : to)
  return redemption
}

/** Gives back of what was taken: the card that paid last gets its part first, none more than it paid. */
export function giveBack(
  books: TillBooks,
  redemption: RedemptionNow,
  amount: Fen,
  kind: 'refund' | 'undo',
  till: Till,
): RedemptionNow {
  if (amount < 1) refuseAct('amount_not_valid', { field: 'amountFen' })
  const left = fen(redemption.capturedFen - redemption.refundedFen)
  if (amount > left) refuseAct('refund_over_capture', { field: 'amountFen', availableFen: left })
  const parts = takeInTurn(amount, redemption.holds.toReversed(), (hold) => hold.capturedFen - hold.refundedFen)
  if (parts.some(({ one }) => one.card.state === 'refunded' || one.card.state === 'void')) refuseAct('card_ended')
  for (const { one: hold, fen: part } of parts) {
    hold.refundedFen += part
    // A slip of the hand does not count for the day; what is brought back later does.
    if (kind === 'undo') uncount(books, hold, part, true)
    moveValue(hold.card, kind === 'undo' ? 'capture_undo' : 'capture_refund', part, redemption.id)
  }
  redemption.refundedFen += amount
  redemption.byTillId = till.tillId
  redemption.movedAtMs = books.nowMs
  step(redemption, redemption.refundedFen === redemption.capturedFen ? 'refunded' : 'part_refunded')
  books.movements.push({ redemption, kind, amountFen: amount, till })
  return redemption
}

/** What came to nothing does not count for the day on which it was set aside; for a day that is over nothing counts any more. */
function uncount(books: TillBooks, hold: HoldNow, amountFen: number, wholly: boolean): void {
  if (hold.day !== books.day) return
  hold.card.spentDayFen -= amountFen
  if (wholly) hold.card.spentDayTimes -= 1
}

const leftOf = (hold: HoldNow): number => (hold.state === 'held' ? hold.amountFen - hold.capturedFen : 0)

function step(redemption: RedemptionNow, to: RedemptionState): void {
  if (!(redemptionMoves[redemption.state] as readonly RedemptionState[]).includes(to))
    throw new Error(`redemption: no move ${redemption.state} -> ${to}`)
  redemption.state = to
  redemption.changed = true
}
