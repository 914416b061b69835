import { readFileSync } from 'node:fs'
import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { findDelimiter } from './sheet-csv.ts'
import { describeRosterRefusal, rosterRefusalCodes } from '../contract/roster-refusals.ts'
import { SheetRefusal } from './sheet-refusal.ts'
import { columnIndex, columnLetters, plainNumber } from './sheet-xlsx.ts'
import { readStaffList } from './staff-list.ts'
import { guessColumns } from './staff-columns.ts'

/** Writes a zip; `claim` overrides the expanded size, `flags` the general purpose bits. */
function zip(files: Record<string, string>, claim?: number, flags = 0): Buffer {
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

const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
function workbook(sheet: string, more: Record<string, string> = {}, properties = ''): Record<string, string> {
  return {
    'xl/worksheets/sheet1.xml': sheet,
    'xl/workbook.xml': `<workbook xmlns:r="${relation}"><workbookPr ${properties}/><sheets><sheet name="名单" r:id="a"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="a" Type="${relation}/worksheet" Target="/xl/worksheets/sheet1.xml"/></Relationships>`,
    ...more,
  }
}
const inline = (text: string): string => `<c t="inlineStr"><is><t>${text}</t></is></c>`
const row = (...cells: string[]): string => `<row>${cells.join('')}</row>`
const header = row(inline('姓名'), inline('手机号'), inline('福利金额'), inline('入职日期'))
const sheetOf = (...rows: string[]): string =>
  `<worksheet><dimension ref="A1:XFD1048576"/><sheetData>${rows.join('')}</sheetData></worksheet>`
const good = row(inline('李雷'), '<c><v>13800138000</v></c>', '<c><v>88.800000000000004</v></c>')

async function refusal(bytes: Uint8Array | string, fileName: string): Promise<string> {
  const list = readStaffList(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { fileName })
  return list.then(
    () => 'accepted',
    (cause: unknown) => (cause instanceof SheetRefusal ? cause.code : String(cause)),
  )
}

const clean = readFileSync(new URL('../samples/rosters/clean-200.xlsx', import.meta.url))
const compound = Buffer.from('d0cf11e0a1b11ae1', 'hex')
const cases: [string, Uint8Array | string, string, string][] = [
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
  ['no header', '张三,13800138000\n李四,13800138001', 'a.csv', 'header_missing'],
  ['a header twice', '姓名,手机号,手机号码\n李雷,13800138000,', 'a.csv', 'header_twice'],
  ['no rows', '姓名,手机号\n', 'a.csv', 'no_rows'],
  ['nothing', '', 'a.csv', 'no_rows'],
  ['no valid row', '姓名,手机号\n李雷,1\n', 'a.csv', 'no_valid_row'],
  ['200,001 rows', `姓名,手机号\n${'李雷,1\n'.repeat(200_001)}`, 'a.csv', 'too_many_rows'],
]

describe('a bad file is refused with its reason', () => {
  test.each(cases)('%s', async (_, bytes, fileName, code) => expect(await refusal(bytes, fileName)).toBe(code))
  test('every code has a sentence in both languages', () => {
    for (const code of rosterRefusalCodes) {
      expect(describeRosterRefusal(code)).toMatch(/\p{Script=Han}/u)
      expect(describeRosterRefusal(code, 'en')).toMatch(/^[\x20-\x7e]+$/)
    }
  })
})

describe('an unusual xlsx is read whole', () => {
  test('without references, with a claimed million rows and binary noise', async () => {
    const { people } = await readStaffList(zip(workbook(sheetOf(header, good))), { fileName: 'a.xlsx' })
    expect(people).toMatchObject([{ row: 2, name: '李雷', phone: '13800138000', amountFen: 8880 }])
  })
  test('prefixed, with rich text, phonetics, shared strings after the sheet and custom dates of 1904', async () => {
    const cell = (text: string): string => `<x:c t="inlineStr"><x:is><x:t>${text}</x:t></x:is></x:c>`
    const head = `<x:row r="5">${['姓名', '手机', '入职时间'].map(cell).join('')}</x:row>`
    const body =
      '<x:row r="7"><x:c r="A7" t="s"><x:v>0</x:v></x:c><x:c r="B7"><x:v>1.3800138E10</x:v></x:c><x:c r="C7" s="1"><x:v>43894</x:v></x:c></x:row>'
    const rels = `<Relationships><Relationship Id="a" Type="${relation}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="b" Type="${relation}/styles" Target="styles.xml"/><Relationship Id="c" Type="${relation}/sharedStrings" Target="sharedStrings.xml"/></Relationships>`
    const bytes = zip(
      workbook(
        `<x:worksheet><x:sheetData>${head}${body}</x:sheetData></x:worksheet>`,
        {
          'xl/_rels/workbook.xml.rels': rels,
          'xl/styles.xml':
            '<styleSheet><numFmts><numFmt numFmtId="170" formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;;@"/></numFmts><cellStyleXfs><xf numFmtId="0"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>',
          'xl/sharedStrings.xml': '<sst><si><r><t>李</t></r><r><t>雷</t></r><rPh><t>りらい</t></rPh></si></sst>',
        },
        'date1904="1"',
      ),
    )
    const list = await readStaffList(bytes, { fileName: 'a.xlsx' })
    expect(list.people).toMatchObject([{ row: 7, name: '李雷', phone: '13800138000', hireDate: '2024-03-05' }])
  })
})

describe('text files', () => {
  const text = '姓名;手机号;备注\n李雷;13800138000;a,b,c\n'
  const swap = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16()
  test.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-16 LE with mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 BE with mark', swap(Buffer.from(`\ufeff${text}`, 'utf16le'))],
    ['UTF-16 LE', Buffer.from(text, 'utf16le')],
    ['UTF-16 BE', swap(Buffer.from(text, 'utf16le'))],
  ])('%s', async (_, bytes) => {
    const { people } = await readStaffList(bytes, { fileName: 'a.csv' })
    expect(people).toMatchObject([{ row: 2, name: '李雷', phone: '13800138000', note: 'a,b,c' }])
  })
  test('the delimiter is the one that makes a header', () =>
    expect(findDelimiter('a,b,c,d,e,f\n姓名\t手机')).toBe('\t'))
  test('a corrected mapping is followed', async () => {
    const mapping = { headerRow: 1, columns: { name: 'B', phone: 'A' } }
    const list = await readStaffList(Buffer.from('甲,乙\n13800138000,李雷\n'), { fileName: 'a.csv', mapping })
    expect(list.people).toMatchObject([{ row: 2, name: '李雷', phone: '13800138000' }])
  })
})

test('columns, numbers and headers', () => {
  for (const index of [0, 25, 26, 701, 702, 16_383]) expect(columnIndex(columnLetters(index))).toBe(index)
  expect(['1.38E+10', '166.666', '88.800000000000004', '1E-3', '500.0', '-0.5'].map(plainNumber)).toEqual([
    '13800000000',
    '166.666',
    '88.8',
    '0.001',
    '500',
    '-0.5',
  ])
  const guess = guessColumns(['序号', '*姓名（必填）', '座机', '联系电话', '手机', '福利面额（元）'])
  expect([...guess.columns]).toEqual([
    ['name', 1],
    ['phone', 4],
    ['amount', 5],
  ])
  expect(guess.twice).toEqual([])
})
