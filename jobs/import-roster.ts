import type { Id } from '../contract/ids.ts'
import { SheetRefusal } from '../importers/sheet-refusal.ts'
import { streamStaffList, type StaffListSummary } from '../importers/staff-list.ts'
import type { Edge } from '../server/kernel/context.ts'
import { beginReading, finishReading, refuseReading, type DueReading } from '../server/modules/staff/read-file.ts'
import { readRosterFile } from '../server/modules/staff/roster-file.ts'
import {
  dropRows,
  holdReading,
  ROWS_PER_TRANSACTION,
  writeRows,
  type ReadRow,
} from '../server/modules/staff/write-rows.ts'

/** Somebody began another reading of this list, or it is over: this one stops. */
class Overtaken extends Error {}

/**
 * The job `roster.import`: reads an uploaded staff list into rows, at most 500 a transaction. Killed at any point and
 * run again, or run twice at once, each row is written once. A file that cannot be taken ends as `rejected`.
 */
export async function importRoster(edge: Edge, rosterId: Id<'roster'>): Promise<void> {
  const due = await edge.tx((tx) => beginReading(tx, rosterId))
  if (due === null) return
  try {
    await dropAll(edge, due, due.version)
    const bytes = await readRosterFile(edge, due)
    if (bytes === null) throw new Error(`roster ${rosterId}: its bytes are erased`)
    const summary = await readRows(edge, due, bytes)
    await edge.tx((tx) => finishReading(tx, due, factsOf(summary)))
  } catch (error) {
    if (error instanceof Overtaken) return
    if (!(error instanceof SheetRefusal)) throw error
    await dropAll(edge, due, null)
    await edge.tx((tx) => refuseReading(tx, due, error.code))
  }
}

async function readRows(edge: Edge, due: DueReading, bytes: Uint8Array): Promise<StaffListSummary> {
  let rows: ReadRow[] = []
  let rowsRead = 0
  const write = async (): Promise<void> => {
    const slice = rows
    rows = []
    rowsRead += slice.length
    if (!(await edge.tx((tx) => writeRows(tx, due, slice, rowsRead)))) throw new Overtaken()
  }
  const { fileName, exactAccounts } = due
  const options = { fileName, exactAccounts, ...(due.mapping && { mapping: due.mapping }) }
  const summary = await streamStaffList(bytes, options, async (row) => {
    rows.push(row)
    if (rows.length === ROWS_PER_TRANSACTION) await write()
  })
  await write()
  return summary
}

/** Rows of an earlier reading go before the first of this one is written; all go when the file is refused. */
async function dropAll(edge: Edge, due: DueReading, keep: number | null): Promise<void> {
  const drop = () =>
    edge.tx(async (tx) => {
      if (!(await holdReading(tx, due))) throw new Overtaken()
      return dropRows(tx, due.id, keep)
    })
  while ((await drop()) > 0);
}

function factsOf(summary: StaffListSummary) {
  const { sheet, headerRow, skipped, warnings, samples } = summary
  const used = Object.entries(summary.columns).map(([letter, column]) => ({ letter, ...column }))
  const ignored = Object.entries(summary.ignoredColumns).map(([letter, header]) => ({ letter, header, field: null }))
  const columns = [...used, ...ignored].sort((a, b) => place(a.letter) - place(b.letter))
  return { reading: { sheet, headerRow, columns, skipped, warnings }, samples }
}

function place(letters: string): number {
  let index = 0
  for (const sign of letters) index = index * 26 + sign.charCodeAt(0) - 64
  return index
}
