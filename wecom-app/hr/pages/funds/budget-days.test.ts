import { expect, test } from 'vitest'
import { spanOf } from './budget-days.ts'

test.each([
  ['2026-02-20', 'month', '2026-02-01', '2026-02-28'],
  ['2028-02-29', 'month', '2028-02-01', '2028-02-29'],
  ['2026-12-31', 'month', '2026-12-01', '2026-12-31'],
  ['2026-01-01', 'quarter', '2026-01-01', '2026-03-31'],
  ['2026-11-22', 'quarter', '2026-10-01', '2026-12-31'],
  ['2026-11-22', 'year', '2026-01-01', '2026-12-31'],
] as const)('%s is in the %s from %s to %s', (day, span, fromDay, toDay) => {
  expect(spanOf(day, span)).toEqual({ fromDay, toDay })
})
