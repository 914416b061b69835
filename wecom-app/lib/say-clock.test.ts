import { expect, test } from 'vitest'
import { inSentence, sayClock } from './say-clock.ts'

const now = Date.parse('2026-09-01T12:00:00+08:00')
const minute = 60_000

test('an instant of today goes by its time, another with its day', () => {
  expect(sayClock(now + 200 * minute, 'zh', now)).toBe('15:20')
  expect(sayClock(now + 12 * 60 * minute, 'zh', now)).toBe('明天 00:00')
  expect(sayClock(now - 12 * 60 * minute - 1, 'en', now)).toBe('Yesterday 23:59')
})

test('days stand in an English sentence in small letters, everything else as it is', () => {
  expect(inSentence('Tomorrow 15:20')).toBe('tomorrow 15:20')
  expect(inSentence('Tue 1 Sep')).toBe('Tue 1 Sep')
  expect(inSentence('明天')).toBe('明天')
})
