import { createHash } from 'node:crypto'
import type { ErrorCode } from '../../../contract/error-codes.ts'
import { fen, type Fen } from '../../../contract/fen.ts'
import { unknownFields, yearsField } from '../../../contract/greeting.ts'
import type { RecurringContent } from '../../../contract/hr/recurring.ts'
import type { Id } from '../../../contract/ids.ts'
import { priceOf } from '../../../contract/price.ts'
import { canonical } from '../../kernel/once.ts'
import { faceAllowed, fixedFaces } from '../catalog/rules.ts'
import { cardRules } from '../compliance/rules.ts'
import type { Head, LeftOutCode, Terms } from './rules.ts'

/** How long a missed day may be made up for. */
export const MADE_UP_DAYS = 3
/** Nobody gets a second card of a run within so many days, whatever becomes of dates on lists: a year less some. */
export const ONCE_IN_DAYS = 300

/** What of a run decides how much somebody gets. */
export type RunFaces = Pick<RecurringContent, 'faceFen' | 'perYearFen'>

/**
 * The face for so many full years: the first one and so much for each year, down to the next face that the card has.
 * Null where the card has none that small.
 */
export function runFace({ faceFen, perYearFen }: RunFaces, terms: Terms, years: number | null): Fen | null {
  const wanted = Math.min(faceFen + perYearFen * (years ?? 0), terms.maxFaceFen)
  const fixed = fixedFaces(terms).filter((face) => face <= wanted)
  const stepped = wanted - ((wanted - terms.minFaceFen) % terms.stepFen)
  const face = fixedFaces(terms).length > 0 ? Math.max(0, ...fixed) : stepped
  const may = face > 0 && faceAllowed(terms, face) && cardRulesHold(terms, face)
  return may ? fen(face) : null
}

const cardRulesHold = (terms: Terms, face: number): boolean =>
  cardRules({ named: terms.named, validDays: terms.validDays ?? null }, face).length === 0

/** The heads of those whose day it is. */
export function runHeads(
  faces: RunFaces,
  terms: Terms,
  celebrated: readonly Pick<Head & { readonly years: number | null }, 'personId' | 'department' | 'years'>[],
): { readonly heads: readonly Head[]; readonly leftOut: ReadonlyMap<LeftOutCode, number> } {
  const heads = celebrated.flatMap(({ personId, department, years }): Head[] => {
    const faceFen = runFace(faces, terms, years)
    return faceFen === null ? [] : [{ personId, department, faceFen, priceFen: priceOf(faceFen, terms.priceBp) }]
  })
  const leftOut = new Map<LeftOutCode, number>()
  if (heads.length < celebrated.length) leftOut.set('face_not_allowed', celebrated.length - heads.length)
  return { heads, leftOut }
}

export interface RunBlock {
  readonly code: ErrorCode
  readonly field: string
}

/** All that keeps a run from being submitted and approved. */
export function runBlocks(content: RecurringContent, terms: Terms): RunBlock[] {
  const blocks: RunBlock[] = []
  const block = (code: ErrorCode, field: string) => blocks.push({ code, field })
  const { faceFen, monthlyLimitFen, greeting, kind } = content
  if (!cardRulesHold(terms, faceFen)) block('face_over_limit', 'faceFen')
  else if (!faceAllowed(terms, faceFen)) block('face_out_of_range', 'faceFen')
  else if (monthlyLimitFen < priceOf(faceFen, terms.priceBp)) block('monthly_limit_low', 'monthlyLimitFen')
  if (unknownFields(greeting, kind === 'anniversary' ? [yearsField] : []).length > 0)
    block('greeting_unknown_field', 'greeting')
  return blocks
}

/** Fingerprint of all that an approver of a run agrees to. */
export function hashRun(id: Id<'recurring'>, content: RecurringContent): string {
  return createHash('sha256')
    .update(canonical({ recurringId: id, content }))
    .digest('hex')
}
