import { z } from 'zod'
import { fenField, idField, instantField } from './fields.ts'
import { limits } from './limits.ts'

/** Digits as a till reads them from a QR code or a barcode. */
export const payCodeField = z.string().regex(/^\d{52}$/)
/** What a bill, a capture or a refund may be: at least 1 fen. */
export const paidFenField = fenField.refine((fen) => fen > 0, { message: 'at least 1 fen' })
/** The till's own number for a purchase. */
export const tillRefField = z.string().regex(/^[\x21-\x7e]{1,64}$/)

export const redemptionStates = [
  'opened',
  'held',
  'captured',
  'part_refunded',
  'refunded',
  'voided',
  'timed_out',
] as const

/** A card of a purchase: what of it was set aside, taken and given back, and what is on it now. */
export const RedemptionCard = z.object({
  numberTail: z.string(),
  heldFen: fenField,
  capturedFen: fenField,
  refundedFen: fenField,
  balanceFen: fenField,
})
/** A purchase as every till sees it, after whatever was done to it. */
export const RedemptionView = z.object({
  id: idField('redemption'),
  state: z.enum(redemptionStates),
  ref: z.string().nullable(),
  billFen: fenField,
  /** What the cards were asked to pay; the rest of the bill is cash. */
  authorisedFen: fenField,
  capturedFen: fenField,
  refundedFen: fenField,
  cashFen: fenField,
  /** What the cards could pay now: while nothing is set aside yet (`opened`), else 0. */
  availableFen: fenField,
  cards: z.array(RedemptionCard),
  /** When value last moved, either way: the day of the movement counts by it. Null: none did yet. */
  movedAtMs: instantField.nullable().default(null),
  createdAtMs: instantField,
  endsAtMs: instantField,
})
export type RedemptionView = z.infer<typeof RedemptionView>

export const payCodesField = z.array(payCodeField).min(1).max(limits.cardsPerPurchase)
