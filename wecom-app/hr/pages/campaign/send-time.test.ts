import { afterEach, expect, test } from 'vitest'
import { exactly, timeZone } from '../../../lib/dates.ts'
import { readSendTime, tomorrowAtNine } from './send-time.ts'

afterEach(() => (timeZone.value = 'Asia/Shanghai'))

test('a time is read as the clocks of the company show it', () => {
  expect(readSendTime('2026-09-28 14:30')).toBe(Date.parse('2026-09-28T14:30:00+08:00'))
  timeZone.value = 'America/New_York'
  expect(readSendTime('2026-09-28 14:30')).toBe(Date.parse('2026-09-28T14:30:00-04:00'))
  expect(readSendTime('2026-12-28 14:30:59')).toBe(Date.parse('2026-12-28T14:30:00-05:00'))
  for (const text of ['', 'null', '2026-02-30 10:00', '2026-09-28 25:00', '2026-09-28'])
    expect(readSendTime(text)).toBeNull()
})

test('tomorrow at nine is the company’s tomorrow, also on the day that clocks change', () => {
  timeZone.value = 'Europe/Berlin'
  expect(exactly(tomorrowAtNine(Date.parse('2026-03-28T22:59:00Z')))).toBe('2026-03-29 09:00:00')
  expect(exactly(tomorrowAtNine(Date.parse('2026-03-28T23:00:00Z')))).toBe('2026-03-30 09:00:00')
})
