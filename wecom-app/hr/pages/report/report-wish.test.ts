import { expect, test } from 'vitest'
import { pathOf, wishOf } from './report-wish.ts'

test('people without a department are asked for, and what the page itself keeps in its address is not sent', () => {
  const wish = wishOf({ department: '', fromDay: '2026-01-01', by: 'byMonth', toDay: ['a', 'b'] })
  expect(wish).toEqual({ department: '', fromDay: '2026-01-01' })
  expect(pathOf('/hr/report', wish)).toBe('/hr/report?fromDay=2026-01-01&department=')
  expect(pathOf('/hr/report', {})).toBe('/hr/report')
  expect(pathOf('/hr/report/rows', { department: '研发 & 一部' }, { figure: 'spent' })).toBe(
    '/hr/report/rows?department=%E7%A0%94%E5%8F%91+%26+%E4%B8%80%E9%83%A8&figure=spent',
  )
})
