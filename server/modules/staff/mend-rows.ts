import { setImmediate as breathe } from 'node:timers/promises'
import type { Lang } from '../../../contract/error-codes.ts'
import type { RosterRowView } from '../../../contract/hr/staff.ts'
import type { Id } from '../../../contract/ids.ts'
import { normaliseRow, trimCell, type RosterCells, type RosterField } from '../../../contract/roster-row.ts'
import { rosterMoves, type RosterState } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import {
  changedKeys,
  countFaulty,
  dropFaults,
  judgeTwins,
  settleFaulty,
  type TouchedRow,
  type TwinIndexes,
} from './judge-twins.ts'
import { viewsOf, type SealedRow } from './read-roster.ts'
import { fieldsOf, openReading } from './reading.ts'
import { inOrder, nextWindow } from './row-order.ts'
import { openRow, sealRow } from './seal-row.ts'
import { Roster } from './tables.ts'
import { lockRoster, readRosterSpace } from './write-rows.ts'

export interface Settled {
  readonly faultyCount: number
  readonly state: RosterState
}

interface Editable {
  readonly id: Id<'roster'>
  readonly state: 'needs_mending' | 'ready'
  readonly fields: readonly RosterField[]
}

interface Changed {
  readonly row: EditedRow
  readonly cells: RosterCells
}

interface EditedRow extends SealedRow {
  readonly phone_index: string | null
  readonly staff_no_index: string | null
  readonly user_id_index: string | null
}

/**
 * Puts new texts into cells and checks these rows and their twins again by the rules of the import; a blank text
 * empties a cell. Returns the rows and every twin whose faults changed. Refuses with `not_found` for what is not a row
 * of a list of the actor's company, `state_conflict` for a list that is being read, applied or is used.
 */
export async function mendRows(
  tx: Tx,
  wish: { readonly id: Id<'roster'>; readonly rows: readonly { id: Id<'rosterRow'>; cells: RosterCells }[] },
  lang: Lang,
): Promise<{ rows: RosterRowView[] } & Settled> {
  const roster = await holdEditable(tx, wish.id)
  const cells = new Map<string, RosterCells>()
  for (const row of wish.rows) cells.set(row.id, { ...cells.get(row.id), ...row.cells })
  const rows = await readRows(tx, roster.id, [...cells.keys()])
  if (rows.length < cells.size) refuse('not_found')
  const changed = rows.map((row) => ({ row, cells: { ...openRow(tx.house, row).cells, ...cells.get(row.id) } }))
  const { twins, faulty } = await changeRows(tx, roster, changed)
  const views = await readViews(tx, roster.id, [...cells.keys(), ...twins], lang)
  return { rows: views, ...(await settle(tx, roster, { rows: 0, faulty })) }
}

/** Takes rows out of a list, so that they are neither checked nor applied; their twins are judged again. */
export async function removeRows(
  tx: Tx,
  wish: { readonly id: Id<'roster'>; readonly rowIds: readonly Id<'rosterRow'>[] },
  lang: Lang,
): Promise<{ rows: RosterRowView[] } & Settled> {
  const roster = await holdEditable(tx, wish.id)
  const rows = await readRows(tx, roster.id, wish.rowIds)
  if (rows.length < new Set(wish.rowIds).size) refuse('not_found')
  const ids = rows.map((row) => row.id)
  const slots = ids.map(() => '?').join(',')
  const gone = await countFaulty(tx, ids)
  await change(tx.em, `update roster_row set removed = 1, faulty = 0 where id in (${slots})`, ids)
  await change(tx.em, `delete from roster_fault where row_id in (${slots})`, ids)
  const twins = await judgeTwins(tx, roster.id, rows.map(indexesBefore))
  const more = (await settleFaulty(tx, [...twins])) - gone
  const views = await readViews(tx, roster.id, [...twins], lang)
  return { rows: views, ...(await settle(tx, roster, { rows: -rows.length, faulty: more })) }
}

const SCANNED_AT_ONCE = 1000
const CHANGED_AT_ONCE = 250

/**
 * Replaces a text that fills a cell of one column in every row that has it, in transactions of at most 250 rows, and
 * checks those rows again. Harmless to repeat.
 */
export async function replaceTexts(
  edge: Edge,
  wish: { readonly id: Id<'roster'>; readonly field: RosterField; readonly from: string; readonly to: string },
): Promise<{ changed: number } & Settled> {
  let settled = await edge.tx(async (tx) => settle(tx, await holdEditable(tx, wish.id), { rows: 0, faulty: 0 }))
  let changed = 0
  for (let after: number | null = 0; after !== null;) {
    const from: number = after
    const scanned = await edge.read((tx) => scan(tx, wish, from))
    for (let at = 0; at < scanned.fitting.length; at += CHANGED_AT_ONCE) {
      const ids = scanned.fitting.slice(at, at + CHANGED_AT_ONCE)
      const done = await edge.tx((tx) => replaceSlice(tx, wish, ids))
      changed += done.changed
      settled = done.settled
    }
    after = scanned.last
    await breathe()
  }
  return { changed, ...settled }
}

type Replacing = Parameters<typeof replaceTexts>[1]

const fits = (cells: RosterCells, wish: Replacing): boolean => trimCell(cells[wish.field]) === trimCell(wish.from)

async function scan(tx: Tx, wish: Replacing, after: number): Promise<{ fitting: string[]; last: number | null }> {
  const window = await nextWindow(tx, { rosterId: wish.id, after, span: SCANNED_AT_ONCE })
  if (window === null) return { fitting: [], last: null }
  const rows = await sql<SealedRow>(
    tx.em,
    'select id, row_no, sealed from roster_row where roster_id = ? and row_no between ? and ? and removed = 0',
    [wish.id, ...window],
  )
  const fitting = rows.filter((row) => fits(openRow(tx.house, row).cells, wish)).map((row) => row.id)
  return { fitting, last: window[1] }
}

async function replaceSlice(tx: Tx, wish: Replacing, ids: readonly string[]) {
  const roster = await holdEditable(tx, wish.id)
  const rows = (await readRows(tx, roster.id, ids))
    .map((row) => ({ row, cells: openRow(tx.house, row).cells }))
    .filter(({ cells }) => fits(cells, wish))
    .map(({ row, cells }) => ({ row, cells: { ...cells, [wish.field]: wish.to } }))
  const { faulty } = await changeRows(tx, roster, rows)
  return { changed: rows.length, settled: await settle(tx, roster, { rows: 0, faulty }) }
}

async function holdEditable(tx: Tx, id: Id<'roster'>): Promise<Editable> {
  const roster = await findOwn(tx, Roster, id)
  const state = (await lockRoster(tx, id))?.state
  if (state !== 'needs_mending' && state !== 'ready') refuse('state_conflict')
  return { id, state, fields: fieldsOf(openReading(tx, roster)) }
}

async function readRows(tx: Tx, rosterId: Id<'roster'>, ids: readonly string[]): Promise<EditedRow[]> {
  const rows = await sql<EditedRow>(
    tx.em,
    `select id, row_no, sealed, phone_index, staff_no_index, user_id_index from roster_row
     where roster_id = ? and removed = 0 and id in (${ids.map(() => '?').join(',')})`,
    [rosterId, ...ids],
  )
  return inOrder(rows)
}

const indexesBefore = (row: EditedRow): TwinIndexes => ({
  phoneIndex: row.phone_index,
  staffNoIndex: row.staff_no_index,
  userIdIndex: row.user_id_index,
})

/** Writes changed rows and their faults, judges old and new twins; tells the twins whose faults changed and how many more rows are faulty. */
async function changeRows(
  tx: Tx,
  roster: Editable,
  rows: readonly Changed[],
): Promise<{ twins: Id<'rosterRow'>[]; faulty: number }> {
  if (rows.length === 0) return { twins: [], faulty: 0 }
  const touched: TouchedRow[] = []
  const faults: Record<string, string | null>[] = []
  const space = await readRosterSpace(tx, roster.id)
  for (const { row, cells: given } of rows) {
    const cells = withoutBlanks(given)
    const { person, faults: found } = normaliseRow(cells, presentIn(roster, cells))
    const columns = sealRow(tx.house, space, row.id, { cells, person })
    await rewriteRow(tx, row.id, columns)
    for (const { field, code } of found)
      faults.push({ row_id: row.id, field, code, roster_id: roster.id, first_row: null })
    touched.push({ id: row.id, before: indexesBefore(row), after: columns })
  }
  const ids = rows.map(({ row }) => row.id)
  await dropFaults(tx, touched)
  await insertRows(tx.em, 'roster_fault', faults)
  const twins = await judgeTwins(tx, roster.id, touched.flatMap(changedKeys))
  const faulty = await settleFaulty(tx, [...new Set([...ids, ...twins])])
  return { twins: [...twins], faulty }
}

async function rewriteRow(tx: Tx, id: Id<'rosterRow'>, columns: ReturnType<typeof sealRow>): Promise<void> {
  await change(
    tx.em,
    `update roster_row set sealed = ?, department = ?, amount_fen = ?, phone_index = ?, staff_no_index = ?,
       user_id_index = ?, name_index = ? where id = ?`,
    [
      columns.sealed,
      columns.department,
      columns.amountFen,
      columns.phoneIndex,
      columns.staffNoIndex,
      columns.userIdIndex,
      columns.nameIndex,
      id,
    ],
  )
}

/** A field the file has no column for counts once somebody fills it in. */
function presentIn(roster: Editable, cells: RosterCells): ReadonlySet<RosterField> {
  return new Set([...roster.fields, ...(Object.keys(cells) as RosterField[])])
}

function withoutBlanks(cells: RosterCells): RosterCells {
  return Object.fromEntries(Object.entries(cells).filter(([, text]) => trimCell(text) !== ''))
}

/** Rows that an answer shows: those that were edited and their twins. */
const SHOWN_AT_MOST = 1000

async function readViews(tx: Tx, rosterId: Id<'roster'>, ids: readonly string[], lang: Lang): Promise<RosterRowView[]> {
  const unique = [...new Set(ids)].slice(0, SHOWN_AT_MOST)
  return unique.length === 0 ? [] : viewsOf(tx, await readRows(tx, rosterId, unique), lang)
}

/** Adds to the counts, under the list's lock, and lets the state follow: a list without faults is ready. */
async function settle(
  tx: Tx,
  roster: Editable,
  more: { readonly rows: number; readonly faulty: number },
): Promise<Settled> {
  await change(tx.em, 'update roster set row_count = row_count + ?, faulty_count = faulty_count + ? where id = ?', [
    more.rows,
    more.faulty,
    roster.id,
  ])
  const [counted] = await sql<{ faulty_count: number }>(tx.em, 'select faulty_count from roster where id = ?', [
    roster.id,
  ])
  const faulty = Number(counted?.faulty_count)
  const state = faulty > 0 ? 'needs_mending' : 'ready'
  if (state !== roster.state)
    await move(tx, { table: 'roster', id: roster.id, from: roster.state, to: state, moves: rosterMoves })
  return { faultyCount: faulty, state }
}
