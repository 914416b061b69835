import { fen } from './fen.ts'
import type { Fen } from './fen.ts'
import { rosterLimits } from './roster-limits.ts'

/** The fields a staff list can carry, in the order people expect them. */
export const rosterFields = [
  'staffNo',
  'name',
  'phone',
  'department',
  'wecomUserId',
  'amount',
  'hireDate',
  'birthday',
  'note',
] as const
export type RosterField = (typeof rosterFields)[number]

/** What can be wrong with one row. Closed: pages and reports translate by code. */
export const rowFaultCodes = [
  'name-missing',
  'phone-invalid',
  'phone-precision-lost',
  'contact-missing',
  'phone-duplicate',
  'staffno-duplicate',
  'userid-duplicate',
  'userid-invalid',
  'amount-missing',
  'amount-invalid',
  'amount-not-positive',
  'amount-too-precise',
  'amount-over-limit',
  'date-invalid',
] as const
export type RowFaultCode = (typeof rowFaultCodes)[number]

export type RosterCells = Partial<Record<RosterField, string>>

/** One person as stored; a campaign supplies the amount where the file has none. */
export interface RosterPerson {
  staffNo: string | null
  name: string
  phone: string | null
  department: string | null
  wecomUserId: string | null
  amountFen: Fen | null
  hireDate: string | null
  /** Month and day only, MM-DD: nobody needs the year. There where the list has the column. */
  birthday?: string | null
  note: string | null
}

/** `firstRow` names the earlier row of a duplicate. `value` is the cell as it was read. */
export interface RowFault {
  field: RosterField
  code: RowFaultCode
  value: string
  firstRow?: number
}

interface Words {
  message: string
  suggestion: string
}

const phoneWords = { message: '手机号不是 11 位中国大陆手机号', suggestion: '核对后填 11 位手机号' }
const repeated = '核对两行，删去或改正其中一行'
const wordsZh: Record<RowFaultCode, Words> = {
  'name-missing': { message: '姓名为空', suggestion: '补填姓名' },
  'phone-invalid': phoneWords,
  'phone-precision-lost': {
    message: '手机号被存成科学计数法，原数字已丢失',
    suggestion: '把该列设为文本后重新填写完整号码',
  },
  'contact-missing': {
    message: '手机号和企业微信账号都为空，无法联系',
    suggestion: '至少填手机号或企业微信账号之一',
  },
  'phone-duplicate': { message: '手机号与前面的行重复', suggestion: repeated },
  'staffno-duplicate': { message: '工号与前面的行重复', suggestion: repeated },
  'userid-duplicate': {
    message: '企业微信账号与前面的行重复（不区分大小写）',
    suggestion: '核对两行，账号不区分大小写',
  },
  'userid-invalid': {
    message: '企业微信账号含不允许的字符',
    suggestion: '账号以字母或数字开头，只含字母、数字、_-.@，最长 64',
  },
  'amount-missing': { message: '金额为空', suggestion: '填金额，或在活动里设默认面额' },
  'amount-invalid': { message: '金额不是数字', suggestion: '填数字，单位元' },
  'amount-not-positive': { message: '金额必须大于 0', suggestion: '填大于 0 的金额或删除该行' },
  'amount-too-precise': { message: '金额最多两位小数', suggestion: '改为最多两位小数' },
  'amount-over-limit': { message: '金额超过记名卡上限 5000 元', suggestion: '改为不超过 5000 或分次发放' },
  'date-invalid': { message: '日期不存在或无法识别', suggestion: '改为真实日期，如 2024-03-05' },
}
const repeatedEn = 'Compare the two rows; remove or correct one'
const wordsEn: Record<RowFaultCode, Words> = {
  'name-missing': { message: 'The name is empty', suggestion: 'Fill in the name' },
  'phone-invalid': {
    message: 'Not an 11-digit mainland China mobile number',
    suggestion: 'Check it and enter 11 digits',
  },
  'phone-precision-lost': {
    message: 'The number was saved in scientific notation and its digits are lost',
    suggestion: 'Format the column as text and enter the full number again',
  },
  'contact-missing': {
    message: 'Neither a mobile number nor a WeCom account: cannot be reached',
    suggestion: 'Fill in at least one of the two',
  },
  'phone-duplicate': { message: 'The mobile number repeats an earlier row', suggestion: repeatedEn },
  'staffno-duplicate': { message: 'The staff number repeats an earlier row', suggestion: repeatedEn },
  'userid-duplicate': {
    message: 'The WeCom account repeats an earlier row (case is ignored)',
    suggestion: repeatedEn,
  },
  'userid-invalid': {
    message: 'The WeCom account holds characters that are not allowed',
    suggestion: 'Start with a letter or digit; only letters, digits and _-.@; at most 64',
  },
  'amount-missing': { message: 'The amount is empty', suggestion: 'Enter an amount, or set one in the campaign' },
  'amount-invalid': { message: 'The amount is not a number', suggestion: 'Enter a number in yuan' },
  'amount-not-positive': {
    message: 'The amount must be above 0',
    suggestion: 'Enter an amount above 0 or delete the row',
  },
  'amount-too-precise': { message: 'The amount has more than two decimals', suggestion: 'Use at most two decimals' },
  'amount-over-limit': {
    message: 'The amount is above the limit of a named card, 5000 yuan',
    suggestion: 'Use at most 5000 or issue in several runs',
  },
  'date-invalid': {
    message: 'The date does not exist or cannot be read',
    suggestion: 'Use a real date, as 2024-03-05',
  },
}

/** Says in words what is wrong and what to do; names the first row of a duplicate. */
export function describeRowFault(fault: Pick<RowFault, 'code' | 'firstRow'>, language: 'zh' | 'en' = 'zh'): Words {
  const words = (language === 'zh' ? wordsZh : wordsEn)[fault.code]
  if (fault.firstRow === undefined) return words
  const place = language === 'zh' ? `（第 ${fault.firstRow} 行）` : ` (row ${fault.firstRow})`
  return { message: words.message + place, suggestion: words.suggestion }
}

const invisible = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g
const hanBlank = /(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu

/** Takes away blanks at the ends, also no-break and ideographic ones. */
export function trimCell(text: string | undefined): string {
  return (text ?? '').trim()
}

/** Turns full-width letters, digits and signs into plain ones. */
function narrow(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(invisible, '')
    .trim()
}

/** A blank cell, one that cannot be read, or the value. */
type Read<T> = { value: T | null; code?: RowFaultCode }

/** Reads a mobile number as people write it; promises 11 digits, nothing, or the fault. */
export function readPhone(text: string): Read<string> {
  const plain = narrow(text).replace(/^'/, '')
  if (plain === '') return { value: null }
  if (/^[+-]?\d+(\.\d+)?e\+?\d+$/i.test(plain)) return readPhoneInExponent(plain)
  const digits = plain
    .replace(/[\s\-\u2010-\u2015\u2212\u30fc]/g, '')
    .replace(/^\((\+?\d+)\)/, '$1')
    .replace(/^(\+?86|\+?0086)(?=1\d{10}(\.0+)?$)/, '')
    .replace(/^(\d{11})\.0+$/, '$1')
  return /^1[3-9]\d{9}$/.test(digits) ? { value: digits } : { value: null, code: 'phone-invalid' }
}

function readPhoneInExponent(plain: string): Read<string> {
  const [mantissa = '', exponent = ''] = plain.toLowerCase().split('e')
  const digits = mantissa.replace('.', '')
  if (Number(exponent) === 10 && /^1[3-9]\d{9}$/.test(digits)) return { value: digits }
  return { value: null, code: 'phone-precision-lost' }
}

/** Reads yuan as people write it into fen, digit by digit: no float is involved. */
export function readAmount(text: string): Read<Fen> {
  const plain = narrow(text)
    .replace(/\s/g, '')
    .replace(/^([+-]?)(?:RMB|CNY|[¥￥])/i, '$1')
    .replace(/(?:元整|元|RMB|CNY|圆)$/i, '')
    .replace(/^[¥￥]/, '')
  if (plain === '') return { value: null, code: trimCell(text) === '' ? 'amount-missing' : 'amount-invalid' }
  const parts = /^([+-]?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d*))?$/.exec(plain) ?? /^([+-]?)()\.(\d+)$/.exec(plain)
  if (!parts) return { value: null, code: 'amount-invalid' }
  const whole = (parts[2] ?? '').replaceAll(',', '').replace(/^0+/, '')
  const fraction = (parts[3] ?? '').replace(/0+$/, '')
  if (parts[1] === '-' || (whole === '' && fraction === '')) return { value: null, code: 'amount-not-positive' }
  const cents = Number((whole.slice(0, 12) || '0') + fraction.slice(0, 2).padEnd(2, '0'))
  const beyond = whole.length > 12 || cents > rosterLimits.amountFen
  if (beyond || (cents === rosterLimits.amountFen && fraction !== '')) return { value: null, code: 'amount-over-limit' }
  if (fraction.length > 2) return { value: null, code: 'amount-too-precise' }
  return { value: fen(cents) }
}

const dateForms = [
  /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T\s]+[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?$/i,
  /^(\d{4})(年)(\d{1,2})月(\d{1,2})[日号]?(?:[T\s]*[\d:.]+)?$/,
  /^(\d{4})()(\d{2})(\d{2})$/,
]

/** Reads a day in the usual written forms into yyyy-mm-dd; the day must exist. */
export function readDay(text: string): Read<string> {
  const plain = narrow(text)
    .replace(/\s*([-/.年月日])\s*/g, '$1')
    .trim()
  if (plain === '') return { value: null }
  for (const form of dateForms) {
    const parts = form.exec(plain)
    if (!parts) continue
    return existingDay(Number(parts[1]), Number(parts[3]), Number(parts[4]))
  }
  return /^\d{5}(\.\d+)?$/.test(plain) ? daySerial(Number(plain), false) : { value: null, code: 'date-invalid' }
}

const monthDayForms = [/^(\d{1,2})([-/.])(\d{1,2})$/, /^(\d{1,2})(月)(\d{1,2})[日号]?$/, /^(\d{2})()(\d{2})$/]

/** Reads a birthday, with its year or without, into MM-DD: the year is not kept. 29 February is one. */
export function readBirthday(text: string): Read<string> {
  const plain = narrow(text)
    .replace(/\s*([-/.月日])\s*/g, '$1')
    .trim()
  for (const form of monthDayForms) {
    const parts = form.exec(plain)
    if (parts) return monthDay(existingDay(2000, Number(parts[1]), Number(parts[3])))
  }
  return monthDay(readDay(text))
}

const monthDay = ({ value, code }: Read<string>): Read<string> =>
  code === undefined ? { value: value && value.slice(5) } : { value: null, code }

function existingDay(year: number, month: number, day: number): Read<string> {
  const date = new Date(Date.UTC(year, month - 1, day))
  const exists = year >= 1900 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists ? { value: date.toISOString().slice(0, 10) } : { value: null, code: 'date-invalid' }
}

/** Reads a spreadsheet's day number (1900 or 1904 epoch) into yyyy-mm-dd. */
export function daySerial(serial: number, epoch1904: boolean): Read<string> {
  const days = Math.floor(serial)
  const valid = days >= (epoch1904 ? 0 : 1) && days <= 2_958_465 && (epoch1904 || days !== 60)
  if (!valid) return { value: null, code: 'date-invalid' }
  const start = epoch1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30)
  return { value: new Date(start + days * 86_400_000).toISOString().slice(0, 10) }
}

function readUserId(text: string): Read<string> {
  const plain = narrow(text)
  if (plain === '') return { value: null }
  const right = plain.length <= rosterLimits.useridChars && /^[0-9A-Za-z][0-9A-Za-z_\-@.]*$/.test(plain)
  return right ? { value: plain } : { value: null, code: 'userid-invalid' }
}

function readName(text: string): string {
  const plain = text.replace(invisible, '').trim().replace(hanBlank, '').replace(/\s+/g, ' ')
  return /^#(N\/A|REF!|VALUE!|DIV\/0!|NAME\?|NUM!|NULL!)$/.test(plain) ? '' : plain
}

/** The first of several departments is the main one; blanks round the slashes of a path go. */
function readDepartment(text: string): string | null {
  const main = text.split(/[;；\n]/).find((part) => part.trim() !== '') ?? ''
  return (
    main
      .replace(invisible, '')
      .trim()
      .replace(/\s*\/\s*/g, '/') || null
  )
}

/**
 * Reads one row by the roster rules. Always returns the person as far as it could be read, with every fault of the
 * row; duplicates need other rows and are the business of `makeDuplicateJudge`.
 */
export function normaliseRow(
  cells: RosterCells,
  columnsPresent: ReadonlySet<RosterField>,
): { person: RosterPerson; faults: RowFault[] } {
  const faults: RowFault[] = []
  const text = (field: RosterField): string => trimCell(cells[field])
  const keep = <T>(field: RosterField, read: Read<T>): T | null => {
    if (read.code) faults.push({ field, code: read.code, value: text(field) })
    return read.value
  }
  const person: RosterPerson = {
    staffNo: narrow(text('staffNo')) || null,
    name: readName(text('name')),
    phone: keep('phone', readPhone(text('phone'))),
    department: readDepartment(text('department')),
    wecomUserId: keep('wecomUserId', readUserId(text('wecomUserId'))),
    amountFen: columnsPresent.has('amount') ? keep('amount', readAmount(text('amount'))) : null,
    hireDate: keep('hireDate', readDay(text('hireDate'))),
    ...(columnsPresent.has('birthday') ? { birthday: keep('birthday', readBirthday(text('birthday'))) } : {}),
    note: text('note').replace(/\r\n?/g, '\n') || null,
  }
  if (person.name === '') faults.unshift({ field: 'name', code: 'name-missing', value: text('name') })
  if (text('phone') === '' && text('wecomUserId') === '') {
    const field = columnsPresent.has('phone') ? 'phone' : 'wecomUserId'
    faults.push({ field, code: 'contact-missing', value: '' })
  }
  return { person, faults }
}

const judged = [
  ['phone', 'phone-duplicate'],
  ['staffNo', 'staffno-duplicate'],
  ['wecomUserId', 'userid-duplicate'],
] as const

/**
 * Remembers phones, staff numbers and accounts. The later row is the fault and names the first, whether or not the
 * first has other faults; accounts are compared without regard to case, unless they are ids of a provider app
 * (`exactAccounts`), which may differ by it alone.
 */
export function makeDuplicateJudge(
  exactAccounts = false,
): (row: number, person: RosterPerson, cells: RosterCells) => RowFault[] {
  const seen = {
    phone: new Map<string, number>(),
    staffNo: new Map<string, number>(),
    wecomUserId: new Map<string, number>(),
  }
  return (row, person, cells) => {
    const faults: RowFault[] = []
    for (const [field, code] of judged) {
      const value = person[field]
      if (value === null) continue
      const key = field === 'wecomUserId' && !exactAccounts ? value.toLowerCase() : value
      const firstRow = seen[field].get(key)
      if (firstRow === undefined) seen[field].set(key, row)
      else faults.push({ field, code, value: trimCell(cells[field]), firstRow })
    }
    return faults
  }
}
