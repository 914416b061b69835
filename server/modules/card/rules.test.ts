import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cardNumber, isCardNumber, NUMBERS_PER_EPOCH } from './rules.ts'

const series = { issuerPrefix: '6230', keyEpoch: 1, key: randomBytes(32) }
const numberOf = cardNumber(series)

test('a million counters give a million valid numbers of one length', () => {
  const seen = new Set<string>()
  for (let counter = 0; counter < 1_000_000; counter += 1) seen.add(numberOf(counter))
  expect(seen.size).toBe(1_000_000)
  for (const number of [...seen].slice(0, 1000)) {
    expect(number).toHaveLength(17)
    expect(number.startsWith('62301')).toBe(true)
    expect(isCardNumber(number)).toBe(true)
  }
})

test('any one wrong digit is caught', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: NUMBERS_PER_EPOCH - 1 }),
      fc.nat(16),
      fc.integer({ min: 1, max: 9 }),
      (counter, at, by) => {
        const number = numberOf(counter)
        const wrong = number.slice(0, at) + String((Number(number[at]) + by) % 10) + number.slice(at + 1)
        expect(isCardNumber(wrong)).toBe(false)
      },
    ),
  )
})

test('neighbouring counters do not give neighbouring numbers, and another key gives others', () => {
  const steps = new Set(
    Array.from({ length: 1000 }, (_, i) => Number(numberOf(i + 1).slice(5, 16)) - Number(numberOf(i).slice(5, 16))),
  )
  expect(steps.size).toBeGreaterThan(990)
  expect(cardNumber({ ...series, key: randomBytes(32) })(1)).not.toBe(numberOf(1))
})

test('counters and series outside their range are refused', () => {
  for (const bad of [-1, 0.5, NUMBERS_PER_EPOCH]) expect(() => numberOf(bad)).toThrow(RangeError)
  expect(() => cardNumber({ ...series, issuerPrefix: 'x' })).toThrow(RangeError)
  expect(() => cardNumber({ ...series, keyEpoch: 10 })).toThrow(RangeError)
})
