import type { Lang } from '../../contract/error-codes.ts'
import { sayDay, sayTime, sayWhen } from './dates.ts'

/** An instant in a sentence: today by its time alone, 15:20; else with its day. */
export function sayClock(ms: number, lang: Lang, nowMs: number = Date.now()): string {
  return sayDay(ms, lang, nowMs) === sayDay(nowMs, lang, nowMs) ? sayTime(ms, lang) : sayWhen(ms, lang, nowMs)
}

/** A time as it stands within an English sentence: until tomorrow, not until Tomorrow. */
export function inSentence(time: string): string {
  return time.replace(/^(?:Yesterday|Today|Tomorrow)/, (day) => day.toLowerCase())
}

/** A length of time as a clock: 1:02:03, 02:03; never below zero. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return hours === 0 ? rest : `${hours}:${rest}`
}
