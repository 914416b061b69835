import { expect, test } from 'vitest'
import { faceAllowed } from './rules.ts'

const steps = { faces: '[]', minFaceFen: 1_000, maxFaceFen: 10_000, stepFen: 500 }

test.each([
  [999, false],
  [1_000, true],
  [1_001, false],
  [1_500, true],
  [10_000, true],
  [10_500, false],
  [0, false],
  [-500, false],
])('steps between minimum and maximum: %i', (face, allowed) => {
  expect(faceAllowed(steps, face)).toBe(allowed)
})

test('a fixed list is the whole choice, whatever the steps say', () => {
  const fixed = { ...steps, faces: '[1000,5000]' }
  expect([1_000, 1_500, 5_000].map((face) => faceAllowed(fixed, face))).toEqual([true, false, true])
})
