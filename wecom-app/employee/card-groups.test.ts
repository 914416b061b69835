import { expect, test } from 'vitest'
import type { PackCard } from '../../contract/employee/pack.ts'
import { clock } from '../lib/say-clock.ts'
import { daysLeft, groupCards, groupOf, spaced } from './card-groups.ts'

const now = Date.parse('2026-09-01T12:00:00+08:00')
const day = 86_400_000
const card = (view: PackCard['view'], endsInMs: number | null): PackCard =>
  ({ id: `${view}:${endsInMs}`, view, expiresAtMs: endsInMs === null ? null : now + endsInMs }) as unknown as PackCard

test('a card ends soon within thirty days, to the millisecond', () => {
  expect(groupOf(card('active', 30 * day), now)).toBe('soon')
  expect(groupOf(card('active', 30 * day + 1), now)).toBe('usable')
  expect(groupOf(card('active', 1), now)).toBe('soon')
  expect(groupOf(card('active', 0), now)).toBe('used')
  expect(groupOf(card('active', null), now)).toBe('usable')
})

test('what comes back is not used up, what does not is', () => {
  for (const view of ['locked', 'frozen', 'active'] as const) expect(groupOf(card(view, null), now)).toBe('usable')
  for (const view of ['exhausted', 'expired', 'refunded', 'void'] as const)
    expect(groupOf(card(view, 5 * day), now)).toBe('used')
})

test('groups come with the soonest first, and none that is empty', () => {
  const cards = [card('active', null), card('active', 9 * day), card('frozen', 2 * day)]
  const groups = groupCards(cards, now)
  expect(groups.map((one) => one.group)).toEqual(['soon', 'usable'])
  expect(groups[0]?.cards.map((one) => daysLeft(one, now))).toEqual([2, 9])
  expect(groups.flatMap((one) => one.cards)).toHaveLength(cards.length)
  expect(groupCards([], now)).toEqual([])
})

test('numbers and clocks are written as people read them', () => {
  expect(spaced('6230012345678901')).toBe('6230 0123 4567 8901')
  expect(spaced('62300')).toBe('6230 0')
  expect([clock(3_723_000), clock(59_001), clock(0), clock(-5)]).toEqual(['1:02:03', '01:00', '00:00', '00:00'])
})
