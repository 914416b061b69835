import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fen, sumFen } from '../../../contract/fen.ts'
import { encodeId } from '../../../contract/ids.ts'
import { cutParts, judgeArrival, newReference, nextLookAt, referencesIn } from './rules.ts'

const arrived = (amount: number, more: Partial<Parameters<typeof judgeArrival>[0]> = {}) =>
  judgeArrival({
    amount: fen(amount),
    asked: fen(100),
    wasClosed: false,
    orderState: 'awaiting_funds',
    needed: fen(100),
    ...more,
  })

const needOf = (index: number, missing: number, promised: number) => ({
  brandId: encodeId('brand', BigInt(index)),
  missingFen: fen(missing),
  promisedFen: fen(promised),
})

describe('money that arrives', () => {
  test('has a named outcome on both sides of each limit', () => {
    expect(arrived(100)).toEqual({ counted: 100, surplus: 0, outcome: 'exact' })
    expect(arrived(99)).toEqual({ counted: 99, surplus: 0, outcome: 'short' })
    expect(arrived(101)).toEqual({ counted: 100, surplus: 1, outcome: 'over' })
    expect(arrived(150, { needed: fen(200) })).toEqual({ counted: 150, surplus: 0, outcome: 'over' })
    expect(arrived(100, { needed: fen(40) })).toEqual({ counted: 40, surplus: 60, outcome: 'over' })
    expect(arrived(100, { wasClosed: true })).toEqual({ counted: 100, surplus: 0, outcome: 'late' })
    expect(arrived(100, { wasClosed: true, needed: fen(0) })).toMatchObject({ counted: 0, outcome: 'duplicate' })
    expect(arrived(100, { orderState: 'issued' })).toEqual({ counted: 0, surplus: 100, outcome: 'duplicate' })
    for (const orderState of ['cancelled', 'refunded', 'refunding', 'closed'] as const)
      expect(arrived(100, { orderState })).toEqual({ counted: 0, surplus: 100, outcome: 'order_closed' })
  })

  test('is never lost and never counts beyond what is needed', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), fc.boolean(), (amount, asked, needed, wasClosed) => {
        const { counted, surplus } = arrived(amount, { asked: fen(asked), needed: fen(needed), wasClosed })
        expect(counted + surplus).toBe(amount)
        expect(counted).toBeLessThanOrEqual(needed)
      }),
    )
  })

  test('is cut over what brands miss; parts sum to it and stay within each need', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1e9), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.nat(1e9),
        (missing, share, most) => {
          const needs = missing.map((one, index) => needOf(index, one, Math.min(one, most)))
          const total = sumFen(missing)
          const amount = fen(total === 0 ? 0 : share % (total + 1))
          const parts = cutParts(amount, needs)
          expect(sumFen(parts.map((part) => part.amountFen))).toBe(amount)
          for (const part of parts) {
            const need = needs.find((one) => one.brandId === part.brandId)
            expect(part.amountFen).toBeLessThanOrEqual(need!.missingFen)
          }
        },
      ),
    )
  })
})

test('money for any brand leaves what a brand awaits at its own merchant, as long as it can', () => {
  const needs = [needOf(0, 60, 42), needOf(1, 40, 0)]
  const parts = (amount: number) => cutParts(fen(amount), needs).map((part) => part.amountFen)
  expect(parts(58)).toEqual([18, 40])
  expect(parts(29)).toEqual([9, 20])
  expect(parts(60)).toEqual([20, 40])
  expect(parts(100)).toEqual([60, 40])
  expect(parts(0)).toEqual([])
})

test('a look comes after 5 s, 20 s, 80 s and then every three minutes, always later than now', () => {
  const at = (now: number) => nextLookAt(1_000_000, 1_000_000 + now) - 1_000_000
  expect([0, 4_999, 5_000, 19_999, 20_000, 80_000, 259_999, 260_000].map(at)).toEqual([
    5_000, 5_000, 20_000, 20_000, 80_000, 260_000, 260_000, 440_000,
  ])
})

describe('references', () => {
  test('are found in what people and banks make of them', () => {
    const memos = [
      'FLKAB23CD45',
      'flk ab23 cd45',
      'ＦＬＫＡＢ２３ＣＤ４５',
      '货款FLKAB23CD45谢谢',
      '2026年中秋福利，FLK-AB23-CD45。',
      '用途:FLKAB23CD45/6月',
      'FLK FLKAB23CD45',
    ]
    for (const memo of memos) expect([memo, referencesIn(memo).payments]).toEqual([memo, ['FLKAB23CD45']])
    expect(referencesIn('flkw abcd2345')).toEqual({ payments: [], wallets: ['FLKWABCD2345'] })
    expect(referencesIn('FLKAB23CD45 FLK22222222').payments).toEqual(['FLKAB23CD45', 'FLK22222222'])
    expect(referencesIn('FLKAB23CD4O FLK1234')).toEqual({ payments: [], wallets: [] })
  })

  test('that are made are found again and do not repeat', () => {
    const made = Array.from({ length: 2000 }, () => newReference(randomBytes))
    expect(new Set(made).size).toBe(2000)
    for (const one of made) expect(referencesIn(`付 ${one.toLowerCase()}`)).toEqual({ payments: [one], wallets: [] })
  })
})
