import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fen, sumFen } from '../../../contract/fen.ts'
import { chooseReversals, cutLines } from './rules.ts'

const amounts = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 20 })

test('lines sum to the amount, whatever they weigh', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), amounts, (amount, weights) => {
      const lines = weights.map((weight, index) => ({ department: `${index}`, fen: fen(weight) }))
      const cut = cutLines(fen(amount), lines)
      expect(sumFen(cut.map((line) => line.fen))).toBe(amount)
      expect(cut.every((line) => line.fen > 0)).toBe(true)
    }),
  )
})

test('whole invoices go, the newest first, until what stands is within what is allowed, and no more of them', () => {
  const states = fc.constantFrom('requested', 'issued', 'reversing', 'red', 'rejected')
  const some = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), states), { maxLength: 8 })
  fc.assert(
    fc.property(some, fc.integer({ min: 0, max: 5000 }), (given, allowed) => {
      const invoices = given.map(([amount, state], index) => ({ id: `${index}`, amountFen: fen(amount), state }))
      const live = invoices.filter((one) => one.state === 'requested' || one.state === 'issued')
      const gone = chooseReversals(invoices, allowed)!
      const left = live.filter((one) => !gone.includes(one))
      const sum = (list: readonly { readonly amountFen: number }[]) => sumFen(list.map((one) => one.amountFen))
      expect(sum(left)).toBeLessThanOrEqual(allowed)
      expect(live.slice(0, left.length)).toEqual(left)
      const last = gone.at(-1)
      if (last) expect(sum(left) + last.amountFen).toBeGreaterThan(allowed)
    }),
  )
})

test('while one is being issued nothing is chosen, unless they fit', () => {
  const invoices = [
    { id: '1', state: 'issued', amountFen: fen(60) },
    { id: '2', state: 'issuing', amountFen: fen(40) },
  ]
  expect(chooseReversals(invoices, 99)).toBeNull()
  expect(chooseReversals(invoices, 100)).toEqual([])
})
