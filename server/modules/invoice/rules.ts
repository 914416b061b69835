import { fen, splitFen, type Fen } from '../../../contract/fen.ts'

/** A department's part of an invoice; the empty name stands for the whole order, or people without one. */
export interface Line {
  readonly department: string
  readonly fen: Fen
}

/** Cuts an amount over lines in proportion, the odd fen to the largest remainder; lines of nothing are left out. */
export function cutLines(amount: Fen, lines: readonly Line[]): Line[] {
  const parts = splitFen(
    amount,
    lines.map((line) => line.fen),
  )
  return lines
    .map(({ department }, index) => ({ department, fen: parts[index] ?? fen(0) }))
    .filter((line) => line.fen > 0)
}

export interface Standing {
  readonly id: string
  readonly state: string
  readonly amountFen: Fen
}

/**
 * Which invoices of an order must go so that what is left is within `allowed`: the newest first, whole ones. Null while
 * one is being issued and they are too many: how that ends decides first.
 */
export function chooseReversals<T extends Standing>(invoices: readonly T[], allowed: number): readonly T[] | null {
  const live = invoices.filter(({ state }) => state === 'requested' || state === 'issuing' || state === 'issued')
  let excess = live.reduce((sum, one) => sum + one.amountFen, 0) - allowed
  if (excess <= 0) return []
  if (live.some(({ state }) => state === 'issuing')) return null
  const chosen: T[] = []
  for (const one of live.toSorted((a, b) => (a.id < b.id ? 1 : -1))) {
    if (excess <= 0) break
    chosen.push(one)
    excess -= one.amountFen
  }
  return chosen
}
