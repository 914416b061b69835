import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDays, daysBetween, offsetAt, readZone, wallAt } from '../../contract/wall-clock.ts'
import { dayOf, instantOf, startOfDay } from './company-day.ts'

const at = (text: string): number => Date.parse(text)
const iso = (ms: number): string => new Date(ms).toISOString()

test('a day of the company begins at its own midnight', () => {
  expect(dayOf(at('2025-09-27T15:59:59.999Z'), 'Asia/Shanghai')).toBe('2025-09-27')
  expect(dayOf(at('2025-09-27T16:00:00Z'), 'Asia/Shanghai')).toBe('2025-09-28')
  expect(iso(startOfDay('2025-09-28', 'Asia/Shanghai'))).toBe('2025-09-27T16:00:00.000Z')
  expect(iso(instantOf('2025-09-28', 9 * 60 + 30, 'Asia/Shanghai'))).toBe('2025-09-28T01:30:00.000Z')
  expect(iso(instantOf('2025-09-28', 0, 'Asia/Kathmandu'))).toBe('2025-09-27T18:15:00.000Z')
  expect(dayOf(at('2025-12-31T23:30:00Z'), 'Pacific/Kiritimati')).toBe('2026-01-01')
})

test('clocks put forward: what they never show comes later by what was skipped', () => {
  const zone = 'Europe/Berlin'
  expect(iso(instantOf('2025-03-30', 119, zone))).toBe('2025-03-30T00:59:00.000Z')
  expect(iso(instantOf('2025-03-30', 120, zone))).toBe('2025-03-30T01:00:00.000Z')
  expect(iso(instantOf('2025-03-30', 150, zone))).toBe('2025-03-30T01:30:00.000Z')
  expect(wallAt(instantOf('2025-03-30', 150, zone), zone)).toEqual({ day: '2025-03-30', minute: 210 })
  expect(iso(instantOf('2025-03-30', 180, zone))).toBe('2025-03-30T01:00:00.000Z')
})

test('clocks put back: what they show twice is the first time', () => {
  const zone = 'America/New_York'
  expect(iso(instantOf('2025-11-02', 90, zone))).toBe('2025-11-02T05:30:00.000Z')
  expect(iso(instantOf('2025-11-02', 120, zone))).toBe('2025-11-02T07:00:00.000Z')
  expect(iso(instantOf('2025-04-06', 105, 'Australia/Lord_Howe'))).toBe('2025-04-05T14:45:00.000Z')
})

test('a day without a midnight begins when the clocks were put forward; a day that was left out, with the next', () => {
  expect(iso(startOfDay('2025-09-07', 'America/Santiago'))).toBe('2025-09-07T04:00:00.000Z')
  expect(wallAt(startOfDay('2025-09-07', 'America/Santiago'), 'America/Santiago').minute).toBe(60)
  expect(iso(startOfDay('1919-03-31', 'America/Toronto'))).toBe('1919-03-31T04:30:00.000Z')
  expect(iso(startOfDay('2025-04-06', 'America/Santiago'))).toBe('2025-04-06T04:00:00.000Z')
  expect(dayOf(startOfDay('2011-12-30', 'Pacific/Apia'), 'Pacific/Apia')).toBe('2011-12-31')
})

test('days are counted by the calendar, and what is no day is none', () => {
  expect([addDays('2024-02-28', 1), addDays('2025-02-28', 1), addDays('2026-01-01', -1)]).toEqual([
    '2024-02-29',
    '2025-03-01',
    '2025-12-31',
  ])
  expect(daysBetween('2025-03-29', '2025-03-31')).toBe(2)
  for (const day of ['2025-02-29', '2025-13-01', '2025-1-1', '', '2025-02-30'])
    expect(() => instantOf(day, 0, 'UTC')).toThrow(RangeError)
  for (const minute of [-1, 1440, 1.5, Number.NaN])
    expect(() => instantOf('2025-01-01', minute, 'UTC')).toThrow(RangeError)
})

test('zones go by their names: no offsets, no inventions', () => {
  expect(['asia/shanghai', 'UTC', 'Europe/Berlin'].map(readZone)).toEqual(['Asia/Shanghai', 'UTC', 'Europe/Berlin'])
  for (const name of ['+08:00', 'Asia/Nowhere', '', 'x'.repeat(41), '中国', 'Asia/', "UTC'"])
    expect(readZone(name), name).toBeNull()
})

test('any instant lies in its own day, and any minute that clocks show leads back to itself', () => {
  const zones = ['Asia/Shanghai', 'America/Santiago', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata']
  const instants = fc.integer({ min: at('1995-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') })
  fc.assert(
    fc.property(fc.constantFrom(...zones), instants, (zone, ms) => {
      const { day, minute } = wallAt(ms, zone)
      const start = startOfDay(day, zone)
      expect(start).toBeLessThanOrEqual(ms)
      expect(dayOf(start, zone)).toBe(day)
      expect(dayOf(start - 1, zone)).not.toBe(day)
      const back = instantOf(day, minute, zone)
      expect(wallAt(back, zone)).toEqual({ day, minute })
      expect(Math.abs(back - ms)).toBeLessThanOrEqual(3_600_000 + 60_000)
      expect(Math.abs(offsetAt(ms, zone))).toBeLessThanOrEqual(14 * 3_600_000)
    }),
    { numRuns: 400 },
  )
})
