import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/**
 * Rows in the order of the list. Sorted here and not by the database: asked for an order beside a choice of keys, SQLite
 * walks the whole list along the index of row numbers instead of looking the keys up.
 */
export function inOrder<T extends { readonly row_no: number }>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => Number(a.row_no) - Number(b.row_no))
}

/**
 * The next window of row numbers after one that holds a row, as its first and last number; null at the end of the list.
 * A list is walked by windows with both ends: with one end MariaDB reads the list from its first row each time.
 */
export async function nextWindow(
  tx: Tx,
  from: { readonly rosterId: string; readonly after: number; readonly span: number },
): Promise<readonly [number, number] | null> {
  const [next] = await sql<{ first: number | null }>(
    tx.em,
    'select min(row_no) as first from roster_row where roster_id = ? and row_no > ?',
    [from.rosterId, from.after],
  )
  if (next === undefined || next.first === null) return null
  const first = Number(next.first)
  return [first, first + from.span - 1]
}
