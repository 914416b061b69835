import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutPieces, MOST_PIECES } from './cut-pieces.ts'
import { fen } from './fen.ts'

test('an amount is cut into pieces of at most the limit, the rest last', () => {
  expect(cutPieces(fen(2_120_000), fen(500_000))).toEqual([500_000, 500_000, 500_000, 500_000, 120_000])
  expect(cutPieces(fen(500_000), fen(500_000))).toEqual([500_000])
  expect(cutPieces(fen(3), fen(500_000))).toEqual([3])
  expect(cutPieces(fen(50), fen(1))).toHaveLength(50)
  expect(cutPieces(fen(51), fen(1))).toBeNull()
  expect(cutPieces(fen(0), fen(1))).toBeNull()
  expect(cutPieces(fen(1), fen(0))).toBeNull()
})

test('pieces sum to the amount, none is over the limit or empty, and no piece could be left out', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000_000_000 }),
      fc.integer({ min: 1, max: 1_000_000_000 }),
      (amount, most) => {
        const pieces = cutPieces(fen(amount), fen(most))
        const needed = Math.ceil(amount / most)
        if (needed > MOST_PIECES) {
          expect(pieces).toBeNull()
          return
        }
        expect(pieces).toHaveLength(needed)
        expect(pieces!.reduce((sum, piece) => sum + piece, 0)).toBe(amount)
        expect(pieces!.every((piece) => piece > 0 && piece <= most)).toBe(true)
      },
    ),
  )
})
