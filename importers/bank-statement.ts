import { fen, type Fen } from '../contract/fen.ts'
import type { StatementEntry } from '../contract/statement-entry.ts'
import { plainMoney, readDay, readTime } from './bank-values.ts'
import { openSheets } from './sheet.ts'
import { SheetRefusal } from './sheet-refusal.ts'
import type { SheetRow } from './sheet-xlsx.ts'

const statementFaultCodes = [
  'amount_unreadable',
  'amount_negative',
  'time_unreadable',
  'serial_missing',
  'serial_damaged',
  'serial_twice',
  'direction_unreadable',
  'text_too_long',
] as const
export type StatementFaultCode = (typeof statementFaultCodes)[number]

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

const fields = {
  serial: [
    '交易流水号',
    '流水号',
    '核心流水号',
    '银行流水号',
    '交易流水',
    '柜员流水号',
    '交易序号',
    '凭证流水号',
    'serial',
    'transactionid',
  ],
  day: ['交易日期', '记账日期', '入账日期', '交易日', '日期', 'date'],
  time: ['交易时间', '记账时间', '入账时间', '时间', '交易日期时间', 'time'],
  income: [
    '收入金额',
    '贷方发生额',
    '收入',
    '贷方金额',
    '转入金额',
    '存入金额',
    '贷方',
    '收入发生额',
    '入账金额',
    'credit',
  ],
  amount: ['交易金额', '发生额', '金额', 'amount'],
  direction: ['借贷标志', '借贷', '收支方向', '借贷方向', '收支', '收/支', '收付标志', 'direction'],
  payerName: [
    '对方户名',
    '对方名称',
    '付款人名称',
    '付款方户名',
    '对方账户名称',
    '对方单位',
    '付款户名',
    '付款人户名',
    'payer',
  ],
  payerAccount: ['对方账号', '对方帐号', '付款人账号', '付款方账号', '对方账户', '付款账号', '付款人帐号', 'account'],
  memo: ['附言', '摘要', '用途', '备注', '交易摘要', '交易附言', '交易用途', '客户附言', 'memo'],
} as const
type Field = keyof typeof fields
type Columns = Readonly<Record<Field, readonly number[]>>

/** How far down a header may stand: banks print the account and the period above it. */
const HEADER_ROWS = 60
const MOST_FAULTS = 200
const MOST_ENTRIES = 100_000

/**
 * Reads a bank's statement (csv in UTF-8 or GB18030, xlsx): the lines where money came in. Lines that went out, blank
 * lines and totals are passed over. A line that cannot be read is a fault with its row and its reason; the caller
 * books nothing of a file with faults. Days and times are China's.
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
    zh: '没有找到表头：需要“交易流水号”“交易时间”和“收入金额”（或“交易金额”加“借贷标志”）列',
    en: 'No header found: it needs columns for the serial number, the time and the incoming amount',
  })
}

const refused = (refusal: StatementRefusal): BankStatement => ({ entries: [], faults: [], refusal })

function refusalWords(error: SheetRefusal): StatementRefusal {
  if (error.code === 'no_rows') return { zh: '文件里没有内容', en: 'The file holds nothing' }
  return { zh: error.message, en: `The file cannot be read as a table (${error.code})` }
}

async function readSheet(rows: AsyncGenerator<SheetRow>): Promise<BankStatement | null> {
  let columns: Columns | null = null
  const entries: StatementEntry[] = []
  const faults: StatementFault[] = []
  const seen = new Map<string, number>()
  let looked = 0
  for await (const row of rows) {
    if (columns === null) {
      columns = findColumns(row.cells)
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

/** The columns by what they mean; null unless a serial, a day or time, and an incoming amount are among them. */
function findColumns(cells: readonly (string | undefined)[]): Columns | null {
  const names = Array.from(cells, plainHeader)
  const found = Object.fromEntries(
    Object.entries(fields).map(([field, synonyms]) => [
      field,
      synonyms.flatMap((synonym) => names.flatMap((name, column) => (name === synonym ? [column] : []))),
    ]),
  ) as unknown as Columns
  const dated = found.day.length > 0 || found.time.length > 0
  const money = found.income.length > 0 || (found.amount.length > 0 && found.direction.length > 0)
  return found.serial.length > 0 && dated && money ? found : null
}

/** A header without spaces, units in brackets and marks: 收入金额（元） is 收入金额. */
function plainHeader(text: string | undefined): string {
  const plain = (text ?? '').normalize('NFKC').toLowerCase().replaceAll(/\s/g, '')
  return plain.replaceAll(/\([^)]*\)|\[[^\]]*\]|[*:"']/g, '')
}

/** One line: an entry, a fault, or null where no money came in. */
function readLine({ row, cells }: SheetRow, columns: Columns): StatementEntry | StatementFault | null {
  const text = (field: Field) =>
    columns[field].map((column) => clean(cells[column])).find((value) => value !== '') ?? ''
  const first = Array.from(cells, clean).find((value) => value !== '') ?? ''
  if (first === '' || /^(合计|总计|小计|本页|累计|承前|期初|期末)/.test(first)) return null
  const amount = incomeOf(row, text, columns)
  if (amount === null || typeof amount === 'object') return amount
  const serial = text('serial')
  if (serial === '') return fault(row, 'serial_missing')
  if (/^\d+(\.\d+)?e\+\d+$/i.test(serial)) return fault(row, 'serial_damaged')
  const arrivedAtMs = readTime(readDay(text('day')), text('time'))
  if (arrivedAtMs === null) return fault(row, 'time_unreadable')
  const memo = [...new Set(columns.memo.map((column) => clean(cells[column])))].filter((part) => part !== '').join(' ')
  const [payerName, payerAccount] = [text('payerName'), text('payerAccount')]
  if (serial.length > 64 || payerName.length > 200 || payerAccount.length > 64 || memo.length > 1000)
    return fault(row, 'text_too_long')
  return { row, serial, amountFen: amount, arrivedAtMs, payerName, payerAccount, memo }
}

/** The incoming amount of a line; null where money went out or none moved. */
function incomeOf(row: number, text: (field: Field) => string, columns: Columns): Fen | StatementFault | null {
  if (columns.income.length > 0) return amountOf(row, text('income'))
  const amount = text('amount')
  const direction = text('direction').toUpperCase()
  if (/^(贷|贷方|收|收入|转入|入账|来账|C|CR|CREDIT)$/.test(direction)) return amountOf(row, amount)
  if (/^(借|借方|支|支出|付|转出|出账|往账|D|DR|DEBIT)$/.test(direction)) return null
  return amount === '' && direction === '' ? null : fault(row, 'direction_unreadable')
}

function amountOf(row: number, text: string): Fen | StatementFault | null {
  if (text === '' || /^[-–—]+$/.test(text)) return null
  const value = plainMoney(text)
  if (value === null) return fault(row, 'amount_unreadable', text.slice(0, 40), text.slice(0, 40))
  if (value < 0) return fault(row, 'amount_negative')
  return value === 0 ? null : fen(value)
}

const clean = (text: string | undefined): string => (text ?? '').replaceAll(/[\p{Cc}\u00a0\u200b\ufeff]/gu, ' ').trim()

const words: Readonly<Record<StatementFaultCode, readonly [zh: string, en: string]>> = {
  amount_unreadable: ['金额无法识别', 'the amount cannot be read'],
  amount_negative: ['收入金额为负数', 'the incoming amount is negative'],
  time_unreadable: ['交易时间无法识别', 'the time cannot be read'],
  serial_missing: ['缺少交易流水号', 'the serial number is missing'],
  serial_damaged: [
    '流水号已被表格软件改成科学计数，请从网银重新导出',
    'the serial number was damaged by a spreadsheet program: export it again',
  ],
  serial_twice: ['流水号在本文件中重复', 'the serial number stands twice in the file'],
  direction_unreadable: ['借贷标志无法识别', 'the direction cannot be read'],
  text_too_long: ['文字过长', 'a text is too long'],
}

function fault(row: number, code: StatementFaultCode, zh?: string, en?: string): StatementFault {
  const [zhWords, enWords] = words[code]
  const more = (detail: string | undefined) => (detail === undefined ? '' : `: ${detail}`)
  return { row, code, zh: zhWords + more(zh), en: enWords + more(en) }
}
