import type { Id } from '../../../contract/ids.ts'
import type { RosterCells, RosterPerson, RowFault } from '../../../contract/roster-row.ts'
import type { RosterState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import { sealRow } from './seal-row.ts'

/** Rows written or erased in one transaction: few, for on SQLite everybody waits while it runs. */
export const ROWS_PER_TRANSACTION = 500

/** One row as the reader of the file hands it on. */
export interface ReadRow {
  readonly row: number
  readonly cells: RosterCells
  readonly person: RosterPerson
  readonly faults: readonly Pick<RowFault, 'field' | 'code' | 'firstRow'>[]
}

/** One reading of one file: a later correction of the columns begins another. */
export interface ReadingOf {
  readonly id: Id<'roster'>
  readonly version: number
}

/** Holds the list's row until the commit; null when there is no such list. Edits, readings and applyings wait here. */
export async function lockRoster(tx: Tx, id: Id<'roster'>): Promise<{ state: RosterState; version: number } | null> {
  await change(tx.em, 'update roster set rows_read = rows_read where id = ?', [id])
  const [row] = await sql<{ state: RosterState; version: number }>(
    tx.em,
    'select state, version from roster where id = ?',
    [id],
  )
  return row ? { state: row.state, version: Number(row.version) } : null
}

/** Whether this reading still counts; holds the list's row. */
export async function holdReading(tx: Tx, reading: ReadingOf): Promise<boolean> {
  const roster = await lockRoster(tx, reading.id)
  return roster?.state === 'reading' && roster.version === reading.version
}

/**
 * Writes rows of a reading, at most 500, with their faults; rows that stand are passed over, so that a reading that
 * was stopped goes on and two at once make each row once. Returns false when the reading no longer counts.
 */
export async function writeRows(
  tx: Tx,
  reading: ReadingOf,
  rows: readonly ReadRow[],
  rowsRead: number,
): Promise<boolean> {
  if (!(await holdReading(tx, reading))) return false
  const first = rows[0]
  const last = rows.at(-1)
  if (!first || !last) return true
  const standing = await sql<{ row_no: number }>(
    tx.em,
    'select row_no from roster_row where roster_id = ? and row_no between ? and ?',
    [reading.id, first.row, last.row],
  )
  const stand = new Set(standing.map((row) => Number(row.row_no)))
  const fresh = rows.filter((row) => !stand.has(row.row))
  if (fresh.length > 0) await insertFresh(tx, reading, fresh, await readRosterSpace(tx, reading.id))
  await change(tx.em, 'update roster set rows_read = ? where id = ? and rows_read < ?', [
    rowsRead,
    reading.id,
    rowsRead,
  ])
  return true
}

/** How the accounts on a list compare: as those of its company. */
export async function readRosterSpace(tx: Tx, rosterId: Id<'roster'>): Promise<UserIdSpace> {
  const [row] = await sql<{ company: Id<'company'> }>(tx.em, 'select company_id as company from roster where id = ?', [
    rosterId,
  ])
  return row ? readUserIdSpace(tx, row.company) : 'folded'
}

async function insertFresh(tx: Tx, reading: ReadingOf, rows: readonly ReadRow[], space: UserIdSpace): Promise<void> {
  const faults: Record<string, string | number | null>[] = []
  const made = rows.map((row) => {
    const id = tx.newId('rosterRow')
    for (const { field, code, firstRow = null } of row.faults)
      faults.push({ row_id: id, field, code, roster_id: reading.id, first_row: firstRow })
    const columns = sealRow(tx.house, space, id, row)
    return {
      id,
      roster_id: reading.id,
      row_no: row.row,
      reading_version: reading.version,
      sealed: columns.sealed,
      faulty: row.faults.length > 0 ? 1 : 0,
      removed: 0,
      department: columns.department,
      amount_fen: columns.amountFen,
      phone_index: columns.phoneIndex,
      staff_no_index: columns.staffNoIndex,
      user_id_index: columns.userIdIndex,
      name_index: columns.nameIndex,
    }
  })
  await insertRows(tx.em, 'roster_row', made)
  await insertRows(tx.em, 'roster_fault', faults)
}

/**
 * Erases up to 500 rows of a list that belong to another reading than `keep` (null: any), with their faults. Returns
 * how many went.
 */
export async function dropRows(tx: Tx, rosterId: Id<'roster'>, keep: number | null): Promise<number> {
  const rows = await sql<{ id: string }>(
    tx.em,
    'select id from roster_row where roster_id = ? and reading_version <> ? order by row_no limit ?',
    [rosterId, keep ?? -1, ROWS_PER_TRANSACTION],
  )
  if (rows.length === 0) return 0
  const ids = rows.map((row) => row.id)
  const slots = ids.map(() => '?').join(',')
  await change(tx.em, `delete from roster_fault where row_id in (${slots})`, ids)
  return change(tx.em, `delete from roster_row where id in (${slots})`, ids)
}
