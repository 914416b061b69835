/**
 * An amount of yuan as banks print it, in fen: 1,234.56, ¥1234.5, +1 234 or 1234.560; null when it is none.
 * Thousands must be grouped as such, and nothing below a fen is rounded away.
 */
export function plainMoney(text: string): number | null {
  const plain = text
    .normalize('NFKC')
    .replaceAll(/\s/g, '')
    .replace(/^(CNY|RMB|人民币)/i, '')
    .replace(/元$/, '')
  const match = /^([+-]?)[¥]?([+-]?)(\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.(\d{0,2})0*)?$/.exec(plain)
  if (!match) return null
  const [, before = '', after = '', whole = '', fraction = ''] = match
  if (before !== '' && after !== '') return null
  const value = Number(whole.replaceAll(',', '')) * 100 + Number(fraction.padEnd(2, '0'))
  if (!Number.isSafeInteger(value)) return null
  return before === '-' || after === '-' ? -value || 0 : value
}

export interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
  /** What follows the day in the same cell. */
  readonly rest: string
}

/** A day as banks print it: 2026-09-01, 2026/9/1, 2026年9月1日, 20260901, each perhaps with a time behind it. */
export function readDay(text: string): Day | null {
  const plain = text.normalize('NFKC').trim()
  const match =
    /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(.*)|)$/.exec(plain) ??
    /^(\d{4})(\d{2})(\d{2})(?:[T\s]*(\d.*)|)$/.exec(plain)
  if (!match) return null
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const made = new Date(Date.UTC(year, month - 1, day))
  if (made.getUTCMonth() !== month - 1 || made.getUTCDate() !== day || year < 2000 || year > 2199) return null
  return { year, month, day, rest: (match[4] ?? '').trim() }
}

/**
 * The instant of a line in epoch ms: `day` from the day's column (null: none), `text` from the time's column, which may
 * hold the day as well. Without a time it is the day's first instant in China. Null when it cannot be read.
 */
export function readTime(day: Day | null, text: string): number | null {
  const whole = readDay(text)
  const on = whole ?? day
  if (on === null) return null
  const clock = whole === null ? text || on.rest : whole.rest
  const seconds = readClock(clock.normalize('NFKC').trim())
  if (seconds === null) return null
  return Date.UTC(on.year, on.month - 1, on.day) + (seconds - 8 * 3600) * 1000
}

/** Seconds of a day: 12:30, 12:30:15, 12:30:15.123, 123015, 12时30分15秒, 0.52 (a spreadsheet's); an empty text is its beginning. */
function readClock(text: string): number | null {
  if (text === '') return 0
  if (/^0?\.\d+$/.test(text)) return Math.min(86_399, Math.round(Number(text) * 86_400))
  const match =
    /^(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?秒?|分?)$/.exec(text) ?? /^(\d{2})(\d{2})(\d{2})$/.exec(text)
  if (!match) return null
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  return hours < 24 && minutes < 60 && seconds < 60 ? hours * 3600 + minutes * 60 + seconds : null
}
