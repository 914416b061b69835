import { rosterLimits } from '../contract/roster-limits.ts'
import { readCsvRows, textEncoding } from './sheet-csv.ts'
import { readWorkbook } from './sheet-book.ts'
import { readSheetRows } from './sheet-xlsx.ts'
import type { SheetRow } from './sheet-xlsx.ts'
import { SheetRefusal } from './sheet-refusal.ts'
import { openPackage } from './sheet-zip.ts'

/** A file that passed its limits: its sheets in order, each readable from the start as often as needed. */
export interface SheetFile {
  kind: 'xlsx' | 'text'
  epoch1904: boolean
  sheets: { name: string; hidden: boolean; rows(): AsyncGenerator<SheetRow> }[]
  close(): void
}

const starts = (bytes: Uint8Array, ...signs: number[]): boolean => signs.every((sign, at) => bytes[at] === sign)

/** Opens a spreadsheet by its content; throws SheetRefusal where it is none, or not the one its name says. */
export async function openSheets(bytes: Uint8Array, fileName: string): Promise<SheetFile> {
  const extension = /\.([^.]+)$/.exec(fileName.toLowerCase())?.[1] ?? ''
  if (bytes.length > rosterLimits.fileBytes) throw new SheetRefusal('too_large')
  if (bytes.length === 0) throw new SheetRefusal('no_rows', '文件是空的')
  if (starts(bytes, 0xd0, 0xcf, 0x11, 0xe0)) throw compoundRefusal(bytes)
  if (starts(bytes, 0x50, 0x4b)) {
    const file = await openXlsx(bytes)
    if (/^(csv|tsv|txt|xls|et)$/.test(extension)) {
      file.close()
      throw new SheetRefusal('wrong_extension', 'xlsx')
    }
    return file
  }
  return openText(bytes, fileName, extension)
}

function compoundRefusal(bytes: Uint8Array): SheetRefusal {
  const mark = Buffer.from('EncryptedPackage', 'utf16le')
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new SheetRefusal(whole.includes(mark) ? 'password_protected' : 'legacy_xls')
}

async function openXlsx(bytes: Uint8Array): Promise<SheetFile> {
  const parts = await openPackage(bytes)
  try {
    const book = await readWorkbook(parts)
    if (book.sheets.length === 0) throw new SheetRefusal('not_a_spreadsheet')
    if (book.sheets.length > rosterLimits.sheets) throw new SheetRefusal('too_large', '工作表过多')
    const sheets = book.sheets.map((sheet) => ({
      name: sheet.name,
      hidden: sheet.hidden,
      rows: () => readSheetRows(parts, book, sheet),
    }))
    return { kind: 'xlsx', epoch1904: book.epoch1904, sheets, close: () => parts.zip.close() }
  } catch (cause) {
    parts.zip.close()
    throw cause
  }
}

function openText(bytes: Uint8Array, fileName: string, extension: string): SheetFile {
  const encoding = textEncoding(bytes)
  if (!encoding) throw new SheetRefusal('not_a_spreadsheet')
  const head = new TextDecoder(encoding).decode(bytes.subarray(0, 1_024)).trimStart()
  if (/^(<|%PDF|\{\\rtf|\{)/i.test(head)) throw new SheetRefusal('not_a_spreadsheet')
  const table = /[,;\t|]/.test(head)
  if (/^(xlsx|xlsm|xls|et)$/.test(extension)) throw new SheetRefusal(table ? 'wrong_extension' : 'not_a_spreadsheet')
  const name = fileName.replace(/^.*[\\/]/, '').replace(/\.[^.]+$/, '')
  const rows = (): AsyncGenerator<SheetRow> => readCsvRows(bytes, encoding, name)
  return { kind: 'text', epoch1904: false, sheets: [{ name, hidden: false, rows }], close: () => undefined }
}
