import { fen, type Fen } from './fen.ts'

/** So many payments at most are opened at once. */
export const MOST_PIECES = 50

/**
 * Cuts an amount into payments of at most `most` each: as many of that as go, then the rest. They sum to the amount.
 * Null when that takes more than MOST_PIECES, or there is nothing to cut. Shared by the server and the page's preview.
 */
export function cutPieces(amount: Fen, most: Fen): Fen[] | null {
  if (amount === 0 || most === 0 || amount > most * MOST_PIECES) return null
  const whole = Math.floor(amount / most)
  const rest = amount - whole * most
  return [...Array.from({ length: whole }, () => most), ...(rest > 0 ? [fen(rest)] : [])]
}
