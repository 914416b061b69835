import { shallowRef } from 'vue'
import type { Lang } from '../../contract/error-codes.ts'
import { offsetAt } from '../../contract/wall-clock.ts'

/** The zone that times are shown in: the company's once it is known, wherever the reader sits. */
export const timeZone = shallowRef('Asia/Shanghai')
const localeOf = (lang: Lang): string => (lang === 'zh' ? 'zh-CN' : 'en-GB')
const format = (lang: Lang, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat(localeOf(lang), { timeZone: timeZone.value, hourCycle: 'h23', ...options })

/** The day as a number that counts days, so that yesterday is one less. */
function dayNumber(ms: number): number {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: timeZone.value }).format(ms)
  return Math.round(Date.parse(`${parts}T00:00:00Z`) / 86_400_000)
}

const nearDays: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  '-1': { zh: '昨天', en: 'Yesterday' },
  '0': { zh: '今天', en: 'Today' },
  '1': { zh: '明天', en: 'Tomorrow' },
}

/** A day as people say it: 今天, 9月28日 周日, and with the year when it is another one. */
export function sayDay(ms: number, lang: Lang, nowMs: number = Date.now()): string {
  const near = nearDays[String(dayNumber(ms) - dayNumber(nowMs))]
  if (near !== undefined) return near[lang]
  const sameYear = yearOf(ms) === yearOf(nowMs)
  const day = format(lang, {
    month: lang === 'zh' ? 'long' : 'short',
    day: 'numeric',
    ...(sameYear ? {} : { year: 'numeric' }),
  })
  const weekday = format(lang, { weekday: 'short' }).format(ms)
  if (lang === 'zh') return sameYear ? `${day.format(ms)} ${weekday}` : day.format(ms)
  return sameYear ? `${weekday} ${day.format(ms)}` : day.format(ms)
}

function yearOf(ms: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: timeZone.value, year: 'numeric' }).format(ms)
}

/** 14:30 */
export function sayTime(ms: number, lang: Lang): string {
  return format(lang, { hour: '2-digit', minute: '2-digit' }).format(ms)
}

/** 今天 14:30, 9月28日 周日 09:00 */
export function sayWhen(ms: number, lang: Lang, nowMs: number = Date.now()): string {
  return `${sayDay(ms, lang, nowMs)} ${sayTime(ms, lang)}`
}

/** For a title: 2026-09-28 14:30:05 */
export function exactly(ms: number): string {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-CA', {
      timeZone: timeZone.value,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
      .formatToParts(ms)
      .map((part) => [part.type, part.value]),
  )
  return `${parts['year']}-${parts['month']}-${parts['day']} ${parts['hour']}:${parts['minute']}:${parts['second']}`
}

/** How far a zone is from UTC at an instant: UTC+8, UTC−3:30. */
export function sayOffset(ms: number, zone: string = timeZone.value): string {
  const minutes = Math.round(offsetAt(ms, zone) / 60_000)
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}

/** The zone that times are shown in, where the reader's own clock shows another time at this instant; else null. */
export function foreignZone(ms: number = Date.now()): string | null {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  return offsetAt(ms, own) === offsetAt(ms, timeZone.value) ? null : `${timeZone.value} ${sayOffset(ms)}`
}
