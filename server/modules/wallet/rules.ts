import { fen, type Fen } from '../../../contract/fen.ts'

/** How far back spending is looked at, and how far ahead what a wallet lasts is told. */
export const HISTORY_DAYS = 90
export const MOST_DAYS = 730

export interface Outlook {
  readonly balanceFen: Fen
  /** Orders that wait for money now. */
  readonly dueFen: Fen
  /** Mean spending of a day. */
  readonly perDayFen: Fen
  /** What is known to be spent beside it, by day from today on. */
  readonly ahead: readonly number[]
}

/**
 * How many days from today a wallet covers, today being day 0: the last day whose spending it pays in full. -1 where it
 * does not even cover what is due; null where it covers `MOST_DAYS`. After the days that are known, their mean goes on.
 */
export function daysCovered({ balanceFen, dueFen, perDayFen, ahead }: Outlook): number | null {
  let rest = balanceFen - dueFen
  if (rest < 0) return -1
  const known = ahead.reduce((sum, one) => sum + one, 0)
  const later = ahead.length === 0 ? 0 : Math.ceil(known / ahead.length)
  for (let day = 0; day < MOST_DAYS; day += 1) {
    rest -= perDayFen + (day < ahead.length ? ahead[day]! : later)
    if (rest < 0) return day - 1
  }
  return null
}

/** The mean of a day, rounded up, over the days that a wallet has been used for: `HISTORY_DAYS` at most, a week at least. */
export function meanOf(spentFen: number, firstAtMs: number | null, nowMs: number): { perDayFen: Fen; days: number } {
  const age = firstAtMs === null ? 0 : Math.ceil((nowMs - firstAtMs) / 86_400_000)
  const days = Math.min(HISTORY_DAYS, Math.max(7, age))
  return { perDayFen: fen(Math.ceil(Math.max(0, spentFen) / days)), days }
}
