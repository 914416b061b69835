import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chinaDay, nextChinaDay } from './china-day.ts'
import { sendWindows } from './send-windows.ts'

const MINUTE_MS = 60_000
/** 10:05 in China. */
const morning = Date.UTC(2026, 8, 25, 2, 5)
const quietMinutes = true
const plenty = () => 1_000_000

test('a few people go at once; beyond the quota the rest goes the next day, a minute after midnight', () => {
  expect(sendWindows({ quietMinutes, startMs: morning, known: 3, toLookUp: 0, leftOn: plenty })).toEqual([
    { fromMs: morning, toMs: morning + 3, people: 3, limitedBy: null },
  ])
  const windows = sendWindows({ quietMinutes, startMs: morning, known: 450, toLookUp: 0, leftOn: () => 200 })
  expect(windows.map(({ people, limitedBy }) => [people, limitedBy])).toEqual([
    [200, 'day_quota'],
    [200, 'day_quota'],
    [50, null],
  ])
  expect(windows[1]?.fromMs).toBe(nextChinaDay(morning) + MINUTE_MS)
})

test('look-ups set the pace, and minute 0 and 30 are left out', () => {
  const windows = sendWindows({ quietMinutes, startMs: morning, known: 0, toLookUp: 285_000, leftOn: plenty })
  expect(windows.map(({ limitedBy }) => limitedBy)).toEqual(['look_ups', null])
  expect(windows[0]?.toMs).toBe(morning + 25 * MINUTE_MS)
  expect(windows[1]?.fromMs).toBe(morning + 26 * MINUTE_MS)
  expect(
    sendWindows({ quietMinutes, startMs: morning - 5 * MINUTE_MS, known: 1, toLookUp: 0, leftOn: plenty })[0]?.fromMs,
  ).toBe(morning - 4 * MINUTE_MS)
})

test('without any quota nobody is sent to, and no plan goes on for ever', () => {
  expect(sendWindows({ quietMinutes, startMs: morning, known: 10, toLookUp: 0, leftOn: () => 0 })).toEqual([])
})

test('whatever is planned: all people once, in order, inside the day’s quota and beside the rush', () => {
  const sizes = { known: fc.integer({ min: 0, max: 50_000 }), toLookUp: fc.integer({ min: 0, max: 50_000 }) }
  const more = { quota: fc.integer({ min: 500, max: 60_000 }), startMs: fc.integer({ min: 0, max: 86_400_000 }) }
  fc.assert(
    fc.property(fc.record({ ...sizes, ...more }), ({ known, toLookUp, quota, startMs }) => {
      const windows = sendWindows({ quietMinutes, startMs: morning + startMs, known, toLookUp, leftOn: () => quota })
      expect(windows.reduce((sum, { people }) => sum + people, 0)).toBe(known + toLookUp)
      const days = new Map<number, number>()
      let before = 0
      for (const { fromMs, toMs, people } of windows) {
        expect(fromMs).toBeGreaterThanOrEqual(before)
        expect(toMs).toBeGreaterThanOrEqual(fromMs)
        expect(Math.floor(fromMs / MINUTE_MS) % 30).not.toBe(0)
        before = toMs
        const day = chinaDay(fromMs)
        days.set(day, (days.get(day) ?? 0) + people)
      }
      for (const used of days.values()) expect(used).toBeLessThanOrEqual(quota)
    }),
  )
})

test('a house that does not leave minutes out sends at full hour, and on through half past', () => {
  const hour = morning - 5 * MINUTE_MS
  const all = { quietMinutes: false, startMs: hour, known: 2_000_000, toLookUp: 0, leftOn: () => 3_000_000 }
  expect(sendWindows(all)).toEqual([{ fromMs: hour, toMs: hour + 2_000_000, people: 2_000_000, limitedBy: null }])
})
