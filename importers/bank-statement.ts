import { createHash } from 'node:crypto'
import { fen, type Fen } from '../contract/fen.ts'
import type { StatementEntry } from '../contract/statement-entry.ts'
import { findBankColumns, type BankColumns, type BankField } from './bank-columns.ts'
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
 * that cannot be read is a fault with its row and its reason; the caller books nothing of a file with faults. Days and
 * times are China's. Where a bank gives no serial numbers, a line is known by its time, amounts, balance and other side.
 */
export async function readBankStatement(bytes: Uint8Array, fileName: string): Promise<BankStatement> {
  try {
    const file = await openSheets(bytes, fileName)
    try {
      for (const sheet of file.sheets) {
        if (sheet.hidden) continue
        const read = await readSheet(sheet.rows())
        if (read) return read
      }
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof SheetRefusal)) throw error
    return refused(refusalWords(error))
  }
  return refused({
    zh: '没有找到表头：需要“交易时间”，“收入金额”（或“交易金额”加“借贷标志”），以及“交易流水号”（或“余额”）列',
    en: 'No header found: it needs columns for the time, the incoming amount (or an amount and its direction), and the serial number (or the balance)',
  })
}

const refused = (refusal: StatementRefusal): BankStatement => ({ entries: [], faults: [], refusal })

function refusalWords(error: SheetRefusal): StatementRefusal {
  if (error.code === 'no_rows') return { zh: '文件里没有内容', en: 'The file holds nothing' }
  return { zh: error.message, en: `The file cannot be read as a table (${error.code})` }
}

async function readSheet(rows: AsyncGenerator<SheetRow>): Promise<BankStatement | null> {
  let columns: BankColumns | null = null
  const entries: StatementEntry[] = []
  const faults: StatementFault[] = []
  const seen = new Map<string, number>()
  let looked = 0
  for await (const row of rows) {
    const header = findBankColumns(row.cells)
    if (header !== null || columns === null) {
      columns = header ?? columns
      looked += 1
      if (columns === null && looked >= HEADER_ROWS) return null
      continue
    }
    const read = readLine(row, columns)
    if (read === null) continue
    if ('code' in read) faults.push(read)
    else {
      const first = seen.get(read.serial)
      if (first !== undefined) faults.push(fault(row.row, 'serial_twice', `第 ${first} 行`, `row ${first}`))
      else entries.push(read)
      seen.set(read.serial, first ?? row.row)
    }
    if (faults.length >= MOST_FAULTS) break
    if (entries.length > MOST_ENTRIES)
      return refused({ zh: '超过 10 万行，请分期导出', en: 'More than 100,000 lines: export a shorter period' })
  }
  return columns === null ? null : { entries, faults, refusal: null }
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
function readLine({ row, cells }: SheetRow, columns: BankColumns): StatementEntry | StatementFault | null {
  const plain = Array.from(cells, clean)
  const text = (field: BankField) => columns[field].map((column) => plain[column] ?? '').find((one) => one !== '') ?? ''
  const line: Line = { row, columns, text, cells: plain }
  if (isTotal(line)) return null
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

/** Blank, or a sum: its words stand in the first cell, or anywhere in a line without a serial number and a time. */
function isTotal({ cells, text }: Line): boolean {
  const filled = cells.filter((one) => one !== '')
  if (filled.length === 0 || totals.test(filled[0]!)) return true
  return readDay(text('day') || text('time')) === null && filled.some((one) => totals.test(one))
}

/** What moved: by two columns, by one with a direction, or by one with signs. */
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
  if (/^(贷|贷方|收|收入|转入|入账|来账|C|CR|CREDIT)$/.test(said)) return 'in'
  return /^(借|借方|支|支出|付|转出|出账|往账|D|DR|DEBIT)$/.test(said) ? 'out' : null
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
