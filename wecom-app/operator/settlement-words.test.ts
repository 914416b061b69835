import { expect, test } from 'vitest'
import { ageOf, payeeKind, percentOf, readPercent, readSpan, readSubject, spanOf } from './settlement-words.ts'

test('an age is said in its largest unit', () => {
  const minute = 60_000
  expect(ageOf(-5)).toEqual({ unit: 'minutes', count: 0 })
  expect(ageOf(59 * minute + 59_999)).toEqual({ unit: 'minutes', count: 59 })
  expect(ageOf(60 * minute)).toEqual({ unit: 'hours', count: 1 })
  expect(ageOf(24 * 60 * minute - 1)).toEqual({ unit: 'hours', count: 23 })
  expect(ageOf(24 * 60 * minute)).toEqual({ unit: 'days', count: 1 })
})

test('a percentage is read to the basis point, and nothing is guessed', () => {
  expect(readPercent('4')).toBe(400)
  expect(readPercent(' 4.5 %')).toBe(450)
  expect(readPercent('0.07％')).toBe(7)
  expect(readPercent('4.')).toBe(400)
  expect(readPercent('100')).toBe(10_000)
  for (const text of ['', '-1', '100.01', '4.555', '4,5', 'x', '1e2', '.5']) expect(readPercent(text)).toBeNull()
  for (let bp = 0; bp <= 10_000; bp += 1) expect(readPercent(percentOf(bp))).toBe(bp)
})

test('a length of time is written as it is read: saving it unchanged changes nothing', () => {
  expect(spanOf(86_400_000)).toEqual({ unit: 'hours', text: '24' })
  expect(spanOf(600_000)).toEqual({ unit: 'minutes', text: '10' })
  for (const ms of [0, 600_000, 5_400_000, 90_000, 86_400_000, 2_160_000_000]) {
    const { unit, text } = spanOf(ms)
    expect(readSpan(text, unit)).toBe(ms)
  }
  for (const text of ['', '-1', '1e3', '1.234', 'x']) expect(readSpan(text, 'hours')).toBeNull()
})

test('the subject of a difference is read; what nobody knows stays whole', () => {
  expect(readSubject('paid FLK123')).toEqual({ kind: 'paid', number: 'FLK123', account: null })
  expect(readSubject('share FLS1 1900000001')).toEqual({ kind: 'share', number: 'FLS1', account: '1900000001' })
  expect(readSubject('gift 1')).toEqual({ kind: 'other', number: 'gift 1', account: null })
})

test('a payee is the platform, a payer, or somebody with a name', () => {
  expect(['platform', 'refund:rfp_1', 'brd_1', 'brd_1.c1'].map(payeeKind)).toEqual([
    'platform',
    'refund',
    'named',
    'named',
  ])
})
