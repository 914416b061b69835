import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadProfiles, purchasesOf, quietDay, type PlannedPurchase } from '../../../bench/load-profiles.ts'
import { findPeaks, type Hourly } from './find-peaks.ts'

const HOUR_MS = 3_600_000
const dayStartsMs = Date.parse('2026-09-25T00:00:00+08:00')

/** As the database groups them. */
function hourly(purchases: readonly PlannedPurchase[]): Hourly[] {
  const counts = new Map<string, number>()
  for (const { atMs, priceFen } of purchases) {
    const key = `${Math.floor((atMs - dayStartsMs) / HOUR_MS)}:${priceFen}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].map(([key, orders]) => {
    const [hour, priceFen] = key.split(':').map(Number)
    return { hour: hour ?? 0, priceFen: priceFen ?? 0, orders }
  })
}
const day = (seed: number, orders: number, quiet: number) => [
  ...loadProfiles.flatMap((profile, index) => purchasesOf(profile, { seed: seed + index, orders, dayStartsMs })),
  ...quietDay({ seed: seed + 9, orders: quiet, dayStartsMs }),
]

test('the three load profiles are found by themselves, with their hours and what is spent then', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 500, max: 2_000 }), (seed, orders) => {
      const peaks = findPeaks(hourly(day(seed, orders, orders)))
      const found = peaks.map(({ fromHour, untilHour }) => `${fromHour}-${untilHour}`).toSorted()
      expect(found).toEqual(['0-2', '12-14', '20-22'])
      for (const profile of loadProfiles) {
        const peak = peaks.find(({ fromHour }) => fromHour === profile.fromHour)!
        expect(peak.medianFen).toBeGreaterThan(profile.lowFen)
        expect(peak.medianFen).toBeLessThan(profile.highFen)
        expect(peak.highFen).toBeLessThanOrEqual(profile.highFen)
      }
    }),
    { numRuns: 30 },
  )
})

test.each(loadProfiles)('$name alone is its own peak, whatever the seed', (profile) => {
  for (const seed of [1, 7, 2026]) {
    const purchases = purchasesOf(profile, { seed, orders: 400, dayStartsMs })
    expect(purchases).toEqual(purchasesOf(profile, { seed, orders: 400, dayStartsMs }))
    const [peak, ...more] = findPeaks(hourly(purchases))
    expect(more).toEqual([])
    expect(peak).toMatchObject({
      fromHour: profile.fromHour,
      untilHour: profile.untilHour,
      orders: 400,
      shareBp: 10_000,
    })
    expect(peak!.lowFen).toBeGreaterThanOrEqual(profile.lowFen)
    for (const { atMs, priceFen } of purchases) {
      const hour = (atMs - dayStartsMs) / HOUR_MS
      expect(hour >= profile.fromHour && hour < profile.untilHour).toBe(true)
      expect(priceFen >= profile.lowFen && priceFen <= profile.highFen && priceFen % profile.stepFen === 0).toBe(true)
    }
  }
})

test('a day like any other has no peak, nor have a handful of orders', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    expect(findPeaks(hourly(quietDay({ seed, orders: 5_000, dayStartsMs })))).toEqual([])
    expect(findPeaks(hourly(purchasesOf(loadProfiles[0]!, { seed, orders: 9, dayStartsMs })))).toEqual([])
  }
  expect(findPeaks([])).toEqual([])
})

test('a peak goes over midnight as one', () => {
  const rows = [22, 23, 0, 1].map((hour) => ({ hour, priceFen: 10_000, orders: 100 }))
  expect(findPeaks(rows)).toEqual([
    { fromHour: 22, untilHour: 26, orders: 400, shareBp: 10_000, lowFen: 10_000, medianFen: 10_000, highFen: 10_000 },
  ])
})

test('nine of ten orders are no smaller than the low end, and nine of ten no larger than the high one', () => {
  const rows = Array.from({ length: 20 }, (_, index) => ({ hour: 9, priceFen: (index + 1) * 100, orders: 1 }))
  expect(findPeaks(rows)).toMatchObject([{ lowFen: 200, medianFen: 1_000, highFen: 1_800 }])
})
