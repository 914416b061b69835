import { expect, test } from 'vitest'
import { dayField } from './fields.ts'
import { ReportInput } from './hr/report.ts'

test('a day is one of the calendar, and the day after it has a date too', () => {
  for (const day of ['1970-01-01', '2024-02-29', '2999-12-31'])
    expect([day, dayField.safeParse(day).success]).toEqual([day, true])
  for (const day of ['2026-02-29', '0000-01-01', '1969-12-31', '3000-01-01', '9999-12-31', 'today', '']) {
    expect([day, dayField.safeParse(day).success]).toEqual([day, false])
    expect([day, ReportInput.safeParse({ fromDay: '2026-01-01', toDay: day }).success]).toEqual([day, false])
  }
})
