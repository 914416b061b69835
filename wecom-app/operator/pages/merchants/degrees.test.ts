import { expect, test } from 'vitest'
import { degreesOf, readDegrees } from './degrees.ts'

test('degrees are read to the millionth and written as they are read', () => {
  expect(readDegrees('22.548457', 90)).toBe(22_548_457)
  expect(readDegrees(' 113.9446189° ', 180)).toBe(113_944_618)
  expect(readDegrees('-0.5', 90)).toBe(-500_000)
  expect(readDegrees('22', 90)).toBe(22_000_000)
  for (const e6 of [0, 1, -1, 22_548_457, -113_944_618, 180_000_000]) expect(readDegrees(degreesOf(e6), 180)).toBe(e6)
})

test('nothing typed is no place, and what is no degree is said to be wrong', () => {
  expect(readDegrees('  ', 90)).toBeNull()
  expect(degreesOf(null)).toBe('')
  for (const text of ['x', '22,5', '22.', '1e2', '90.000001', '-91']) expect(readDegrees(text, 90)).toBe('wrong')
})
