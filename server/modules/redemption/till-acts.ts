import type { ErrorCode } from '../../../contract/error-codes.ts'
import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { RedemptionView } from '../../../contract/till.ts'

/** Who asks: a clerk with an open shift, or a terminal. */
export interface Till {
  readonly merchantId: Id<'merchant'>
  readonly brandId: Id<'brand'>
  readonly shopId: Id<'shop'>
  /** The id of the clerk or of the terminal: keys (Idempotency-Key) are this till's own. */
  readonly tillId: Id<'clerk'> | Id<'terminal'>
  readonly shiftId: Id<'shift'> | null
}

/** Takes payment codes: opens a purchase on their cards and sets nothing aside yet. The codes are used up. */
export interface Scan {
  readonly kind: 'scan'
  readonly codes: readonly string[]
}
/**
 * Sets value aside (`capture` false) or takes it at once (`capture` true). Either on codes shown now, or on a purchase
 * that a scan opened. With `partial` the cards pay what they can and the rest is cash; without, too little is refused.
 */
export interface Authorise {
  readonly kind: 'authorise'
  readonly on: { readonly codes: readonly string[] } | { readonly redemptionId: Id<'redemption'> }
  readonly billFen: Fen
  readonly capture: boolean
  readonly partial: boolean
  readonly ref: string | null
  /** How long it may be held; an hour unless said. */
  readonly holdMs?: number
}
/** Takes of what is set aside. `final`: the rest goes back to the cards at once. May be repeated until then. */
export interface Capture {
  readonly kind: 'capture'
  readonly redemptionId: Id<'redemption'>
  readonly amountFen: Fen
  readonly final: boolean
}
/** Gives back what is set aside and not taken. */
export interface Void {
  readonly kind: 'void'
  readonly redemptionId: Id<'redemption'>
}
/** Gives back of what was taken, to the cards that paid it. */
export interface RefundAct {
  readonly kind: 'refund'
  readonly redemptionId: Id<'redemption'>
  readonly amountFen: Fen
}
/** Takes a clerk's own purchase back whole, within five minutes and its shift. */
export interface Undo {
  readonly kind: 'undo'
  readonly redemptionId: Id<'redemption'>
}

export interface TillAct {
  readonly till: Till
  /** Idempotency-Key: the same till and key mean the same act, for life. */
  readonly key: string
  readonly act: Scan | Authorise | Capture | Void | RefundAct | Undo
}

/** An answer a till keeps: what the purchase is now, or why not. Both are told again when the key comes again. */
export type TillOutcome =
  | { readonly ok: true; readonly view: RedemptionView }
  | { readonly ok: false; readonly code: ErrorCode; readonly field?: string; readonly availableFen?: Fen }
