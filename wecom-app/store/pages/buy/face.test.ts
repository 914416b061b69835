import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fen } from '../../../../contract/fen.ts'
import { faultOfFace, stepped, suggested } from './face.ts'

const free = { faces: [], minFaceFen: fen(5_000), maxFaceFen: fen(100_000), stepFen: fen(1_000) }

test('an amount is held to the smallest, the greatest and the step, and to the faces where there are some', () => {
  expect(faultOfFace(free, null)).toBe('missing')
  expect(faultOfFace(free, 4_999)).toBe('low')
  expect(faultOfFace(free, 100_001)).toBe('high')
  expect(faultOfFace(free, 5_500)).toBe('step')
  expect([5_000, 6_000, 100_000].map((one) => faultOfFace(free, one))).toEqual([null, null, null])
  const fixed = { ...free, faces: [fen(10_000), fen(20_000)] }
  expect([10_000, 15_000, 20_000].map((one) => faultOfFace(fixed, one))).toEqual([null, 'missing', null])
})

test('whatever was typed, a step leads to an amount that can be had, and never the other way', () => {
  const listings = fc
    .tuple(
      fc.integer({ min: 1, max: 50_000 }),
      fc.integer({ min: 0, max: 200_000 }),
      fc.integer({ min: 1, max: 9_999 }),
    )
    .map(([min, more, step]) => ({ faces: [], minFaceFen: fen(min), maxFaceFen: fen(min + more), stepFen: fen(step) }))
  fc.assert(
    fc.property(listings, fc.option(fc.integer({ min: -5, max: 400_000 })), (listing, typed) => {
      for (const one of [stepped(listing, typed, 1), stepped(listing, typed, -1), ...suggested(listing)])
        expect(faultOfFace(listing, one)).toBeNull()
      if (typed !== null && faultOfFace(listing, typed) === null) {
        expect(stepped(listing, typed, 1)).toBeGreaterThanOrEqual(typed)
        expect(stepped(listing, typed, -1)).toBeLessThanOrEqual(typed)
      }
    }),
  )
})
