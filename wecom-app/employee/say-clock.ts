import type { Lang } from '../../contract/error-codes.ts'
import { sayDay, sayTime, sayWhen } from '../lib/dates.ts'

/** An instant in a sentence: today by its time alone, 15:20; else with its day. */
export function sayClock(ms: number, lang: Lang, nowMs: number = Date.now()): string {
  return sayDay(ms, lang, nowMs) === sayDay(nowMs, lang, nowMs) ? sayTime(ms, lang) : sayWhen(ms, lang, nowMs)
}

/** A time as it stands within an English sentence: until tomorrow, not until Tomorrow. */
export function inSentence(time: string): string {
  return time.replace(/^(?:Yesterday|Today|Tomorrow)/, (day) => day.toLowerCase())
}
