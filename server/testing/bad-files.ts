import { readFileSync } from 'node:fs'
import { crc32, deflateRawSync } from 'node:zlib'
import type { RosterRefusalCode } from '../../contract/roster-refusals.ts'

/** Writes a zip; `claim` overrides the expanded size, `flags` the general purpose bits. */
export function zip(files: Record<string, string>, claim?: number, flags = 0): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const bytes = Buffer.from(text)
    const packed = deflateRawSync(bytes)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(flags, 2)
    fields.writeUInt16LE(8, 4)
    fields.writeUInt32LE(crc32(bytes), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(claim ?? bytes.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const head = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, Buffer.from(name)]))
    parts.push(head)
    offset += head.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(directory.length, 8)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}

export const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'

/** The files of a workbook with one sheet. */
export function workbook(sheet: string, more: Record<string, string> = {}, properties = ''): Record<string, string> {
  return {
    'xl/worksheets/sheet1.xml': sheet,
    'xl/workbook.xml': `<workbook xmlns:r="${relation}"><workbookPr ${properties}/><sheets><sheet name="名单" r:id="a"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="a" Type="${relation}/worksheet" Target="/xl/worksheets/sheet1.xml"/></Relationships>`,
    ...more,
  }
}
export const inline = (text: string): string => `<c t="inlineStr"><is><t>${text}</t></is></c>`
export const row = (...cells: string[]): string => `<row>${cells.join('')}</row>`
export const header = row(inline('姓名'), inline('手机号'), inline('福利金额'), inline('入职日期'))
/** A sheet that claims all rows and columns there can be, with these rows. */
export const sheetOf = (...rows: string[]): string =>
  `<worksheet><dimension ref="A1:XFD1048576"/><sheetData>${rows.join('')}</sheetData></worksheet>`
export const good = row(inline('李雷'), '<c><v>13800138000</v></c>', '<c><v>88.800000000000004</v></c>')

const clean = readFileSync(new URL('../../samples/rosters/clean-200.xlsx', import.meta.url))
const compound = Buffer.from('d0cf11e0a1b11ae1', 'hex')
/** Files that are refused as a whole: what it is, its bytes, its name, and the code. */
export const badFiles: readonly (readonly [string, Uint8Array | string, string, RosterRefusalCode])[] = [
  ['a picture', Buffer.from('89504e470d0a1a0a0000000d', 'hex'), 'a.xlsx', 'not_a_spreadsheet'],
  ['a page', '<html><table></table></html>', 'a.csv', 'not_a_spreadsheet'],
  ['a zip without a workbook', zip({ 'a.txt': 'a' }), 'a.xlsx', 'not_a_spreadsheet'],
  ['a csv named xlsx', '姓名,手机号\n李雷,13800138000', 'a.xlsx', 'wrong_extension'],
  ['an xlsx named csv', clean, 'a.csv', 'wrong_extension'],
  ['half an xlsx', clean.subarray(0, clean.length / 2), 'a.xlsx', 'truncated'],
  ['a worksheet cut short', zip(workbook(sheetOf(header, good).slice(0, -30))), 'a.xlsx', 'truncated'],
  ['an open quote', '姓名,手机号\n李雷,"13800138000\n', 'a.csv', 'truncated'],
  ['an old xls', compound, 'a.xls', 'legacy_xls'],
  [
    'an encrypted xlsx',
    Buffer.concat([compound, Buffer.from('EncryptedPackage', 'utf16le')]),
    'a.xlsx',
    'password_protected',
  ],
  ['an encrypted zip', zip(workbook(sheetOf(header)), undefined, 1), 'a.xlsx', 'password_protected'],
  ['a bomb that says so', zip({ 'a.xml': ' '.repeat(40_000_000) }), 'a.xlsx', 'zip_bomb'],
  ['a bomb by claim', zip(workbook(sheetOf(header)), 0xfffffff0), 'a.xlsx', 'zip_bomb'],
  ['a bomb that lies', zip(workbook(sheetOf(header, good) + ' '.repeat(9_000_000)), 500), 'a.xlsx', 'truncated'],
  [
    'entities',
    zip(workbook(`<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${sheetOf(header, row(inline('&b;')))}`)),
    'a.xlsx',
    'external_entities',
  ],
  ['a cell too long', zip(workbook(sheetOf(header, row(inline('李'.repeat(40_000)))))), 'a.xlsx', 'too_large'],
  [
    'a row beyond the last one',
    zip(workbook(sheetOf(header, '<row r="1048577"></row>', good))),
    'a.xlsx',
    'too_many_rows',
  ],
  ['no header', '张三,13800138000\n李四,13800138001', 'a.csv', 'header_missing'],
  ['a header twice', '姓名,手机号,手机号码\n李雷,13800138000,', 'a.csv', 'header_twice'],
  ['no rows', '姓名,手机号\n', 'a.csv', 'no_rows'],
  ['nothing', '', 'a.csv', 'no_rows'],
  ['no valid row', '姓名,手机号\n李雷,1\n', 'a.csv', 'no_valid_row'],
  ['200,001 rows', `姓名,手机号\n${'李雷,1\n'.repeat(200_001)}`, 'a.csv', 'too_many_rows'],
]
