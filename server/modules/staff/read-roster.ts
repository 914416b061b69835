import type { Lang } from '../../../contract/error-codes.ts'
import type { FaultKind, RosterDetail, RosterRowView, RosterSummary } from '../../../contract/hr/staff.ts'
import type { Id } from '../../../contract/ids.ts'
import { describeRowFault, type RosterField, type RowFaultCode } from '../../../contract/roster-row.ts'
import { describeRosterRefusal, rosterRefusalCodes } from '../../../contract/roster-refusals.ts'
import { describeRosterSkipped, describeRosterWarning } from '../../../contract/roster-remarks.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf, findOwn } from '../../kernel/tenant.ts'
import { samplesPlace } from './read-file.ts'
import { openReading, type Reading } from './reading.ts'
import { namePlace } from './receive-roster.ts'
import { indexesOfSearch } from './seal-person.ts'
import type { UserIdSpace } from '../company/read-user-id-space.ts'
import { openRow } from './seal-row.ts'
import { Roster, type RosterDbRow } from './tables.ts'
import { readRosterSpace } from './write-rows.ts'

/** The lists of the actor's company, newest first. */
export async function readRosters(
  tx: Tx,
  page: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<{ rosters: RosterSummary[]; nextCursor: string | null }> {
  const before = page.cursor === undefined ? {} : { id: { $lt: page.cursor as Id<'roster'> } }
  const rows = await tx.em.find(
    Roster,
    { companyId: companyOf(tx.actor), ...before },
    { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true },
  )
  const shown = rows.slice(0, page.limit)
  const nextCursor = rows.length > shown.length ? (shown.at(-1)?.id ?? null) : null
  return { rosters: shown.map((row) => summaryOf(tx, row)), nextCursor }
}

function summaryOf(tx: Tx, row: RosterDbRow): RosterSummary {
  return {
    id: row.id,
    name: tx.house.seal.open(namePlace(row.id), row.nameSealed),
    state: row.state,
    rowsRead: row.rowsRead,
    rowCount: row.rowCount,
    faultyCount: row.faultyCount,
    createdAtMs: row.createdAtMs,
    usedAtMs: row.usedAtMs ?? null,
  }
}

/** What a page needs in order to see whether a list moved on: cheap. `not_found` for another company's list. */
export async function readRosterMark(tx: Tx, id: Id<'roster'>): Promise<{ mark: string; busy: boolean }> {
  const row = await findOwn(tx, Roster, id)
  const busy = row.state === 'received' || row.state === 'reading' || row.state === 'applying'
  return { mark: `${row.version}:${row.rowsRead}:${row.faultyCount}`, busy }
}

/** Everything about a list except its rows. Counts of rows are taken once the reading is done. */
export async function readRosterDetail(tx: Tx, id: Id<'roster'>, lang: Lang): Promise<RosterDetail> {
  const row = await findOwn(tx, Roster, id)
  const reading = openReading(tx, row)
  const done = row.state !== 'received' && row.state !== 'reading'
  const code = rosterRefusalCodes.find((one) => one === row.refusal)
  return {
    ...summaryOf(tx, row),
    sheet: reading?.sheet ?? null,
    headerRow: reading?.headerRow ?? null,
    columns: columnsOf(tx, row, reading),
    skipped: (reading?.skipped ?? []).map((one) => describeRosterSkipped(one, lang)),
    warnings: warningsOf(reading, lang),
    refusal: code === undefined ? null : { code, message: describeRosterRefusal(code, lang) },
    faultKinds: done ? await readFaultKinds(tx, id, lang) : [],
    departments: done ? await readDepartments(tx, id) : [],
    ...(done ? await readTotals(tx, id) : { withAmount: 0, removedCount: 0 }),
  }
}

function columnsOf(tx: Tx, row: RosterDbRow, reading: Reading | null): RosterDetail['columns'] {
  if (reading === null) return []
  const sealed = row.samplesSealed
  const samples = sealed
    ? (JSON.parse(tx.house.seal.open(samplesPlace(row.id), sealed)) as Record<string, string[]>)
    : {}
  return reading.columns.map((column) => ({ ...column, samples: samples[column.letter] ?? [] }))
}

function warningsOf(reading: Reading | null, lang: Lang): string[] {
  if (reading === null) return []
  const warnings = reading.warnings.map((one) => describeRosterWarning(one, lang))
  if (reading.mappingRefused === null) return warnings
  const why = describeRosterRefusal(reading.mappingRefused, lang)
  const words = lang === 'zh' ? `列的更正没有采用：${why}` : `The corrected columns were not taken: ${why}`
  return [words, ...warnings]
}

async function readFaultKinds(tx: Tx, id: Id<'roster'>, lang: Lang): Promise<FaultKindView[]> {
  const rows = await sql<{ code: RowFaultCode; field: RosterField; rows_count: unknown }>(
    tx.em,
    'select code, field, count(*) as rows_count from roster_fault where roster_id = ? group by code, field order by count(*) desc, code',
    [id],
  )
  return rows.map(({ code, field, rows_count }) => ({
    code,
    field,
    ...describeRowFault({ code }, lang),
    count: readSum(rows_count),
  }))
}
type FaultKindView = (typeof FaultKind)['_output']

/** Departments with their valid heads; those without one stand under the empty name. */
async function readDepartments(tx: Tx, id: Id<'roster'>): Promise<{ name: string; heads: number }[]> {
  const rows = await sql<{ department: string | null; heads: unknown }>(
    tx.em,
    'select department, count(*) as heads from roster_row where roster_id = ? and faulty = 0 and removed = 0 group by department order by department',
    [id],
  )
  return rows.map((row) => ({ name: row.department ?? '', heads: readSum(row.heads) }))
}

async function readTotals(tx: Tx, id: Id<'roster'>): Promise<{ withAmount: number; removedCount: number }> {
  const [row] = await sql<{ with_amount: unknown; removed_count: unknown }>(
    tx.em,
    `select sum(case when removed = 0 and faulty = 0 and amount_fen is not null then 1 else 0 end) as with_amount,
       sum(case when removed = 1 then 1 else 0 end) as removed_count from roster_row where roster_id = ?`,
    [id],
  )
  return { withAmount: readSum(row?.with_amount), removedCount: readSum(row?.removed_count) }
}

export interface RowsWish {
  readonly id: Id<'roster'>
  readonly faulty: boolean
  readonly code?: RowFaultCode | undefined
  readonly query?: string | undefined
  readonly after: number
  readonly offset: number
  readonly limit: number
}

/** Rows of a list in their order, filtered, with the count of all that fit. Rows that were taken out are not shown. */
export async function readRosterRows(
  tx: Tx,
  wish: RowsWish,
  lang: Lang,
): Promise<{ total: number; rows: RosterRowView[] }> {
  await findOwn(tx, Roster, wish.id)
  const { text, values } = conditionsOf(tx, await readRosterSpace(tx, wish.id), wish)
  const [all] = await sql<{ heads: unknown }>(tx.em, `select count(*) as heads from roster_row r where ${text}`, values)
  const rows = await sql<SealedRow>(
    tx.em,
    `select r.id, r.row_no, r.sealed from roster_row r where ${text} and r.row_no > ? order by r.row_no limit ? offset ?`,
    [...values, wish.after, wish.limit, wish.offset],
  )
  return { total: readSum(all?.heads), rows: await viewsOf(tx, rows, lang) }
}

function conditionsOf(tx: Tx, space: UserIdSpace, wish: RowsWish): { text: string; values: unknown[] } {
  const texts = ['r.roster_id = ?', 'r.removed = 0']
  const values: unknown[] = [wish.id]
  if (wish.faulty || wish.code !== undefined) texts.push('r.faulty = 1')
  if (wish.code !== undefined) {
    texts.push('exists (select 1 from roster_fault f where f.row_id = r.id and f.code = ?)')
    values.push(wish.code)
  }
  const sought = wish.query?.trim() ?? ''
  if (sought !== '') {
    const index = indexesOfSearch(tx.house, space, sought)
    texts.push('(r.name_index = ? or r.phone_index = ? or r.staff_no_index = ? or r.user_id_index = ?)')
    values.push(index.nameIndex, index.phoneIndex, index.staffNoIndex, index.userIdIndex)
  }
  return { text: texts.join(' and '), values }
}

export interface SealedRow {
  readonly id: Id<'rosterRow'>
  readonly row_no: number
  readonly sealed: Uint8Array
}

/** Rows as a page shows them: cells as they were written, faults in words. */
export async function viewsOf(tx: Tx, rows: readonly SealedRow[], lang: Lang): Promise<RosterRowView[]> {
  if (rows.length === 0) return []
  const faults = await sql<{
    row_id: string
    field: RosterField
    code: RowFaultCode
    first_row: number | null
  }>(
    tx.em,
    `select row_id, field, code, first_row from roster_fault where row_id in (${rows.map(() => '?').join(',')}) order by row_id, field, code`,
    rows.map((row) => row.id),
  )
  const byRow = Map.groupBy(faults, (fault) => fault.row_id)
  return rows.map((row) => ({
    id: row.id,
    row: Number(row.row_no),
    cells: openRow(tx.house, row).cells,
    faults: (byRow.get(row.id) ?? []).map(({ field, code, first_row }) => {
      const firstRow = first_row === null ? null : Number(first_row)
      return { field, code, ...describeRowFault(firstRow === null ? { code } : { code, firstRow }, lang), firstRow }
    }),
  }))
}
