import { expect, test } from 'vitest'
import { exactly, sayDay, sayWhen } from './dates.ts'

const at = (text: string): number => Date.parse(`${text}+08:00`)
const now = at('2025-09-26T08:00:00')

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
