import { PassThrough, type Readable } from 'node:stream'
import exceljs from 'exceljs'
import type { Lang } from '../../../contract/error-codes.ts'
import { reportFigures, reportWords } from '../../../contract/hr/report-words.ts'
import type { Report, ReportRow, ReportSums, ReportWish, RowFigure } from '../../../contract/hr/report.ts'
import { wallAt } from '../../../contract/wall-clock.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { isTaken } from '../../kernel/taken.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { readCompany } from '../company/read-company.ts'
import { readMemberNames } from '../company/read-members.ts'
import { safeText } from '../staff/rules.ts'
import { readReport } from './read-report.ts'
import { mayName, nameRows, readHeads, type RowsAfter } from './read-report-rows.ts'
import { readReportScope, type ReportScope } from './report-scope.ts'
import { exportWords } from './report-export-words.ts'

/** A page of rows at a time: a million heads never lie in memory together. */
const ROWS_AT_ONCE = 1000

interface Export {
  readonly scope: ReportScope
  readonly report: Report
  readonly figure: RowFigure | null
  readonly company: string
  readonly who: string
  /** Names and the ends of numbers go into the file for whoever may take people out of the house. */
  readonly named: boolean
  readonly lang: Lang
}

/**
 * A report as xlsx: a sheet of sums, one of the rows behind a figure (without one, of all heads), and one that says which
 * query made it, when, for whom, and what each figure counts. The trail keeps that it was taken. No cell can run as a formula.
 * Refuses as `readReportScope` does.
 */
export async function exportReport(
  edge: Edge,
  wish: ReportWish,
  figure: RowFigure | null,
  lang: Lang,
): Promise<Readable> {
  const made = await edge.tx((tx) => begin(tx, wish, figure, lang))
  const out = new PassThrough()
  write(edge, made, out).catch((error: unknown) =>
    out.destroy(error instanceof Error ? error : new Error('the report could not be written')),
  )
  return out
}

async function begin(tx: Tx, wish: ReportWish, figure: RowFigure | null, lang: Lang): Promise<Export> {
  const scope = await readReportScope(tx, wish)
  const report = await readReport(tx, scope)
  const member = memberOf(tx.actor)
  const company = (await readCompany(tx, companyOf(tx.actor))) ?? refuse('not_found')
  const who = (await readMemberNames(tx, [member])).get(member) ?? member
  const note = `${scope.fromDay} ${scope.toDay} ${figure ?? 'all'} ${report.total.heads}`
  await trail(tx, { objectId: scope.companyId, act: 'report.exported', note })
  return { scope, report, figure, company: company.name, who, named: mayName(tx, 'delivery.export'), lang }
}

async function write(edge: Edge, made: Export, out: PassThrough): Promise<void> {
  const book = new exceljs.stream.xlsx.WorkbookWriter({ stream: out, useStyles: true })
  writeSums(book, made)
  if (!(await writeRows(edge, book, made, out))) return
  writeQuery(book, made)
  await book.commit()
}

type Book = exceljs.stream.xlsx.WorkbookWriter
type Cells = readonly (string | number)[]

const safe = (cells: Cells): Cells => cells.map((cell) => (typeof cell === 'string' ? safeText(cell) : cell))
const yuan = (amount: number | null): number | string => (amount === null ? '' : amount / 100)

/** A sheet with a bold first line that stays in sight. */
function openSheet(book: Book, name: string, heads: readonly string[]): exceljs.Worksheet {
  const sheet = book.addWorksheet(name, { views: [{ state: 'frozen', ySplit: 1 }] })
  sheet.columns = heads.map((_, index) => ({ width: index < 3 ? 22 : 14 }))
  const head = sheet.addRow([...heads])
  head.font = { bold: true }
  head.commit()
  return sheet
}

function writeSums(book: Book, { report, lang }: Export): void {
  const words = exportWords[lang]
  const heads = [words.by, words.name, words.heads, ...words.sums, words.granted]
  const sheet = openSheet(book, words.sumsSheet, heads)
  const line = (by: string, name: string, sums: ReportSums, granted: number | null = null): void =>
    sheet.addRow([...safe([by, name]), sums.heads, ...cellsOfSums(sums), yuan(granted)]).commit()
  line(words.total, '', report.total)
  for (const { title, sums } of report.byCampaign) line(words.campaign, title, sums)
  for (const { department, sums, grantedFen } of report.byDepartment)
    line(words.department, department || words.noDepartment, sums, grantedFen)
  for (const { month, sums } of report.byMonth) line(words.month, month, sums)
  sheet.commit()
}

/** In the order of the words' `sums`. */
const cellsOfSums = (sums: ReportSums): (number | string)[] => [
  yuan(sums.budgetFen),
  yuan(sums.fundedFen),
  sums.issued,
  yuan(sums.issuedFen),
  sums.delivered,
  sums.opened,
  sums.spent,
  yuan(sums.spentFen),
  sums.left,
  yuan(sums.leftFen),
  sums.expiring,
  yuan(sums.expiringFen),
  sums.expired,
  yuan(sums.expiredFen),
  sums.takenBack,
  yuan(sums.takenBackFen),
]

/** False: the reader has left, and nobody wants the rest. */
async function writeRows(edge: Edge, book: Book, made: Export, out: PassThrough): Promise<boolean> {
  const { scope, figure, named, lang } = made
  const words = exportWords[lang]
  const sheet = openSheet(book, words.rowsSheet, words.rows)
  for (let after: RowsAfter | null = null; ;) {
    const from: RowsAfter | null = after
    const page = await edge.read(async (tx) => {
      const heads = await readHeads(tx, scope, { figure, after: from, limit: ROWS_AT_ONCE })
      return { heads, rows: await nameRows(tx, heads, named) }
    })
    for (const row of page.rows) sheet.addRow([...cellsOfRow(row, scope, lang)]).commit()
    if (page.heads.length < ROWS_AT_ONCE) break
    after = page.heads.at(-1)!.at
    if (!(await isTaken(out))) return false
  }
  sheet.commit()
  return true
}

function cellsOfRow(row: ReportRow, { timeZone }: ReportScope, lang: Lang): Cells {
  const words = exportWords[lang]
  return safe([
    row.campaignTitle,
    row.department || words.noDepartment,
    row.name ?? '',
    row.cardTail ?? '',
    yuan(row.priceFen),
    yuan(row.faceFen),
    yuan(row.spentFen),
    yuan(row.balanceFen),
    words.deliveryStates[row.deliveryState],
    row.cardState === null ? words.notMade : words.cardStates[row.cardState],
    row.expiresAtMs === null ? '' : say(row.expiresAtMs, timeZone),
  ])
}

function writeQuery(book: Book, { scope, report, figure, company, who, named, lang }: Export): void {
  const words = exportWords[lang]
  const sheet = book.addWorksheet(words.querySheet)
  sheet.columns = [{ width: 24 }, { width: 90 }]
  const campaign = scope.campaignId === null ? null : scope.choices.find(({ id }) => id === scope.campaignId)
  const of = scope.department === null ? words.every : scope.department || words.noDepartment
  const lines: readonly (readonly [string, string])[] = [
    [words.company, company],
    [words.days, `${scope.fromDay} – ${scope.toDay} (${scope.timeZone})`],
    [words.campaign, scope.campaignId === null ? words.every : `${campaign?.title ?? ''} ${scope.campaignId}`.trim()],
    [words.department, of],
    [words.rowsSheet, figure === null ? words.every : reportWords[figure][lang].name],
    [words.heads, String(report.total.heads)],
    [words.takenAt, `${say(scope.asOfMs, scope.timeZone)} (${scope.timeZone})`],
    [words.takenBy, who],
    [words.names, named ? words.named : words.unnamed],
    [words.whose, words.whoseText],
    ...reportFigures.map((one) => [reportWords[one][lang].name, reportWords[one][lang].means] as const),
    [words.granted, words.grantedText],
  ]
  for (const line of lines) sheet.addRow([...safe(line)]).commit()
  sheet.commit()
}

/** An instant on the company's clocks, to the minute: YYYY-MM-DD HH:mm. */
function say(ms: number, zone: string): string {
  const { day, minute } = wallAt(ms, zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${day} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}
