import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cardNumbers, isCardNumber, NUMBERS_PER_EPOCH } from './rules.ts'

const series = { issuerPrefix: '6230', keyEpoch: 1, key: randomBytes(32) }
const numbersFrom = cardNumbers(series)
const numberOf = (counter: number) => numbersFrom(counter, 1)[0]!

test('a million counters give a million valid numbers of one length', () => {
  const seen = new Set<string>()
  for (let first = 0; first < 1_000_000; first += 10_000)
    for (const number of numbersFrom(first, 10_000)) seen.add(number)
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

test('a run gives what its counters give one by one, up to the last counter', () => {
  for (const first of [0, 12_345, NUMBERS_PER_EPOCH - 20])
    expect(numbersFrom(first, 20)).toEqual(Array.from({ length: 20 }, (_, i) => numberOf(first + i)))
  expect(numbersFrom(5, 0)).toEqual([])
  expect(() => numbersFrom(NUMBERS_PER_EPOCH - 19, 20)).toThrow(RangeError)
})

test('neighbouring counters do not give neighbouring numbers, and another key gives others', () => {
  const steps = new Set(
    numbersFrom(0, 1000).map((number, i) => Number(numberOf(i + 1).slice(5, 16)) - Number(number.slice(5, 16))),
  )
  expect(steps.size).toBeGreaterThan(990)
  expect(cardNumbers({ ...series, key: randomBytes(32) })(1, 1)).not.toEqual([numberOf(1)])
})

test('counters and series outside their range are refused', () => {
  for (const bad of [-1, 0.5, NUMBERS_PER_EPOCH]) expect(() => numberOf(bad)).toThrow(RangeError)
  expect(() => cardNumbers({ ...series, issuerPrefix: 'x' })).toThrow(RangeError)
  expect(() => cardNumbers({ ...series, keyEpoch: 10 })).toThrow(RangeError)
})
