import type { Tx } from '../../kernel/context.ts'
import { readSum } from '../../kernel/columns.ts'
import { sql } from '../../kernel/sql.ts'
import type { Account, Unit } from './accounts.ts'

/** Something in the books that must not be. */
export interface Finding {
  readonly rule: string
  readonly subject: string
  readonly detail: string
}

/** The rules that the ledger is held to by itself. */
export const ledgerRules = ['entry_sums_to_zero', 'entry_has_lines', 'line_has_entry'] as const

/**
 * Proves the ledger by itself: every entry sums to zero in each unit, has lines, and no line stands without its entry.
 * Returns what is wrong; an empty list is the proof. Reads everything: run it daily and after tests.
 */
export async function proveLedger(tx: Tx): Promise<Finding[]> {
  const unbalanced = await sql<{ entry_id: string; unit: string; total: unknown }>(
    tx.em,
    'select entry_id, unit, sum(amount) as total from posting group by entry_id, unit having sum(amount) <> 0',
  )
  const empty = await sql<{ id: string }>(
    tx.em,
    'select entry.id from entry left join posting on posting.entry_id = entry.id where posting.entry_id is null',
  )
  const orphans = await sql<{ entry_id: string }>(
    tx.em,
    'select posting.entry_id from posting left join entry on posting.entry_id = entry.id where entry.id is null',
  )
  return [
    ...unbalanced.map((row) => ({
      rule: 'entry_sums_to_zero',
      subject: row.entry_id,
      detail: `${row.unit} is off by ${readSum(row.total)} fen`,
    })),
    ...empty.map((row) => ({ rule: 'entry_has_lines', subject: row.id, detail: 'no line' })),
    ...orphans.map((row) => ({ rule: 'line_has_entry', subject: row.entry_id, detail: 'no entry' })),
  ]
}

/** The balance of an account in signed fen: debits less credits. */
export async function readBalance(tx: Tx, unit: Unit, account: Account): Promise<number> {
  const rows = await sql<{ total: unknown }>(
    tx.em,
    'select sum(amount) as total from posting where unit = ? and account = ?',
    [unit, account],
  )
  return readSum(rows[0]?.total)
}
