import type { Fen } from '../../../contract/fen.ts'
import type { DifferenceGuess, DifferenceKind } from '../../../contract/operator/reconciliation.ts'
import { CHINA, dayOf, startOfDay } from '../../kernel/company-day.ts'

/** One thing that the books say of a day, under the number by which a bill tells it. */
export interface Ours {
  /** Kind and number: `paid FLK…`. */
  readonly subject: string
  readonly amountFen: Fen
  readonly atMs: number
  /** Our object. */
  readonly ref: string
  /** We know the number, and no money of it. */
  readonly withoutMoney?: boolean
}

/** One line of a bill. */
export interface Theirs {
  readonly subject: string
  readonly amountFen: Fen
  readonly row: number
  /** A refund that was given up: it is known, and no money moved. */
  readonly ended?: boolean
}

export interface Difference {
  readonly subject: string
  readonly kind: DifferenceKind
  readonly guess: DifferenceGuess
  readonly row: number | null
  readonly oursFen: Fen | null
  readonly theirsFen: Fen | null
  readonly ref: string | null
}

/** What happened this near to midnight may stand in the bill of the day beside. */
const NEAR_MIDNIGHT_MS = 10 * 60_000
const DAY_MS = 86_400_000

/**
 * Compares a bill with the books: `ours` holds what we have of the bill's day, and of every number that the bill names
 * whatever its day. Whatever stands on one side only, differs, or comes twice is one difference; the rest agrees.
 */
export function compareBill(
  theirs: readonly Theirs[],
  ours: readonly Ours[],
  day: { readonly fromMs: number; readonly toMs: number },
): Difference[] {
  const bySubject = new Map(ours.map((one) => [one.subject, one]))
  const seen = new Set<string>()
  const found: Difference[] = []
  for (const line of theirs) {
    const own = bySubject.get(line.subject)
    if (line.ended === true) {
      seen.add(line.subject)
      continue
    }
    if (seen.has(line.subject)) found.push(difference(line, own ?? null, 'twice_in_bill', 'unknown'))
    else if (own === undefined) found.push(difference(line, null, 'not_in_books', 'foreign'))
    else if (own.withoutMoney === true) found.push(difference(line, own, 'not_in_books', 'notice_lost'))
    else if (own.amountFen !== line.amountFen)
      found.push(difference(line, own, 'amount', line.subject.startsWith('fee ') ? 'fee' : 'unknown'))
    seen.add(line.subject)
  }
  for (const own of ours) {
    if (seen.has(own.subject) || own.withoutMoney === true || own.atMs < day.fromMs || own.atMs >= day.toMs) continue
    found.push(difference(null, own, 'not_in_bill', isNearMidnight(own.atMs) ? 'other_day' : 'not_at_wechat'))
  }
  return found
}

function difference(line: Theirs | null, own: Ours | null, kind: DifferenceKind, guess: DifferenceGuess): Difference {
  return {
    subject: line?.subject ?? own?.subject ?? '',
    kind,
    guess,
    row: line?.row ?? null,
    oursFen: own?.amountFen ?? null,
    theirsFen: line?.amountFen ?? null,
    ref: own?.ref ?? null,
  }
}

function isNearMidnight(atMs: number): boolean {
  return dayOf(atMs - NEAR_MIDNIGHT_MS, CHINA) !== dayOf(atMs + NEAR_MIDNIGHT_MS, CHINA)
}

/** The instants of a day in China; throws RangeError on what is none. */
export function instantsOf(day: string): { fromMs: number; toMs: number } {
  const fromMs = startOfDay(day, CHINA)
  return { fromMs, toMs: fromMs + DAY_MS }
}

/** The day before the one that an instant lies in, in China. */
export function yesterdayOf(nowMs: number): string {
  return dayOf(nowMs - DAY_MS, CHINA)
}
