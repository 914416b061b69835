import { signedFen, type Fen, type SignedFen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { insertRows } from '../../kernel/sql.ts'
import type { Account, Unit } from './accounts.ts'

export interface Line {
  readonly unit: Unit
  readonly account: Account
  readonly amount: SignedFen
}

export interface NewEntry {
  /** What happened, in the words of the event table (funds_received, issued, …). */
  readonly kind: string
  /** The object that it happened to. */
  readonly ref: string
  readonly lines: readonly Line[]
  readonly corrects?: Id<'entry'>
}

export const debit = (to: Account, amount: Fen, unit: Unit = 'CNY'): Line => ({
  unit,
  account: to,
  amount: signedFen(amount),
})
export const credit = (to: Account, amount: Fen, unit: Unit = 'CNY'): Line => ({
  unit,
  account: to,
  amount: signedFen(0 - amount),
})

/**
 * Writes entries, each with its lines, in the caller's transaction: two inserts for any number of entries.
 * Throws when an entry has no line or does not sum to zero in each of its units.
 */
export async function post(tx: Tx, entries: readonly NewEntry[]): Promise<Id<'entry'>[]> {
  entries.forEach(mustBalance)
  const atMs = tx.clock.now()
  const rows = entries.map((entry) => ({
    id: tx.newId('entry'),
    kind: entry.kind,
    ref: entry.ref,
    corrects_id: entry.corrects ?? null,
    at_ms: atMs,
  }))
  if (rows.length === 0) return []
  await insertRows(tx.em, 'entry', rows)
  const postings = entries.flatMap((entry, index) =>
    entry.lines.map(({ unit, account, amount }, line) => ({ entry_id: rows[index]!.id, line, unit, account, amount })),
  )
  await insertRows(tx.em, 'posting', postings)
  return rows.map((row) => row.id)
}

function mustBalance(entry: NewEntry): void {
  const sums = new Map<Unit, number>()
  for (const line of entry.lines) sums.set(line.unit, (sums.get(line.unit) ?? 0) + line.amount)
  const off = [...sums].find(([, sum]) => sum !== 0)
  if (entry.lines.length === 0 || off) throw new Error(`entry ${entry.kind} of ${entry.ref} does not balance`)
}
