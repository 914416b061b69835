import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fen, formatYuan, splitFen, signedFen } from './fen.ts'

test('fen refuses fractions, negatives and unsafe numbers', () => {
  for (const bad of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) expect(() => fen(bad)).toThrow(RangeError)
  expect(signedFen(-5)).toBe(-5)
})

test('parts of a split sum to the whole and differ from the exact share by less than one fen', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000_000_000_00 }),
      fc.array(fc.integer({ min: 0, max: 1_000_000_00 }), { minLength: 1, maxLength: 50 }),
      (total, weights) => {
        fc.pre(weights.some((weight) => weight > 0))
        const parts = splitFen(fen(total), weights)
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total)
        const whole = weights.reduce((sum, weight) => sum + weight, 0)
        parts.forEach((part, i) => expect(Math.abs(part - (total * weights[i]!) / whole)).toBeLessThan(1.001))
      },
    ),
  )
})

test('money is printed with thousands and two decimals', () => {
  expect(formatYuan(123456)).toBe('¥1,234.56')
  expect(formatYuan(-5)).toBe('-¥0.05')
})
