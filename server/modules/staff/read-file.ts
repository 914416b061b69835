import type { Id } from '../../../contract/ids.ts'
import type { RosterRefusalCode } from '../../../contract/roster-refusals.ts'
import { rosterMoves } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { readUserIdSpace } from '../company/read-user-id-space.ts'
import { openMapping, openReading, sealReading, type Mapping, type Reading } from './reading.ts'
import { namePlace } from './receive-roster.ts'
import { Roster } from './tables.ts'
import { holdReading, type ReadingOf } from './write-rows.ts'

/** A file whose reading is due. */
export interface DueReading extends ReadingOf {
  readonly fileName: string
  readonly chunkCount: number
  readonly mapping: Mapping | null
  /** Two accounts may differ by case alone: ids of a provider app. */
  readonly exactAccounts: boolean
}

/** Where the sample values of the columns are sealed. */
export const samplesPlace = (rosterId: string) => ({ table: 'roster', column: 'samples_sealed', rowId: rosterId })

/** Begins the reading of a list, or goes on with it; null when there is nothing to read any more. */
export async function beginReading(tx: Tx, rosterId: Id<'roster'>): Promise<DueReading | null> {
  const step = { table: 'roster', id: rosterId, from: 'received', to: 'reading', moves: rosterMoves }
  await move(tx, step)
  const roster = await tx.em.findOne(Roster, { id: rosterId }, { disableIdentityMap: true })
  if (roster?.state !== 'reading') return null
  return {
    id: roster.id,
    version: roster.version,
    fileName: tx.house.seal.open(namePlace(rosterId), roster.nameSealed),
    chunkCount: roster.chunkCount,
    mapping: openMapping(tx, roster),
    exactAccounts: (await readUserIdSpace(tx, roster.companyId)) === 'exact',
  }
}

/** What the reading of a file found, besides rows. */
export interface FileFacts {
  readonly reading: Omit<Reading, 'mappingRefused'>
  /** Column letter -> some of its values. */
  readonly samples: Readonly<Record<string, readonly string[]>>
}

const SKIPPED_SHOWN = 200
const HEADER_CHARS = 60

/** Ends a reading: counts what stands, keeps what is known of the columns. Harmless when it no longer counts. */
export async function finishReading(tx: Tx, due: ReadingOf, facts: FileFacts): Promise<void> {
  if (!(await holdReading(tx, due))) return
  const { all, faulty } = await countRows(tx, due.id)
  const before = await tx.em.findOneOrFail(Roster, { id: due.id }, { disableIdentityMap: true })
  const reading: Reading = {
    ...facts.reading,
    columns: facts.reading.columns.map((column) => ({ ...column, header: column.header.slice(0, HEADER_CHARS) })),
    skipped: facts.reading.skipped.slice(0, SKIPPED_SHOWN),
    mappingRefused: openReading(tx, before)?.mappingRefused ?? null,
  }
  const samples = tx.house.seal.seal(samplesPlace(due.id), JSON.stringify(facts.samples))
  await tx.em.nativeUpdate(Roster, { id: due.id }, { samplesSealed: samples })
  await move(tx, {
    table: 'roster',
    id: due.id,
    from: 'reading',
    to: faulty > 0 ? 'needs_mending' : 'ready',
    moves: rosterMoves,
    set: { reading_sealed: sealReading(tx, due.id, reading), row_count: all, rows_read: all, faulty_count: faulty },
  })
}

/**
 * Ends a reading whose file cannot be taken. Where a person's correction of the columns is the cause, that correction
 * is given up and the file is read once more by our guess: a slip there must not lose the list.
 */
export async function refuseReading(tx: Tx, due: DueReading, code: RosterRefusalCode): Promise<void> {
  if (!(await holdReading(tx, due))) return
  if (due.mapping === null) {
    const set = { refusal: code, rows_read: 0, row_count: 0, faulty_count: 0 }
    await move(tx, {
      table: 'roster',
      id: due.id,
      from: 'reading',
      to: 'rejected',
      moves: rosterMoves,
      set,
      note: code,
    })
    return
  }
  const before = await tx.em.findOneOrFail(Roster, { id: due.id }, { disableIdentityMap: true })
  const reading = openReading(tx, before)
  await change(
    tx.em,
    'update roster set mapping_sealed = null, reading_sealed = ?, rows_read = 0, version = version + 1 where id = ? and version = ?',
    [reading && sealReading(tx, due.id, { ...reading, mappingRefused: code }), due.id, due.version],
  )
  await enqueue(tx, [importJob({ id: due.id, version: due.version + 1 })])
}

/** The job that reads a list's file; one for each reading. */
export const importJob = (reading: ReadingOf) => ({
  kind: 'roster.import',
  key: `roster.import:${reading.id}:${reading.version}`,
  args: { rosterId: reading.id },
})

/** Rows of a list that are not taken out, and those of them with faults. */
export async function countRows(tx: Tx, rosterId: Id<'roster'>): Promise<{ all: number; faulty: number }> {
  const rows = await sql<{ faulty: unknown; heads: unknown }>(
    tx.em,
    'select faulty, count(*) as heads from roster_row where roster_id = ? and removed = 0 group by faulty',
    [rosterId],
  )
  const faulty = readSum(rows.find((row) => Number(row.faulty) === 1)?.heads)
  return { all: faulty + readSum(rows.find((row) => Number(row.faulty) === 0)?.heads), faulty }
}
