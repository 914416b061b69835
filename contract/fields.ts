import { z } from 'zod'
import type { Fen } from './fen.ts'
import { isId, type Id, type IdKind } from './ids.ts'

/** An id of one kind, as text. */
export const idField = <K extends IdKind>(kind: K) =>
  z.string().refine((text): text is Id<K> => isId(kind, text), { message: `not an id of ${kind}` })

/** An amount in fen: a safe integer that is not negative. */
export const fenField = z
  .int()
  .min(0)
  .transform((value) => value as Fen)

/** An instant in epoch ms. */
export const instantField = z.int().min(0)

/** A real day of the calendar, YYYY-MM-DD, of a year that may be reckoned with: the day after it has a date too. */
export const dayField = z.iso
  .date()
  .refine((day) => day >= '1970' && day < '3000', { message: 'not a day from 1970 to 2999' })

/** A page of a list: give `nextCursor` back as `cursor` for the next; null at the end. */
export const cursorField = z.string().max(64).optional()
export const limitField = z.coerce.number().int().min(1).max(200).default(50)
