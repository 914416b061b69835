import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { refuseAct } from './act-refused.ts'
import { closeRest, giveBack, setAside, takeHeld } from './move-amounts.ts'
import { ownerIn } from './pay-code.ts'
import { freeOn, payingOrder, whyNot } from './rules.ts'
import type { Authorise, Scan, Till, TillAct } from './till-acts.ts'
import type { CardNow, RedemptionNow, TillBooks } from './till-books.ts'

/**
 * Decides one act of a till on the books in memory and writes there what comes of it. Returns the purchase. Throws
 * ActRefused, with nothing changed, when it may not be.
 * @param signed what is signed of each code that the act shows; null where one is not ours or over
 */
export function decideAct(books: TillBooks, { till, act }: TillAct, signed: readonly (string | null)[]): RedemptionNow {
  if (till.shiftId !== null && !books.isShiftOpen(till.shiftId)) refuseAct('shift_missing')
  switch (act.kind) {
    case 'scan':
      return scan(books, till, act, signed)
    case 'authorise':
      return authorise(books, till, act, signed)
    case 'capture': {
      const redemption = own(books, till, act.redemptionId)
      if (redemption.state !== 'held' || books.nowMs >= redemption.endsAtMs) refuseAct('state_conflict')
      takeHeld(books, redemption, act.amountFen, till)
      if (act.final || redemption.capturedFen === redemption.authorisedFen) closeRest(books, redemption, 'captured')
      return redemption
    }
    case 'void': {
      const redemption = own(books, till, act.redemptionId)
      if (redemption.state !== 'held' && redemption.state !== 'opened') refuseAct('state_conflict')
      // What a terminal set aside is the terminal's to give back, for it may have handed the goods over; and so with a clerk's.
      if ((till.shiftId === null) !== (redemption.till.shiftId === null)) refuseAct('state_conflict')
      redemption.byTillId = till.tillId
      return closeRest(books, redemption, 'voided')
    }
    case 'refund': {
      const redemption = own(books, till, act.redemptionId)
      if (redemption.state === 'refunded') refuseAct('refund_over_capture', { availableFen: fen(0) })
      if (redemption.state !== 'captured' && redemption.state !== 'part_refunded') refuseAct('state_conflict')
      return giveBack(books, redemption, act.amountFen, 'refund', till)
    }
    case 'undo': {
      const redemption = own(books, till, act.redemptionId)
      if (redemption.state !== 'captured') refuseAct('state_conflict')
      const late = redemption.capturedAtMs === null || books.nowMs >= redemption.capturedAtMs + limits.undoMs
      if (late || till.shiftId === null || redemption.till.shiftId !== till.shiftId) refuseAct('undo_too_late')
      return giveBack(books, redemption, fen(redemption.capturedFen), 'undo', till)
    }
  }
}

/** Gives what is still set aside back because its time is over. False: it had ended, or has time left. */
export function timeOut(books: TillBooks, redemption: RedemptionNow): boolean {
  const open = redemption.state === 'held' || redemption.state === 'opened'
  if (!open || books.nowMs < redemption.endsAtMs) return false
  closeRest(books, redemption, 'timed_out')
  return true
}

/** Another shop's purchase is not there. */
function own(books: TillBooks, till: Till, id: Id<'redemption'>): RedemptionNow {
  const found = books.redemptions.get(id)
  return found?.till.shopId === till.shopId ? found : refuseAct('not_found')
}

function scan(books: TillBooks, till: Till, act: Scan, signed: readonly (string | null)[]): RedemptionNow {
  const cards = cardsShown(books, till, signed)
  const redemption = open(books, till, null, books.nowMs + limits.usualHoldMs)
  redemption.scanned = cards
  useCodes(books, signed, redemption.id)
  return redemption
}

function authorise(books: TillBooks, till: Till, act: Authorise, signed: readonly (string | null)[]): RedemptionNow {
  if (act.billFen < 1) refuseAct('amount_not_valid', { field: 'billFen' })
  const before = 'redemptionId' in act.on ? own(books, till, act.on.redemptionId) : null
  if (before !== null && (before.state !== 'opened' || books.nowMs >= before.endsAtMs)) refuseAct('state_conflict')
  const cards = before === null ? cardsShown(books, till, signed) : stillPaying(books, till, before.scanned)
  const limit = books.limitOf(till.brandId)
  const freeFen = cards.reduce((sum, card) => sum + freeOn(card, limit), 0)
  const authorisedFen = Math.min(act.billFen, freeFen)
  if (authorisedFen < act.billFen && !(act.partial && authorisedFen > 0)) refuseShort(cards, fen(freeFen))
  const redemption = before ?? open(books, till, act.ref, 0)
  redemption.endsAtMs = books.nowMs + Math.min(act.holdMs ?? limits.usualHoldMs, limits.longestHoldMs)
  redemption.ref = act.ref ?? redemption.ref
  redemption.billFen = act.billFen
  if (before === null) useCodes(books, signed, redemption.id)
  setAside(books, redemption, fen(authorisedFen), cards)
  if (act.capture) {
    takeHeld(books, redemption, fen(authorisedFen), till)
    closeRest(books, redemption, 'captured')
  }
  return redemption
}

/** The cards behind codes that a till was shown, each once, in the order in which they pay. Refuses a bad or used code, and a card that may not pay here. */
function cardsShown(books: TillBooks, till: Till, signed: readonly (string | null)[]): CardNow[] {
  const cards = new Set<CardNow>()
  for (const code of signed) {
    if (code === null) return refuseAct('pay_code_invalid', { field: 'codes' })
    if (books.usedCodes.has(code)) return refuseAct('pay_code_used', { field: 'codes' })
    const behind = books.cardsBehind(code, till.brandId)
    if (behind.length === 0 && ownerIn(code).kind === 'card') return refuseAct('pay_code_invalid', { field: 'codes' })
    for (const card of behind) cards.add(card)
  }
  const shown = [...cards]
  const named = signed.every((code) => code !== null && ownerIn(code).kind === 'card')
  // Of a holder's cards those that may not pay are passed over; a card that was shown by itself is refused by name.
  if (named) mustPay(books, till, shown)
  const paying = ableToPay(books, till, shown)
  return paying.length > 0 ? paying : refuseAct('card_value_short', { availableFen: fen(0) })
}

/** Of the cards that were scanned a moment ago those that may pay still, in the order in which they pay. Refuses with the reason when none does. */
function stillPaying(books: TillBooks, till: Till, scanned: readonly CardNow[]): readonly CardNow[] {
  const paying = ableToPay(books, till, scanned)
  if (paying.length === 0) mustPay(books, till, scanned)
  return paying
}

/** As many as one purchase takes. */
const ableToPay = (books: TillBooks, till: Till, cards: readonly CardNow[]): CardNow[] =>
  payingOrder(cards.filter((card) => whyNot(card, till.brandId, books.nowMs) === null)).slice(
    0,
    limits.cardsPerPurchase,
  )

function mustPay(books: TillBooks, till: Till, cards: readonly CardNow[]): void {
  for (const card of cards) {
    const why = whyNot(card, till.brandId, books.nowMs)
    if (why !== null) refuseAct(why)
  }
}

/** Where the limit of a day is what stands in the way, that is said. */
function refuseShort(cards: readonly CardNow[], availableFen: Fen): never {
  const onCards = cards.reduce((sum, card) => sum + card.balanceFen - card.heldFen, 0)
  return refuseAct(onCards > availableFen ? 'card_day_limit' : 'card_value_short', { field: 'billFen', availableFen })
}

function useCodes(books: TillBooks, signed: readonly (string | null)[], redemptionId: Id<'redemption'>): void {
  for (const code of new Set(signed)) {
    if (code === null || books.usedCodes.has(code)) continue
    books.usedCodes.set(code, redemptionId)
    books.newCodes.push({ code, redemptionId })
  }
}

function open(books: TillBooks, till: Till, ref: string | null, endsAtMs: number): RedemptionNow {
  const redemption: RedemptionNow = {
    id: books.newId.redemption(),
    till,
    isNew: true,
    createdAtMs: books.nowMs,
    stateBefore: 'opened',
    byTillId: till.tillId,
    capturedAtMs: null,
    movedAtMs: null,
    state: 'opened',
    ref,
    billFen: 0,
    authorisedFen: 0,
    capturedFen: 0,
    refundedFen: 0,
    endsAtMs,
    scanned: [],
    holds: [],
    changed: true,
  }
  books.redemptions.set(redemption.id, redemption)
  return redemption
}
