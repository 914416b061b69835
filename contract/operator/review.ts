import { z } from 'zod'
import { cursorField, idField, instantField, limitField } from '../fields.ts'
import { coverStates } from '../store/cover.ts'

/**
 * GET /operator/covers: pictures that people uploaded for their cards. `in_review`: oldest first, waiting for somebody; `decided`: those
 * that a person judged, newest first.
 */
export const ReviewListInput = z.object({
  which: z.enum(['in_review', 'decided']).default('in_review'),
  cursor: cursorField,
  limit: limitField,
})
export const ReviewedCover = z.object({
  id: idField('cover'),
  state: z.enum(coverStates),
  /** Null: the picture was erased. */
  url: z.string().nullable(),
  /** Somebody has bought a card with it. */
  used: z.boolean(),
  createdAtMs: instantField,
  decidedAtMs: instantField.nullable(),
})
export type ReviewedCover = z.infer<typeof ReviewedCover>
export const ReviewList = z.object({
  covers: z.array(ReviewedCover),
  waiting: z.int(),
  nextCursor: z.string().nullable(),
})
export type ReviewList = z.infer<typeof ReviewList>

/**
 * POST /operator/covers/:id/decide. One that has passed may still be refused, when somebody complains; what was refused stays so
 * (`state_conflict`).
 */
export const DecideCoverInput = z.object({ id: idField('cover'), decision: z.enum(['pass', 'refuse']) })
