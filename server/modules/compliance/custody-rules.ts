import { fen, type Fen } from '../../../contract/fen.ts'
import { custodyPercent, type FilingClass } from '../../../contract/operator/filing.ts'
import { addDays } from '../../../contract/wall-clock.ts'

/**
 * What an issuer must keep in custody, in fen: the percent of its class of the balance when the quarter before ended, an
 * odd fen up (《单用途商业预付卡管理办法（试行）》, articles 26 to 28). Null, no filing known, asks for nothing.
 */
export function requiredCustody(filedClass: FilingClass | null, quarterFen: Fen): Fen {
  const percent = filedClass === null ? 0n : BigInt(custodyPercent[filedClass])
  return fen(Number((BigInt(quarterFen) * percent + 99n) / 100n))
}

/** What is missing: required custody less what the bank confirmed (nothing confirmed is nothing) and what is guaranteed. */
export const shortfallOf = (requiredFen: Fen, confirmedFen: Fen | null, guaranteeFen: Fen): Fen =>
  fen(Math.max(0, requiredFen - (confirmedFen ?? 0) - guaranteeFen))

/** The last day of the quarter before that of a day: 2026-03-31 for all of 2026-04-01 to 2026-06-30. */
export function quarterEndBefore(day: string): string {
  const firstMonth = Math.floor((Number(day.slice(5, 7)) - 1) / 3) * 3 + 1
  return addDays(`${day.slice(0, 4)}-${String(firstMonth).padStart(2, '0')}-01`, -1)
}

/** First and last day of a quarter, written `2026-Q1`. Throws RangeError on another text. */
export function daysOfQuarter(quarter: string): { readonly fromDay: string; readonly toDay: string } {
  const [, year, number] = /^(\d{4})-Q([1-4])$/.exec(quarter) ?? []
  if (year === undefined || number === undefined) throw new RangeError(`not a quarter: ${quarter}`)
  const month = (Number(number) - 1) * 3 + 1
  const fromDay = `${year}-${String(month).padStart(2, '0')}-01`
  const next = month === 10 ? `${Number(year) + 1}-01-01` : `${year}-${String(month + 3).padStart(2, '0')}-01`
  return { fromDay, toDay: addDays(next, -1) }
}
