import { createHash } from 'node:crypto'
import { fen, type Fen } from '../contract/fen.ts'
import type { StatementEntry } from '../contract/statement-entry.ts'
import { findBankColumns, foreignUnit, statedUnit, type BankColumns, type BankField } from './bank-columns.ts'
import { plainMoney, readDay, readTime } from './bank-values.ts'
import { openSheets } from './sheet.ts'
import { SheetRefusal } from './sheet-refusal.ts'
import type { SheetRow } from './sheet-xlsx.ts'

const words = {
  amount_unreadable: ['金额无法识别', 'the amount cannot be read'],
  amount_negative: [
    '金额为负数（冲正或退汇），请人工核对后从文件中去掉这一行',
    'the amount is negative (a reversal): check it by hand and take the line out of the file',
  ],
  both_directions: ['同一行既有收入又有支出', 'one line has money coming in and going out'],
  time_unreadable: ['交易时间无法识别', 'the time cannot be read'],
  columns_shifted: [
    '这一行的列数与表头不符，金额或文字里可能有没加引号的逗号，请从网银重新导出',
    'it has more fields than the header, perhaps a comma without quotes in an amount or a text: export it again',
  ],
  quote_unclosed: [
    '单元格里有换行和分隔符，引号可能没有成对，后面的行会被吞掉',
    'a cell holds a line break and delimiters: a quote may be open and swallow the lines after it',
  ],
  formula_empty: [
    '单元格是没有算出结果的公式，请用表格软件打开并保存后再导入',
    'a cell is a formula without its result: open the file in a spreadsheet program, save it and import it again',
  ],
  serial_missing: ['缺少交易流水号', 'the serial number is missing'],
  serial_damaged: [
    '流水号已被表格软件改成科学计数，请从网银重新导出',
    'the serial number was damaged by a spreadsheet program: export it again',
  ],
  account_damaged: [
    '对方账号已被表格软件改成科学计数，请从网银重新导出',
    'the other account was damaged by a spreadsheet program: export it again',
  ],
  serial_twice: ['与文件中另一行重复', 'the line stands twice in the file'],
  direction_unreadable: ['收支方向无法识别', 'the direction cannot be read'],
  currency_foreign: ['不是人民币', 'it is not in yuan'],
  text_too_long: ['文字过长', 'a text is too long'],
} as const satisfies Record<string, readonly [zh: string, en: string]>
export type StatementFaultCode = keyof typeof words

export interface StatementFault {
  readonly row: number
  readonly code: StatementFaultCode
  readonly zh: string
  readonly en: string
}

/** Why a file cannot be taken at all. */
export interface StatementRefusal {
  readonly zh: string
  readonly en: string
}

/** What a statement file says. With any fault or refusal, nothing of it may be booked. */
export interface BankStatement {
  readonly entries: readonly StatementEntry[]
  readonly faults: readonly StatementFault[]
  readonly refusal: StatementRefusal | null
}

/** How far down a header may stand: banks print the account and the period above it. */
const HEADER_ROWS = 60
const MOST_FAULTS = 200
const MOST_ENTRIES = 100_000

/**
 * Reads a bank's statement (csv in UTF-8 or GB18030, xlsx): the lines where money came in or went out. Blank lines and
 * totals are passed over; a header that comes again, as on each printed page, may have its columns elsewhere. A line
 * that cannot be read is a fault with its row and its reason; the caller books nothing of a file with faults. Every
 * visible sheet with such a header is read. A table in another unit than yuan is refused. Days and times are China's. Where a bank gives no serial numbers, a line is known by its time, amounts, balance and other side.
 */
export async function readBankStatement(bytes: Uint8Array, fileName: string): Promise<BankStatement> {
  const reading: Reading = { entries: [], faults: [], seen: new Map(), tables: 0 }
  try {
    const file = await openSheets(bytes, fileName)
    try {
      for (const sheet of file.sheets) {
        if (sheet.hidden) continue
        const refusal = await readSheet(sheet.rows(), reading)
        if (refusal) return refused(refusal)
        if (reading.faults.length >= MOST_FAULTS) break
      }
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof SheetRefusal)) throw error
    return refused(refusalWords(error))
  }
  const { entries, faults, tables } = reading
  if (tables > 0) return { entries, faults, refusal: null }
  return refused({
    zh: '没有找到表头：需要“交易时间”，“收入金额”（或“交易金额”加“借贷标志”），以及“交易流水号”（或“余额”）列',
    en: 'No header found: it needs columns for the time, the incoming amount (or an amount and its direction), and the serial number (or the balance)',
  })
}

/** What was read so far, over all sheets. */
interface Reading {
  readonly entries: StatementEntry[]
  readonly faults: StatementFault[]
  /** Where each serial number stood first. */
  readonly seen: Map<string, { readonly table: number; readonly row: number }>
  /** Sheets with a header. */
  tables: number
}

const refused = (refusal: StatementRefusal): BankStatement => ({ entries: [], faults: [], refusal })

function refusalWords(error: SheetRefusal): StatementRefusal {
  if (error.code === 'no_rows') return { zh: '文件里没有内容', en: 'The file holds nothing' }
  return { zh: error.message, en: `The file cannot be read as a table (${error.code})` }
}

/** Reads one sheet into `reading`; gives why none of the file may be taken. A sheet without a header holds no lines. */
async function readSheet(rows: AsyncGenerator<SheetRow>, reading: Reading): Promise<StatementRefusal | null> {
  const { entries, faults, seen } = reading
  let columns: BankColumns | null = null
  const widths = { header: 0, lines: 0 }
  let looked = 0
  for await (const row of rows) {
    const header = findBankColumns(row.cells)
    const unit = header === null ? statedUnit(row.cells) : foreignUnit(row.cells, header)
    if (header !== null) {
      if (columns === null) reading.tables += 1
      columns = header
      Object.assign(widths, { header: row.fields ?? 0, lines: 0 })
    }
    const read = header === null && columns !== null ? readLine(row, columns) : null
    if (read === null && unit !== null) return notYuan(row.row, unit)
    if (columns === null && (looked += 1) >= HEADER_ROWS) return null
    if (read === null) continue
    const shifted = 'code' in read ? null : shiftedLine(row, widths)
    if (shifted || 'code' in read) faults.push(shifted ?? (read as StatementFault))
    else {
      const first = seen.get(read.serial)
      if (first === undefined) {
        entries.push(read)
        seen.set(read.serial, { table: reading.tables, row: row.row })
      } else {
        const [zh, en] = first.table === reading.tables ? ['', ''] : ['前面工作表的', 'of a sheet before, ']
        faults.push(fault(row.row, 'serial_twice', `${zh}第 ${first.row} 行`, `${en}row ${first.row}`))
      }
    }
    if (faults.length >= MOST_FAULTS) return null
    if (entries.length > MOST_ENTRIES)
      return { zh: '超过 10 万行，请分期导出', en: 'More than 100,000 lines: export a shorter period' }
  }
  return null
}

const notYuan = (row: number, unit: string): StatementRefusal => ({
  zh: `第 ${row} 行写明金额单位是“${unit}”，这里只能导入以人民币元计的明细`,
  en: `Row ${row} says that amounts are in ${unit}; only statements in yuan can be taken`,
})

/**
 * A text file's line that is wider than its header has its cells elsewhere, unless every line ends with the same number
 * of empty fields: an amount of 1,234.50 without quotes would else be one yuan.
 */
function shiftedLine(
  { row, fields = 0, cells }: SheetRow,
  widths: { header: number; lines: number },
): StatementFault | null {
  if (widths.lines === 0) widths.lines = fields
  const uneven = fields !== widths.lines && Math.max(fields, widths.lines) > widths.header
  return uneven || (fields > 0 && cells.length > widths.header) ? fault(row, 'columns_shifted') : null
}

/** One line of a table. */
interface Line {
  readonly row: number
  readonly columns: BankColumns
  /** The first text that stands in one of the field's columns. */
  readonly text: (field: BankField) => string
  readonly cells: readonly string[]
}
type Moved = { readonly direction: 'in' | 'out'; readonly amountFen: Fen }

/** One line: an entry, a fault, or null where no money moved. */
function readLine(
  { row, cells, emptyFormulas }: SheetRow,
  columns: BankColumns,
): StatementEntry | StatementFault | null {
  const plain = Array.from(cells, clean)
  const text = (field: BankField) => columns[field].map((column) => plain[column] ?? '').find((one) => one !== '') ?? ''
  const line: Line = { row, columns, text, cells: plain }
  const blank = plain.every((one) => one === '')
  if (emptyFormulas && (blank || !isTotal(line))) return fault(row, 'formula_empty')
  if (blank || isTotal(line)) return null
  if (cells.some((cell) => cell !== undefined && swallowed.test(cell))) return fault(row, 'quote_unclosed')
  const moved = movedBy(line)
  if (moved === null || 'code' in moved) return moved
  if (!/^(|CNY|RMB|人民币.*|156|01|¥|元)$/i.test(text('currency').normalize('NFKC')))
    return fault(row, 'currency_foreign', text('currency'), text('currency'))
  const arrivedAtMs = readTime(readDay(text('day')), text('time'))
  if (arrivedAtMs === null) return fault(row, 'time_unreadable')
  const out = moved.direction === 'out'
  const payerName = text('otherName') || text(out ? 'payeeName' : 'payerName')
  const payerAccount = text('otherAccount') || text(out ? 'payeeAccount' : 'payerAccount')
  const serial = text('serial') || derivedSerial(line, arrivedAtMs, moved, payerAccount)
  if (serial === '') return fault(row, 'serial_missing')
  if (isDamaged(serial)) return fault(row, 'serial_damaged')
  if (isDamaged(payerAccount)) return fault(row, 'account_damaged')
  const memo = [...new Set(columns.memo.map((column) => plain[column] ?? ''))].filter((part) => part !== '').join(' ')
  if (serial.length > 64 || payerName.length > 200 || payerAccount.length > 64 || memo.length > 1000)
    return fault(row, 'text_too_long')
  return { row, serial, ...moved, arrivedAtMs, payerName, payerAccount, memo }
}

const totals =
  /^(合计|总计|小计|本页|本月|本日|累计|承前|期初|期末|上页|总笔数|(借|贷)方(合计|总|笔数)|收入合计|支出合计|total)/i

/** A line break and delimiters after it. */
const swallowed = /[\r\n][^\r\n]*[,\t|;，]/

/**
 * A sum: its words stand in the first cell, or anywhere in a line without a serial number and a time. What has its time
 * and its number is a line whatever it says: companies are called Total too.
 */
function isTotal({ cells, text, columns }: Line): boolean {
  const filled = cells.filter((one) => one !== '')
  if (!filled.some((one) => totals.test(one))) return false
  const dated = readDay(text('day') || text('time')) !== null
  const serial = text('serial')
  const numbered = serial !== '' && !totals.test(serial)
  const told = columns.serial.length === 0 ? plainMoney(text('balance')) !== null : numbered
  return totals.test(filled[0]!) ? !(dated && told) : !dated && !numbered
}

/** What moved: by two columns, or by one with a direction. */
function movedBy(line: Line): Moved | StatementFault | null {
  const { row, text, columns } = line
  if (columns.income.length > 0) {
    const [income, expense] = [amountOf(row, text('income')), amountOf(row, text('expense'))]
    if (income !== null && typeof income === 'object') return income
    if (expense !== null && typeof expense === 'object') return expense
    if (income !== null && expense !== null) return fault(row, 'both_directions')
    if (income !== null) return { direction: 'in', amountFen: income }
    return expense === null ? null : { direction: 'out', amountFen: expense }
  }
  const amount = text('amount')
  const direction = directionOf(line)
  if (amount === '' && text('direction') === '') return null
  if (direction === null) return fault(row, 'direction_unreadable')
  // BOC writes what goes out with a minus.
  const value = amountOf(row, direction === 'out' ? amount.replace(/^([-−－])(?=.)/, '') : amount)
  if (value === null || typeof value === 'object') return value
  return { direction, amountFen: value }
}

function directionOf({ text }: Line): 'in' | 'out' | null {
  const said = (text('direction') || text('kind')).toUpperCase()
  if (/^(贷|贷方|贷记|收|收入|收款|转入|入账|来账|C|CR|CREDIT)$/.test(said)) return 'in'
  return /^(借|借方|借记|支|支出|付|付款|转出|出账|往账|D|DR|DEBIT)$/.test(said) ? 'out' : null
}

function amountOf(row: number, text: string): Fen | StatementFault | null {
  if (text === '' || /^[-–—]+$/.test(text)) return null
  const value = plainMoney(text)
  if (value === null) return fault(row, 'amount_unreadable', text.slice(0, 40), text.slice(0, 40))
  if (value < 0) return fault(row, 'amount_negative')
  return value === 0 ? null : fen(value)
}

/**
 * A number for a line of a bank that gives none: the same line gives the same in every file. After each line the balance
 * is another, so no two lines of an account are alike. Empty where a column for serial numbers exists or the balance is
 * missing: then the line lacks its number.
 */
function derivedSerial(line: Line, atMs: number, { direction, amountFen }: Moved, account: string): string {
  const balance = plainMoney(line.text('balance'))
  if (line.columns.serial.length > 0 || balance === null) return ''
  const facts = JSON.stringify([atMs, direction, amountFen, balance, account])
  return `row-${createHash('sha256').update(facts).digest('hex').slice(0, 40)}`
}

const isDamaged = (text: string): boolean => /^\d+(\.\d+)?e\+\d+$/i.test(text)

/** Without marks that keep a spreadsheet from reading a number. */
const clean = (text: string | undefined): string =>
  (text ?? '')
    .replaceAll(/[\p{Cc}\u00a0\u200b\ufeff]/gu, ' ')
    .trim()
    .replace(/^['`](?=\S)/, '')

function fault(row: number, code: StatementFaultCode, zh?: string, en?: string): StatementFault {
  const [zhWords, enWords] = words[code]
  const more = (detail: string | undefined) => (detail === undefined ? '' : `: ${detail}`)
  return { row, code, zh: zhWords + more(zh), en: enWords + more(en) }
}
