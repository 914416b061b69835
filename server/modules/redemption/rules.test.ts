import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fen, sumFen } from '../../../contract/fen.ts'
import { encodeId } from '../../../contract/ids.ts'
import type { CardState } from '../../../contract/states.ts'
import { freeOn, payingOrder, takeInTurn, whyNot } from './rules.ts'
import { cardNow, moveValue, type CardNow } from './till-books.ts'

const brandId = encodeId('brand', 1n)
const DAY = 20_261_123
let made = 0n
const aCard = (
  balanceFen: number,
  expiresAtMs: number | null = null,
  more: { state?: CardState; spent?: number } = {},
): CardNow =>
  cardNow(
    {
      id: encodeId('card', (made += 1n)),
      holderId: 'prs_0000000000001',
      handSinceMs: 0,
      brandId,
      number: '6230000000000000',
      state: more.state ?? 'active',
      version: 1,
      balanceFen: fen(balanceFen),
      heldFen: fen(0),
      lockedUntilMs: 1_000,
      expiresAtMs,
      activities: 1,
      spentDay: DAY,
      spentDayFen: fen(more.spent ?? 0),
      spentDayTimes: more.spent === undefined ? 0 : 1,
    },
    DAY,
  )

test('what is cut over a row sums to the amount, takes no more than there is, and leaves nothing in front', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(10_000), { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (has, share) => {
        const amount = Math.floor(sumFen(has) * share)
        const parts = takeInTurn(
          amount,
          has.map((fen, at) => ({ fen, at })),
          (one) => one.fen,
        )
        expect(sumFen(parts.map((part) => part.fen))).toBe(amount)
        for (const part of parts) expect(part.fen).toBeLessThanOrEqual(part.one.fen)
        // Whoever stands before one that gives gave all it had.
        const last = parts.at(-1)?.one.at ?? -1
        for (const { one, fen } of parts) if (one.at < last) expect(fen).toBe(one.fen)
      },
    ),
  )
  expect(() => takeInTurn(11, [10], (one) => one)).toThrow(RangeError)
})

test('cards pay soonest to expire first, then the smaller, then the older; those without an end come last', () => {
  const [never, small, soon, later] = [aCard(1), aCard(5, 9_000), aCard(50, 8_000), aCard(50, 9_000)]
  expect(payingOrder([never, later, soon, small])).toEqual([soon, small, later, never])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.option(fc.nat(20))), { maxLength: 12 }), (facts) => {
      const cards = facts.map(([balance, end]) => aCard(balance, end))
      expect(payingOrder(cards.toReversed())).toEqual(payingOrder(cards))
    }),
  )
})

test('lock and end count to the millisecond', () => {
  const card = aCard(100, 2_000)
  expect([999, 1_000, 1_999, 2_000].map((now) => whyNot(card, brandId, now))).toEqual([
    'card_locked',
    null,
    null,
    'card_expired',
  ])
  expect(whyNot(card, encodeId('brand', 2n), 1_000)).toBe('card_foreign')
  for (const [state, code] of [
    ['frozen', 'card_frozen'],
    ['exhausted', 'card_ended'],
    ['refunded', 'card_ended'],
    ['void', 'card_ended'],
  ] as const)
    expect(whyNot(aCard(100, null, { state }), brandId, 1_000)).toBe(code)
})

test('an issuer’s limit of a day leaves what is not spent of it', () => {
  const card = aCard(100, null, { spent: 30 })
  const free = (cardDayFen: number | null, cardDayTimes: number | null) => freeOn(card, { cardDayFen, cardDayTimes })
  expect([free(null, null), free(50, null), free(20, null), free(null, 2), free(null, 1)]).toEqual([100, 20, 0, 100, 0])
})

test('an empty card is used up and a refilled one is not; a frozen one stays frozen', () => {
  const card = aCard(10)
  moveValue(card, 'capture', -10, 'rdm')
  expect(card.state).toBe('exhausted')
  moveValue(card, 'capture_refund', 1, 'rdm')
  expect(card).toMatchObject({ state: 'active', balanceFen: 1 })
  const frozen = aCard(10, null, { state: 'frozen' })
  moveValue(frozen, 'capture', -10, 'rdm')
  expect(frozen).toMatchObject({ state: 'frozen', balanceFen: 0 })
  expect(() => moveValue(frozen, 'capture', -1, 'rdm')).toThrow(RangeError)
})
