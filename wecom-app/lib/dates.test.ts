import { afterEach, expect, test } from 'vitest'
import { exactly, foreignZone, sayDay, sayOffset, sayWhen, timeZone } from './dates.ts'

const at = (text: string): number => Date.parse(`${text}+08:00`)
const now = at('2025-09-26T08:00:00')
afterEach(() => (timeZone.value = 'Asia/Shanghai'))

test('near days have names, and midnight in Shanghai parts them', () => {
  expect(sayWhen(at('2025-09-26T14:30:00'), 'zh', now)).toBe('今天 14:30')
  expect(sayWhen(at('2025-09-25T23:59:00'), 'zh', now)).toBe('昨天 23:59')
  expect(sayWhen(at('2025-09-27T00:00:00'), 'zh', now)).toBe('明天 00:00')
  expect(sayDay(at('2025-09-27T00:00:00'), 'en', now)).toBe('Tomorrow')
})

test('other days carry their weekday, other years their year', () => {
  expect(sayDay(at('2025-09-28T09:00:00'), 'zh', now)).toBe('9月28日 周日')
  expect(sayDay(at('2025-09-28T09:00:00'), 'en', now)).toBe('Sun 28 Sept')
  expect(sayDay(at('2024-12-31T09:00:00'), 'zh', now)).toBe('2024年12月31日')
})

test('the day before and after new year are one day apart', () => {
  const newYear = at('2026-01-01T00:30:00')
  expect(sayDay(at('2025-12-31T23:00:00'), 'zh', newYear)).toBe('昨天')
})

test('the exact instant is to the second, in Shanghai', () => {
  expect(exactly(Date.UTC(2025, 8, 27, 16, 0, 5))).toBe('2025-09-28 00:00:05')
})

test('in another zone the same instant is another day, and the zone is named where the reader has another', () => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  timeZone.value = own
  expect(foreignZone(now)).toBeNull()
  timeZone.value = 'Pacific/Marquesas'
  expect(foreignZone(now)).toBe('Pacific/Marquesas UTC−9:30')
  expect(exactly(now)).toBe('2025-09-25 14:30:00')
  expect(sayWhen(at('2025-09-26T20:00:00'), 'zh', now)).toBe('明天 02:30')
  expect([sayOffset(now, 'Asia/Shanghai'), sayOffset(now, 'UTC')]).toEqual(['UTC+8', 'UTC+0'])
})
