import { PassThrough, type Readable } from 'node:stream'
import exceljs from 'exceljs'
import type { Lang } from '../../../contract/error-codes.ts'
import type { RosterRowView } from '../../../contract/hr/staff.ts'
import type { Id } from '../../../contract/ids.ts'
import { rosterFields, type RosterField } from '../../../contract/roster-row.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { isTaken } from '../../kernel/taken.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { readRosterRows } from './read-roster.ts'
import { openReading, type Reading } from './reading.ts'
import { safeText } from './rules.ts'
import { Roster } from './tables.ts'

const ROWS_AT_ONCE = 500
const words = {
  zh: { sheet: '问题行', row: '原行号', reason: (header: string) => `${header}：问题` },
  en: { sheet: 'Faulty rows', row: 'Row in the file', reason: (header: string) => `${header}: what is wrong` },
} as const

interface Column {
  readonly field: RosterField
  readonly header: string
}

/**
 * The faulty rows of a list as xlsx: each column as it was uploaded with, beside it, what is wrong with its cell and
 * what to do. No cell of it can run as a formula. `not_found` for another company's list.
 */
export async function writeFaultyRows(edge: Edge, id: Id<'roster'>, lang: Lang): Promise<Readable> {
  const columns = await edge.read(async (tx) => {
    const roster = await findOwn(tx, Roster, id)
    return columnsOf(openReading(tx, roster), await readFaultyFields(tx, id))
  })
  const out = new PassThrough()
  write(edge, id, lang, columns, out).catch((error: unknown) =>
    out.destroy(error instanceof Error ? error : new Error('the rows could not be written')),
  )
  return out
}

async function readFaultyFields(tx: Tx, id: Id<'roster'>): Promise<ReadonlySet<string>> {
  const rows = await sql<{ field: string }>(tx.em, 'select distinct field from roster_fault where roster_id = ?', [id])
  return new Set(rows.map((row) => row.field))
}

/** The list's own columns; a field that it lacks follows where a fault stands there. */
function columnsOf(reading: Reading | null, faulty: ReadonlySet<string>): Column[] {
  const own = (reading?.columns ?? []).flatMap(({ field, header }) => (field === null ? [] : { field, header }))
  const lacking = rosterFields.filter((field) => faulty.has(field) && !own.some((column) => column.field === field))
  return [...own, ...lacking.map((field) => ({ field, header: field }))]
}

async function write(edge: Edge, id: Id<'roster'>, lang: Lang, columns: Column[], out: PassThrough): Promise<void> {
  const book = new exceljs.stream.xlsx.WorkbookWriter({ stream: out, useStyles: true })
  const sheet = book.addWorksheet(words[lang].sheet, { views: [{ state: 'frozen', ySplit: 1 }] })
  const headers = columns.flatMap(({ header }) => [header, words[lang].reason(header)])
  const head = sheet.addRow([words[lang].row, ...headers].map(safeText))
  head.font = { bold: true }
  head.commit()
  for (let after = 0; ;) {
    const from = after
    const wish = { id, faulty: true, after: from, offset: 0, limit: ROWS_AT_ONCE }
    const { rows } = await edge.read((tx) => readRosterRows(tx, wish, lang))
    for (const row of rows) {
      const line = sheet.addRow([row.row, ...columns.flatMap(({ field }) => cellsOf(row, field))])
      line.numFmt = '@'
      paint(line, columns, row)
      line.commit()
    }
    if (rows.length < ROWS_AT_ONCE) break
    after = rows.at(-1)!.row
    if (!(await isTaken(out))) return
  }
  sheet.commit()
  await book.commit()
}

function cellsOf(row: RosterRowView, field: RosterField): string[] {
  const reasons = row.faults
    .filter((fault) => fault.field === field)
    .map((fault) => `${fault.message}。${fault.suggestion}`)
  return [safeText(row.cells[field] ?? ''), safeText(reasons.join('；'))]
}

/** A faulty cell is red, so that the eye finds it. */
function paint(line: exceljs.Row, columns: readonly Column[], row: RosterRowView): void {
  columns.forEach(({ field }, index) => {
    if (!row.faults.some((fault) => fault.field === field)) return
    line.getCell(2 + index * 2).fill = { type: 'pattern', pattern: 'solid', fgColor: { argb: 'FFFFD9D6' } }
  })
}
