import { addDays } from '../../../../contract/wall-clock.ts'

export interface Days {
  readonly fromDay: string
  readonly toDay: string
}
export const spans = ['month', 'quarter', 'year'] as const
export type Span = (typeof spans)[number]

const months: Readonly<Record<Span, number>> = { month: 1, quarter: 3, year: 12 }

/** The calendar month, quarter or year in which a day lies, from its first to its last day. */
export function spanOf(day: string, span: Span): Days {
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))]
  const length = months[span]
  const first = Math.floor((month - 1) / length) * length
  const write = (zeroMonth: number): string =>
    `${String(year + Math.floor(zeroMonth / 12)).padStart(4, '0')}-${String((zeroMonth % 12) + 1).padStart(2, '0')}-01`
  return { fromDay: write(first), toDay: addDays(write(first + length), -1) }
}
