import { daySerial } from '../contract/roster-row.ts'
import { rosterLimits } from '../contract/roster-limits.ts'
import { readPart } from './sheet-zip.ts'
import type { Package, XmlReader } from './sheet-zip.ts'
import { unescapeCell } from './sheet-book.ts'
import type { Workbook } from './sheet-book.ts'
import { SheetRefusal } from './sheet-refusal.ts'

/** One row that holds anything: cells by column, 0 first. `row` is what Excel or WPS shows. */
export interface SheetRow {
  sheet: string
  row: number
  cells: (string | undefined)[]
  /** Text files: how many fields the line has, blank ones too. */
  fields?: number
  emptyFormulas?: number
  hidden?: boolean
}

/** Turns a column's letters into its index, 0 first; -1 when there are none. */
export function columnIndex(reference: string): number {
  let index = 0
  for (const sign of reference) {
    const code = sign.charCodeAt(0) & ~32
    if (code < 65 || code > 90) break
    index = index * 26 + code - 64
  }
  return index - 1
}

/** Turns a column's index into its letters. */
export function columnLetters(index: number): string {
  const rest = index < 26 ? '' : columnLetters(Math.floor(index / 26) - 1)
  return rest + String.fromCharCode(65 + (index % 26))
}

/** Writes a stored number as plain decimal digits without the noise beyond 15 significant digits. */
export function plainNumber(stored: string): string {
  if (/^-?\d+$/.test(stored)) return stored
  const value = Number(stored)
  if (stored === '' || !Number.isFinite(value)) return stored
  const digits = value.toPrecision(15)
  const [mantissa = '', exponent] = digits.split('e')
  const plain = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  return exponent === undefined ? plain : moveDot(plain, Number(exponent))
}

function moveDot(plain: string, exponent: number): string {
  const sign = plain.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.')
  if (Math.abs(exponent) > 300) return `${plain}e${exponent}`
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${whole}${fraction}`
  const digits = (whole + fraction).padEnd(exponent + 1, '0')
  const after = digits.slice(exponent + 1)
  return sign + digits.slice(0, exponent + 1) + (after ? `.${after}` : '')
}

interface Cell {
  column: number
  type: string
  style: number
  value: string
  formula: boolean
}

function cellText(cell: Cell, book: Workbook): string {
  switch (cell.type) {
    case 's':
      return book.strings[Number(cell.value)] ?? damagedString()
    case 'inlineStr':
    case 'str':
      return unescapeCell(cell.value)
    case 'b':
      return cell.value.trim() === '1' ? 'TRUE' : 'FALSE'
    case 'e':
    case 'd':
      return cell.value.trim()
    default:
      return numberText(cell.value.trim(), cell.style, book)
  }
}

function damagedString(): never {
  throw new SheetRefusal('truncated', '文字表缺少条目')
}

/** A day of a spreadsheet, with its time of day where it has one; null when it is none. */
function dayText(serial: number, epoch1904: boolean): string | null {
  const seconds = Math.round(serial * 86_400)
  const day = daySerial(Math.floor(seconds / 86_400), epoch1904).value ?? null
  const clock = seconds % 86_400
  return day === null || clock === 0 ? day : `${day} ${new Date(clock * 1000).toISOString().slice(11, 19)}`
}

function numberText(stored: string, styleIndex: number, book: Workbook): string {
  const style = book.styles[styleIndex]
  const text = plainNumber(stored)
  if (style?.day && /^\d+(\.\d+)?$/.test(text)) return dayText(Number(text), book.epoch1904) ?? text
  // A number keeps 15 to 16 digits: of a longer one the last are not what they were, and it must not look whole.
  if (/^\d{16,}$/.test(text) && (Number(text) > Number.MAX_SAFE_INTEGER || /e/i.test(stored)))
    return Number(text).toExponential()
  return style && style.zeros > 0 && /^\d+$/.test(text) ? text.padStart(style.zeros, '0') : text
}

/** Collects finished rows while a worksheet is parsed; rows and cells may come without references. */
class RowCollector implements XmlReader {
  ready: SheetRow[] = []
  #row: SheetRow | undefined
  #cell: Cell | undefined
  #last = 0
  #column = -1
  #reading = false
  #phonetic = false
  readonly #sheet: string
  readonly #book: Workbook
  constructor(sheet: string, book: Workbook) {
    this.#sheet = sheet
    this.#book = book
  }
  open(name: string, at: Record<string, string>): void {
    if (name === 'row') {
      this.#last = at['r'] === undefined ? this.#last + 1 : Number(at['r'])
      if (!(this.#last >= 1 && this.#last <= rosterLimits.sheetRows)) throw new SheetRefusal('too_many_rows')
      this.#row = { sheet: this.#sheet, row: this.#last, cells: [] }
      if (at['hidden'] === '1' || at['hidden'] === 'true') this.#row.hidden = true
      this.#column = -1
    } else if (name === 'c' && this.#row) {
      this.#column = at['r'] === undefined ? this.#column + 1 : columnIndex(at['r'])
      this.#cell = {
        column: this.#column,
        type: at['t'] ?? 'n',
        style: Number(at['s'] ?? 0),
        value: '',
        formula: false,
      }
    } else if (this.#cell && name === 'f') this.#cell.formula = true
    else if (name === 'rPh') this.#phonetic = true
    this.#reading = this.#cell !== undefined && (name === 'v' || (name === 't' && !this.#phonetic))
  }
  text(piece: string): void {
    if (!this.#reading || !this.#cell) return
    this.#cell.value += piece
    if (this.#cell.value.length > rosterLimits.cellChars * 2) throw new SheetRefusal('too_large', '单元格过长')
  }
  close(name: string): void {
    this.#reading = false
    if (name === 'rPh') this.#phonetic = false
    if (name === 'c') this.#endCell()
    if (name !== 'row' || !this.#row) return
    if (this.#row.cells.length > 0 || this.#row.emptyFormulas) this.ready.push(this.#row)
    this.#row = undefined
  }
  #endCell(): void {
    const cell = this.#cell
    this.#cell = undefined
    if (!cell || !this.#row) return
    if (cell.value === '') {
      if (cell.formula) this.#row.emptyFormulas = (this.#row.emptyFormulas ?? 0) + 1
      return
    }
    const text = cellText(cell, this.#book)
    if (text.trim() === '') return
    if (cell.column < 0 || cell.column >= rosterLimits.columns) throw new SheetRefusal('too_large', '列数过多')
    if (text.length > rosterLimits.cellChars) throw new SheetRefusal('too_large', `第 ${this.#last} 行单元格过长`)
    this.#row.cells[cell.column] = text
  }
}

/** Streams the rows of one worksheet; rows without any value are left out. */
export async function* readSheetRows(
  parts: Package,
  book: Workbook,
  sheet: { name: string; part: string },
): AsyncGenerator<SheetRow> {
  if (!parts.entries.has(sheet.part.toLowerCase())) throw new SheetRefusal('truncated', `缺少工作表 ${sheet.name}`)
  const collector = new RowCollector(sheet.name, book)
  for await (const _ of readPart(parts, sheet.part, collector)) {
    const ready = collector.ready
    collector.ready = []
    yield* ready
  }
}
