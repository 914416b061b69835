import { instantAt, offsetAt, wallAt } from '../../contract/wall-clock.ts'

/** Where bills, incomes and banks count their days. */
export const CHINA = 'Asia/Shanghai'

/** The day of a zone in which an instant lies, YYYY-MM-DD. Throws RangeError on a zone that nobody knows. */
export function dayOf(ms: number, zone: string): string {
  return wallAt(ms, zone).day
}

/**
 * The first instant of a day of a zone. Where midnight is skipped, the first that there is; where it comes twice, the
 * earlier. Throws RangeError on a day that the calendar lacks.
 */
export function startOfDay(day: string, zone: string): number {
  const at = instantAt(day, 0, zone)
  if (wallAt(at, zone).minute === 0) return at
  // The clocks were put forward over midnight: the day begins at the change, found to the minute.
  let [before, after] = [at - 86_400_000, at]
  while (after - before > 60_000) {
    const middle = Math.floor((before + after) / 120_000) * 60_000
    if (offsetAt(middle, zone) === offsetAt(at, zone)) after = middle
    else before = middle
  }
  return after
}

/**
 * The instant at which a zone's clocks show this minute (0 to 1439) of this day. Shown twice (clocks put back): the
 * first time. Never shown (clocks put forward): later by what was skipped, so that 02:30 becomes 03:30. Throws
 * RangeError on a day or a minute that there is not.
 */
export function instantOf(day: string, minute: number, zone: string): number {
  return instantAt(day, minute, zone)
}
