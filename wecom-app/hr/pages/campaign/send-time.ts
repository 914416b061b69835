import { addDays, instantAt, wallAt } from '../../../../contract/wall-clock.ts'
import { timeZone } from '../../../lib/dates.ts'

/** Reads `2026-09-28 14:30` as the company's clocks show it; null when it is no such time. */
export function readSendTime(text: string): number | null {
  const parts = /^(\d{4}-\d{2}-\d{2}) (\d{2}):(\d{2})/.exec(text)
  if (parts === null) return null
  try {
    return instantAt(parts[1] ?? '', Number(parts[2]) * 60 + Number(parts[3]), timeZone.value)
  } catch {
    return null
  }
}

/** The company's next day at nine, when people have come to work. */
export function tomorrowAtNine(nowMs: number): number {
  return instantAt(addDays(wallAt(nowMs, timeZone.value).day, 1), 9 * 60, timeZone.value)
}
