/** What clocks and calendars on the wall of a place show. Its own file so that server and pages count days alike. */

const formats = new Map<string, Intl.DateTimeFormat>()

/** Making a format costs a hundred times what using it costs. Throws RangeError on a zone that nobody knows. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
    ...({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
  })
  formats.set(zone, made)
  return made
}

/** How far a zone is ahead of UTC at an instant, in ms. Throws RangeError on a zone that nobody knows. */
export function offsetAt(ms: number, zone: string): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(ms)
      .map((part) => [part.type, Number(part.value)]),
  )
  const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
  return wall - Math.floor(ms / 1000) * 1000
}

/** What the wall shows at an instant: `YYYY-MM-DD` and the minute of the day, 0 to 1439. */
export function wallAt(ms: number, zone: string): { readonly day: string; readonly minute: number } {
  const wall = new Date(ms + offsetAt(ms, zone))
  return { day: wall.toISOString().slice(0, 10), minute: wall.getUTCHours() * 60 + wall.getUTCMinutes() }
}

const DAY_MS = 86_400_000

/**
 * The instant at which the wall shows this minute of this day. Where clocks are put back and show it twice, the first
 * time; where they are put forward and never show it, as much later as they were put forward (RFC 5545, 3.3.5: 02:30
 * becomes 03:30). Throws RangeError on a day that the calendar lacks or a minute outside of 0 to 1439.
 */
export function instantAt(day: string, minute: number, zone: string): number {
  if (!Number.isInteger(minute) || minute < 0 || minute >= 1440) throw new RangeError('a day has minutes 0 to 1439')
  const wall = readDay(day) + minute * 60_000
  // Clocks change far less often than every second day, so these two are the only offsets in question.
  const [before, after] = [offsetAt(wall - DAY_MS, zone), offsetAt(wall + DAY_MS, zone)]
  const shown = [wall - before, wall - after].filter((ms) => ms + offsetAt(ms, zone) === wall)
  return shown.length > 0 ? Math.min(...shown) : wall - before
}

/** The day so many days later (or earlier), by the calendar. Throws RangeError on a day that the calendar lacks. */
export function addDays(day: string, days: number): string {
  return new Date(readDay(day) + days * DAY_MS).toISOString().slice(0, 10)
}

/** Days from one day to another by the calendar. Throws RangeError on a day that the calendar lacks. */
export function daysBetween(from: string, to: string): number {
  return (readDay(to) - readDay(from)) / DAY_MS
}

function readDay(day: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN
  // `Date.parse` takes 30 February for 2 March.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day) throw new RangeError('not a day')
  return ms
}

/** A zone by its name in the database of IANA, written as that writes it; null for anything else, plain offsets too. */
export function readZone(name: string): string | null {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name) || name.length > 40) return null
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return null
  }
}
