/**
 * Rows in the order of the list. Sorted here and not by the database: asked for an order beside a choice of keys, SQLite
 * walks the whole list along the index of row numbers instead of looking the keys up.
 */
export function inOrder<T extends { readonly row_no: number }>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => Number(a.row_no) - Number(b.row_no))
}
