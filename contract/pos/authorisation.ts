import { z } from 'zod'
import { dayField, fenField, idField } from '../fields.ts'
import { limits } from '../limits.ts'
import { paidFenField, payCodeField, payCodesField, RedemptionView, tillRefField } from '../till.ts'

/** POST /pos/v1/authorisations: sets value aside (`capture` false) or takes it at once. A field that is not known is refused. */
export const NewAuthorisationInput = z.strictObject({
  codes: payCodesField,
  billFen: paidFenField,
  capture: z.boolean().default(false),
  /** The cards pay what they can, the rest is paid otherwise; without, too little is refused. */
  partial: z.boolean().default(false),
  ref: tillRefField.optional(),
  /** How long value is set aside: an hour unless said. */
  holdMs: z.int().min(60_000).max(limits.longestHoldMs).optional(),
})
/** GET /pos/v1/authorisations/:id, POST /pos/v1/authorisations/:id/voids */
export const AuthorisationInput = z.strictObject({ id: idField('redemption') })
/** GET /pos/v1/authorisations?ref=: this till's own of the last eight days, newest first. */
export const AuthorisationsInput = z.strictObject({ ref: tillRefField })
export const Authorisations = z.object({ authorisations: z.array(RedemptionView) })
/** POST /pos/v1/authorisations/:id/captures; `final`: what is left goes back to the cards at once. */
export const CaptureInput = AuthorisationInput.extend({ amountFen: paidFenField, final: z.boolean().default(false) })
/** POST /pos/v1/authorisations/:id/refunds */
export const RefundInput = AuthorisationInput.extend({ amountFen: paidFenField })

/** POST /pos/v1/balances: what a code could pay here now. It is not used up. */
export const CodeBalanceInput = z.strictObject({ code: payCodeField })
export const CodeBalance = z.object({
  availableFen: fenField,
  cards: z.array(z.object({ numberTail: z.string(), balanceFen: fenField })),
})

/** GET /pos/v1/days/:day/file */
export const DayFileInput = z.strictObject({ day: dayField })
