import { readFile, stat } from 'node:fs/promises'
import { daySerial, describeRowFault, makeDuplicateJudge, normaliseRow, rosterFields } from '../contract/roster-row.ts'
import type { RosterCells, RosterField, RosterPerson, RowFault, RowFaultCode } from '../contract/roster-row.ts'
import { rosterLimits } from '../contract/roster-limits.ts'
import type { RosterSkipped, RosterWarning } from '../contract/roster-remarks.ts'
import { openSheets } from './sheet.ts'
import type { SheetFile } from './sheet.ts'
import { SheetRefusal } from './sheet-refusal.ts'
import { columnLetters } from './sheet-xlsx.ts'
import type { SheetRow } from './sheet-xlsx.ts'
import { guessColumns } from './staff-columns.ts'
import type { ColumnGuess } from './staff-columns.ts'

/** `mapping` is a person's correction of the guess: field -> column letters on the sheet and header row named. */
export interface StaffListOptions {
  fileName: string
  /** Accounts may differ by case alone: ids of a provider app. */
  exactAccounts?: boolean
  mapping?: { sheet?: string; headerRow?: number; columns: Partial<Record<RosterField, string>> }
}

/** A row fault with its place and its words. */
export interface StaffFault {
  sheet: string
  row: number
  column: string
  field: RosterField
  value: string
  code: RowFaultCode
  message: string
  suggestion: string
  firstRow?: number
}

/** One person row as it is handed on; `cells` is the text as read, by field. */
export interface StaffRow {
  row: number
  cells: RosterCells
  person: RosterPerson
  faults: StaffFault[]
}

/** What is known of a list besides its rows. */
export interface StaffListSummary {
  sheet: string
  headerRow: number
  columns: Record<string, { header: string; field: RosterField }>
  ignoredColumns: Record<string, string>
  rows: number
  valid: number
  /** Up to three different values of each column that has a header, also of those that are not used. */
  samples: Record<string, string[]>
  skipped: RosterSkipped[]
  warnings: RosterWarning[]
}

/** A whole list in memory: for small files; the stream form is for large ones. */
export interface StaffList extends StaffListSummary {
  faults: StaffFault[]
  people: ({ row: number } & RosterPerson)[]
}

interface Found {
  sheet: SheetFile['sheets'][number]
  headerRow: number
  headers: (string | undefined)[]
  guess: ColumnGuess
}

/** Reads a staff list row by row; memory stays bounded. Throws SheetRefusal where the file as a whole cannot be taken. */
export async function streamStaffList(
  source: Uint8Array | string,
  options: StaffListOptions,
  onRow: (row: StaffRow) => void | Promise<void>,
): Promise<StaffListSummary> {
  const file = await openSheets(await bytesOf(source), options.fileName)
  try {
    const skipped: RosterSkipped[] = []
    const warnings: RosterWarning[] = []
    const found = await findHeader(file, options, skipped, warnings)
    const summary = summaryOf(found, skipped, warnings)
    await readRows(found, { epoch1904: file.epoch1904, exactAccounts: options.exactAccounts ?? false }, summary, onRow)
    return summary
  } finally {
    file.close()
  }
}

/** Reads a whole staff list. Throws SheetRefusal where the file as a whole cannot be taken. */
export async function readStaffList(source: Uint8Array | string, options: StaffListOptions): Promise<StaffList> {
  const faults: StaffFault[] = []
  const people: StaffList['people'] = []
  const summary = await streamStaffList(source, options, (row) => {
    if (row.faults.length === 0) people.push({ row: row.row, ...row.person })
    else faults.push(...row.faults)
  })
  return { ...summary, faults, people }
}

async function bytesOf(source: Uint8Array | string): Promise<Uint8Array> {
  if (typeof source !== 'string') return source
  if ((await stat(source)).size > rosterLimits.fileBytes) throw new SheetRefusal('too_large')
  return readFile(source)
}

async function findHeader(
  file: SheetFile,
  options: StaffListOptions,
  skipped: RosterSkipped[],
  warnings: RosterWarning[],
): Promise<Found> {
  let found: Found | undefined
  for (const sheet of file.sheets) {
    const wanted = options.mapping?.sheet
    if (wanted !== undefined ? sheet.name !== wanted : sheet.hidden) {
      skipped.push({ code: sheet.hidden ? 'sheet_hidden' : 'sheet_not_chosen', sheet: sheet.name })
      continue
    }
    const here = options.mapping ? await mappedHeader(sheet, options.mapping) : await guessedHeader(sheet)
    if (!here) skipped.push({ code: 'sheet_no_header', sheet: sheet.name })
    else if (!found) found = here
    else {
      skipped.push({ code: 'sheet_second', sheet: sheet.name })
      warnings.push({ code: 'second_list', sheet: sheet.name })
    }
  }
  if (!found) throw new SheetRefusal('header_missing')
  const pair = found.guess.twice[0]
  if (pair) {
    const names = pair.columns.map((column) => `${columnLetters(column)} 列“${found.headers[column]?.trim()}”`)
    throw new SheetRefusal('header_twice', names.join('、'))
  }
  return found
}

async function guessedHeader(sheet: Found['sheet']): Promise<Found | undefined> {
  let best: Found | undefined
  let looked = 0
  for await (const row of sheet.rows()) {
    const guess = guessColumns(row.cells)
    const fits = guess.columns.has('name') && (guess.columns.has('phone') || guess.columns.has('wecomUserId'))
    if (fits && guess.columns.size > (best?.guess.columns.size ?? 0)) {
      best = { sheet, headerRow: row.row, headers: row.cells, guess }
    }
    looked += 1
    if (looked >= rosterLimits.headerSearchRows) break
    if (best && row.row > best.headerRow + 2) break
  }
  return best
}

async function mappedHeader(
  sheet: Found['sheet'],
  mapping: NonNullable<StaffListOptions['mapping']>,
): Promise<Found | undefined> {
  const columns = new Map<RosterField, number>()
  for (const field of rosterFields) {
    const letters = mapping.columns[field]
    if (letters !== undefined) columns.set(field, lettersIndex(letters))
  }
  const headerRow = mapping.headerRow ?? (await guessedHeader(sheet))?.headerRow ?? 1
  if (!columns.has('name') || !(columns.has('phone') || columns.has('wecomUserId'))) return undefined
  for await (const row of sheet.rows()) {
    if (row.row === headerRow) return { sheet, headerRow, headers: row.cells, guess: { columns, twice: [] } }
    if (row.row > headerRow) break
  }
  return { sheet, headerRow, headers: [], guess: { columns, twice: [] } }
}

function lettersIndex(letters: string): number {
  let index = 0
  for (const sign of letters.toUpperCase()) index = index * 26 + sign.charCodeAt(0) - 64
  return index - 1
}

function summaryOf(found: Found, skipped: RosterSkipped[], warnings: RosterWarning[]): StaffListSummary {
  const columns: StaffListSummary['columns'] = {}
  const ignoredColumns: Record<string, string> = {}
  const fields = new Map([...found.guess.columns].map(([field, column]) => [column, field]))
  for (const [column, field] of fields) {
    columns[columnLetters(column)] = { header: (found.headers[column] ?? '').trim(), field }
  }
  for (let column = 0; column < found.headers.length; column += 1) {
    const header = found.headers[column]?.trim()
    if (header && !fields.has(column)) ignoredColumns[columnLetters(column)] = header
  }
  const { sheet, headerRow } = found
  return { sheet: sheet.name, headerRow, columns, ignoredColumns, rows: 0, valid: 0, samples: {}, skipped, warnings }
}

const totalWord = /^(合计|总计|小计|共计|累计|总额|total|sub-?total|grandtotal|sum)[:：]?\d*人?$/i

/** Counts what is only worth one warning for the whole file. */
interface Seen {
  emptyFormulas: number
  hidden: number
  disabled: number
}

async function readRows(
  found: Found,
  { epoch1904, exactAccounts }: { readonly epoch1904: boolean; readonly exactAccounts: boolean },
  summary: StaffListSummary,
  onRow: (row: StaffRow) => void | Promise<void>,
): Promise<void> {
  const present = new Set(found.guess.columns.keys())
  const judge = makeDuplicateJudge(exactAccounts)
  const seen: Seen = { emptyFormulas: 0, hidden: 0, disabled: 0 }
  const disabledColumn = found.headers.findIndex((header) =>
    /^(禁用状态|激活状态|账号状态)$/.test(header?.trim() ?? ''),
  )
  let before = 0
  let firstFault = ''
  for await (const row of found.sheet.rows()) {
    if (row.row <= found.headerRow) {
      if (row.row < found.headerRow) summary.skipped.push({ code: 'row_above_header', row: row.row })
      continue
    }
    if (row.row <= before) throw new SheetRefusal('truncated', `第 ${row.row} 行重复或次序颠倒`)
    before = row.row
    const cells = cellsOf(row, found, epoch1904)
    const reason = skipReason(row, cells, found)
    if (reason !== 'person') {
      if (reason !== 'blank') summary.skipped.push({ code: reason, row: row.row })
      continue
    }
    if (summary.rows >= rosterLimits.dataRows) throw new SheetRefusal('too_many_rows')
    summary.rows += 1
    if (summary.rows <= rowsSampled) sample(row, found, summary)
    seen.emptyFormulas += row.emptyFormulas ?? 0
    if (row.hidden) seen.hidden += 1
    if (disabledColumn >= 0 && row.cells[disabledColumn]?.includes('禁用')) seen.disabled += 1
    const { person, faults } = normaliseRow(cells, present)
    faults.push(...judge(row.row, person, cells))
    if (faults.length === 0) summary.valid += 1
    const placed = faults.map((fault) => placeFault(fault, row, found))
    if (placed[0] && firstFault === '') firstFault = `第 ${row.row} 行：${placed[0].message}`
    await onRow({ row: row.row, cells, person, faults: placed })
  }
  warnOf(seen, summary.warnings)
  if (summary.rows === 0) throw new SheetRefusal('no_rows')
  if (summary.valid === 0) throw new SheetRefusal('no_valid_row', firstFault)
}

const rowsSampled = 200
const samplesPerColumn = 3
const sampleChars = 60

function sample(row: SheetRow, found: Found, summary: StaffListSummary): void {
  for (let column = 0; column < found.headers.length; column += 1) {
    const text = row.cells[column]?.trim().slice(0, sampleChars)
    if (!text || !found.headers[column]?.trim()) continue
    const values = (summary.samples[columnLetters(column)] ??= [])
    if (values.length < samplesPerColumn && !values.includes(text)) values.push(text)
  }
}

function cellsOf(row: SheetRow, found: Found, epoch1904: boolean): RosterCells {
  const cells: RosterCells = {}
  for (const [field, column] of found.guess.columns) {
    const text = row.cells[column]
    if (text !== undefined) cells[field] = text
  }
  for (const field of epoch1904 ? (['hireDate', 'birthday'] as const) : []) {
    const day = cells[field]
    if (day !== undefined && /^\d{5}$/.test(day)) cells[field] = daySerial(Number(day), true).value ?? day
  }
  return cells
}

/** Whether a row is a person, or why it is none. */
function skipReason(
  row: SheetRow,
  cells: RosterCells,
  found: Found,
): 'person' | 'blank' | 'row_total' | 'row_header_again' {
  if (Object.keys(cells).length === 0) return 'blank'
  const first = row.cells.find((cell) => cell !== undefined)?.replace(/\s/g, '') ?? ''
  const name = (cells.name ?? '').replace(/\s/g, '')
  const bare = cells.phone === undefined && cells.wecomUserId === undefined
  if (bare && (totalWord.test(first) || totalWord.test(name))) return 'row_total'
  const entries = [...found.guess.columns.values()]
  const again = entries.filter((column) => row.cells[column] !== undefined)
  const same = again.length > 1 && again.every((column) => row.cells[column]?.trim() === found.headers[column]?.trim())
  return same ? 'row_header_again' : 'person'
}

function placeFault(fault: RowFault, row: SheetRow, found: Found): StaffFault {
  const column = columnLetters(found.guess.columns.get(fault.field) ?? 0)
  return { sheet: row.sheet, row: row.row, column, ...fault, ...describeRowFault(fault) }
}

function warnOf(seen: Seen, warnings: RosterWarning[]): void {
  if (seen.emptyFormulas > 0) warnings.push({ code: 'empty_formulas', count: seen.emptyFormulas })
  if (seen.hidden > 0) warnings.push({ code: 'hidden_rows', count: seen.hidden })
  if (seen.disabled > 0) warnings.push({ code: 'disabled_accounts', count: seen.disabled })
}
