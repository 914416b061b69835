import { fen, type Fen } from './fen.ts'

/** What a card costs, in basis points of its face, rounded half up, and never nothing. */
export function priceOf(faceFen: Fen, priceBp: number): Fen {
  return fen(Math.max(1, Math.floor((faceFen * priceBp + 5_000) / 10_000)))
}
