import type { Id } from '../../../contract/ids.ts'
import type { RosterField, RowFaultCode } from '../../../contract/roster-row.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { inOrder } from './row-order.ts'

/** What no two rows of a list may share, and the fault of the later one. */
const twinKeys = [
  { column: 'phone_index', property: 'phoneIndex', field: 'phone', code: 'phone-duplicate' },
  { column: 'staff_no_index', property: 'staffNoIndex', field: 'staffNo', code: 'staffno-duplicate' },
  { column: 'user_id_index', property: 'userIdIndex', field: 'wecomUserId', code: 'userid-duplicate' },
] as const satisfies { column: string; property: string; field: RosterField; code: RowFaultCode }[]
type TwinKey = (typeof twinKeys)[number]

/** The fingerprints of a row by which it may have twins. */
export type TwinIndexes = Readonly<Record<TwinKey['property'], string | null>>

/** A row whose content was changed. */
export interface TouchedRow {
  readonly id: Id<'rosterRow'>
  readonly before: TwinIndexes
  readonly after: TwinIndexes
}

/** What a changed row shared and may share now, by the keys that changed: the twins of the others stay as they are. */
export function changedKeys({ before, after }: TouchedRow): TwinIndexes[] {
  const only = (indexes: TwinIndexes): TwinIndexes => {
    const of = (property: TwinKey['property']): string | null =>
      before[property] === after[property] ? null : indexes[property]
    return { phoneIndex: of('phoneIndex'), staffNoIndex: of('staffNoIndex'), userIdIndex: of('userIdIndex') }
  }
  return [only(before), only(after)]
}

/** Erases the faults of changed rows, except those of a twin whose key is the same as before. */
export async function dropFaults(tx: Tx, rows: readonly TouchedRow[]): Promise<void> {
  const drop = async (ids: readonly string[], condition: string, codes: readonly string[]): Promise<void> => {
    if (ids.length === 0) return
    const slots = ids.map(() => '?').join(',')
    await change(tx.em, `delete from roster_fault where row_id in (${slots}) and ${condition}`, [...ids, ...codes])
  }
  const idsOf = (some: readonly TouchedRow[]): string[] => some.map((row) => row.id)
  const codes = twinKeys.map((key) => key.code)
  await drop(idsOf(rows), `code not in (${codes.map(() => '?').join(',')})`, codes)
  for (const { property, code } of twinKeys) {
    const other = rows.filter((row) => row.before[property] !== row.after[property])
    await drop(idsOf(other), 'code = ?', [code])
  }
}

const PER_QUERY = 500

/**
 * Judges again every row that shares one of these fingerprints: the first has no fault, each later one names the first.
 * Returns the rows whose faults changed; their `faulty` is for the caller to settle.
 */
export async function judgeTwins(
  tx: Tx,
  rosterId: Id<'roster'>,
  touched: readonly TwinIndexes[],
): Promise<Set<Id<'rosterRow'>>> {
  const changed = new Set<Id<'rosterRow'>>()
  for (const key of twinKeys) {
    const values = [...new Set(touched.flatMap((one) => one[key.property] ?? []))]
    for (let from = 0; from < values.length; from += PER_QUERY) {
      const ids = await judgeKey(tx, rosterId, key, values.slice(from, from + PER_QUERY))
      for (const id of ids) changed.add(id)
    }
  }
  return changed
}

interface Twin {
  readonly id: Id<'rosterRow'>
  readonly row_no: number
  readonly shared: string
  readonly fault: string | null
  readonly first_row: number | null
}

async function judgeKey(tx: Tx, rosterId: Id<'roster'>, key: TwinKey, values: readonly string[]) {
  const twins = await sql<Twin>(
    tx.em,
    `select r.id, r.row_no, r.${key.column} as shared, f.row_id as fault, f.first_row
     from roster_row r left join roster_fault f on f.row_id = r.id and f.field = ? and f.code = ?
     where r.roster_id = ? and r.removed = 0 and r.${key.column} in (${values.map(() => '?').join(',')})`,
    [key.field, key.code, rosterId, ...values],
  )
  const first = new Map<string, Twin>()
  const wrong: { id: Id<'rosterRow'>; firstRow: number | null }[] = []
  for (const twin of inOrder(twins)) {
    const before = first.get(twin.shared)
    if (before === undefined) first.set(twin.shared, twin)
    const wanted = before === undefined ? null : Number(before.row_no)
    const has = twin.fault === null ? null : Number(twin.first_row)
    if (has !== wanted) wrong.push({ id: twin.id, firstRow: wanted })
  }
  await writeFaults(tx, rosterId, key, wrong)
  return wrong.map((one) => one.id)
}

async function writeFaults(
  tx: Tx,
  rosterId: Id<'roster'>,
  { field, code }: TwinKey,
  wrong: readonly { id: Id<'rosterRow'>; firstRow: number | null }[],
): Promise<void> {
  for (let from = 0; from < wrong.length; from += PER_QUERY) {
    const rows = wrong.slice(from, from + PER_QUERY)
    await change(
      tx.em,
      `delete from roster_fault where field = ? and code = ? and row_id in (${rows.map(() => '?').join(',')})`,
      [field, code, ...rows.map((row) => row.id)],
    )
    const later = rows.filter((row) => row.firstRow !== null)
    if (later.length === 0) continue
    await insertRows(
      tx.em,
      'roster_fault',
      later.map(({ id, firstRow }) => ({ row_id: id, field, code, roster_id: rosterId, first_row: firstRow })),
    )
  }
}

/** Sets each row's `faulty` by whether it has faults; returns how many more of them are faulty than before. */
export async function settleFaulty(tx: Tx, rowIds: readonly Id<'rosterRow'>[]): Promise<number> {
  let more = 0
  for (let from = 0; from < rowIds.length; from += PER_QUERY) {
    const ids = rowIds.slice(from, from + PER_QUERY)
    more -= await countFaulty(tx, ids)
    await change(
      tx.em,
      `update roster_row set faulty = case when exists (select 1 from roster_fault f where f.row_id = roster_row.id) then 1 else 0 end
       where id in (${ids.map(() => '?').join(',')})`,
      ids,
    )
    more += await countFaulty(tx, ids)
  }
  return more
}

/** How many of these rows are marked as faulty. */
export async function countFaulty(tx: Tx, rowIds: readonly Id<'rosterRow'>[]): Promise<number> {
  const [row] = await sql<{ heads: unknown }>(
    tx.em,
    `select sum(faulty) as heads from roster_row where id in (${rowIds.map(() => '?').join(',')})`,
    rowIds,
  )
  return readSum(row?.heads)
}
