import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { daysOfQuarter, quarterEndBefore, requiredCustody, shortfallOf } from './custody-rules.ts'

test.each([
  ['scale', 100_000, 20_000],
  ['group', 100_000, 30_000],
  ['brand', 100_000, 40_000],
  ['other', 100_000, 0],
  [null, 100_000, 0],
  ['scale', 1, 1],
  ['scale', 5, 1],
  ['scale', 6, 2],
  ['group', 10_001, 3_001],
  ['brand', Number.MAX_SAFE_INTEGER, 3_602_879_701_896_397],
] as const)('of class %s and %i fen %i are kept, an odd fen up', (filed, quarterFen, required) =>
  expect(requiredCustody(filed, fen(quarterFen))).toBe(required),
)

test('what is confirmed and what is guaranteed both count; nothing confirmed is nothing', () => {
  expect(shortfallOf(fen(100), null, fen(0))).toBe(100)
  expect(shortfallOf(fen(100), fen(60), fen(39))).toBe(1)
  expect(shortfallOf(fen(100), fen(60), fen(40))).toBe(0)
  expect(shortfallOf(fen(100), fen(900), fen(0))).toBe(0)
})

test.each([
  ['2026-01-01', '2025-12-31'],
  ['2026-03-31', '2025-12-31'],
  ['2026-04-01', '2026-03-31'],
  ['2026-12-31', '2026-09-30'],
  ['2024-06-30', '2024-03-31'],
])('the quarter before %s ended on %s', (day, end) => expect(quarterEndBefore(day)).toBe(end))

test.each([
  ['2026-Q1', '2026-01-01', '2026-03-31'],
  ['2026-Q2', '2026-04-01', '2026-06-30'],
  ['2026-Q4', '2026-10-01', '2026-12-31'],
])('%s is %s to %s', (quarter, fromDay, toDay) => expect(daysOfQuarter(quarter)).toEqual({ fromDay, toDay }))
