import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fenOf, ghostOf, isSettled, nothingTyped, press, typedOf, type Typed } from './amount.ts'

const type = (keys: string | readonly string[], from: Typed = nothingTyped): Typed =>
  (typeof keys === 'string' ? keys.split('') : keys).reduce(press, from)
const shown = (typed: Typed): string => typed.text + ghostOf(typed)

test('an amount is typed as people say it, and always shown with two decimals', () => {
  const rows: readonly [string, string, number][] = [
    ['', '0.00', 0],
    ['1', '1.00', 100],
    ['12', '12.00', 1200],
    ['12.', '12.00', 1200],
    ['12.3', '12.30', 1230],
    ['12.34', '12.34', 1234],
    ['.5', '0.50', 50],
    ['007', '7.00', 700],
    ['0.01', '0.01', 1],
    ['1..2', '1.20', 120],
  ]
  for (const [keys, text, fen] of rows) {
    const typed = type(keys)
    expect([keys, shown(typed), fenOf(typed)]).toEqual([keys, text, fen])
  }
  expect(fenOf(type(['5', '00']))).toBe(50_000)
  expect(fenOf(type(['5', '.', '00']))).toBe(500)
  expect(type(['1', '.', '2', 'back', 'back', 'back', 'back'])).toEqual(nothingTyped)
})

test('amounts that floats get wrong are right', () => {
  for (const [keys, fen] of [
    ['0.29', 29],
    ['1.15', 115],
    ['8.95', 895],
    ['4.35', 435],
    ['1001.10', 100_110],
  ] as const)
    expect(fenOf(type(keys))).toBe(fen)
})

test('a third decimal and an eighth digit find no place', () => {
  expect(type('1.239').text).toBe('1.23')
  expect(type('12345678').text).toBe('1234567')
  expect(isSettled(type('12345678'))).toBe(true)
  expect(press(nothingTyped, 'x')).toBe(nothingTyped)
})

test('a hand scanner that fires at the pad leaves no amount that its Enter could pay', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^28\d{50}$/), fc.stringMatching(/^\d{0,4}(\.\d{0,2})?$/), (code, before) => {
      const typed = type(code, type(before))
      expect([typed.text, isSettled(typed)]).toEqual(['', false])
      // And the pad is as good as new for the hand that types next.
      expect(fenOf(type(['back', '8'], typed))).toBe(800)
    }),
  )
})

test('an amount that is set stands as if it had been typed', () => {
  for (const fen of [1, 10, 99, 100, 101, 1230, 50_000, 999_999_999]) expect(fenOf(typedOf(fen))).toBe(fen)
  expect(typedOf(1230).text).toBe('12.30')
  expect(typedOf(2000).text).toBe('20')
})
