import { expect, test } from 'vitest'
import { readDifference } from './proof-words.ts'

test('a difference is read with its unit', () => {
  expect(readDifference('stored 500 fen, posted -3 fen')).toEqual({ stored: 500, posted: -3, unit: 'fen' })
  expect(readDifference('stored 200 heads, posted 199 heads')).toEqual({ stored: 200, posted: 199, unit: 'heads' })
})

test('what is no difference is left to be shown as it is', () => {
  for (const detail of [
    'no entry',
    'VALUE is off by 3 fen',
    'stored 1 fen, posted 1 heads',
    'stored x fen, posted 1 fen',
  ])
    expect(readDifference(detail), detail).toBeNull()
})
