import { expect, test } from 'vitest'
import { cardMoves, cardStateAt, orderMoves } from './states.ts'

test('every state can be reached and every target is a state', () => {
  for (const moves of [orderMoves, cardMoves] as Readonly<Record<string, readonly string[]>>[]) {
    const [first, ...rest] = Object.keys(moves)
    const reached = new Set([first, ...Object.values(moves).flat()])
    for (const state of rest) expect(reached).toContain(state)
    for (const target of Object.values(moves).flat()) expect(Object.keys(moves)).toContain(target)
  }
})

test('lock and validity end exactly to the millisecond', () => {
  const card = { state: 'active' as const, lockedUntilMs: 1000, expiresAtMs: 2000 }
  expect([999, 1000, 1001, 1999, 2000].map((now) => cardStateAt(card, now))).toEqual([
    'locked',
    'active',
    'active',
    'active',
    'expired',
  ])
  expect(cardStateAt({ ...card, expiresAtMs: null }, 9e15)).toBe('active')
  expect(cardStateAt({ ...card, state: 'frozen' }, 0)).toBe('frozen')
})
