import { describe, expect, test } from 'vitest'
import { badFiles, good, header, relation, sheetOf, workbook, zip } from '../server/testing/bad-files.ts'
import { findDelimiter } from './sheet-csv.ts'
import { describeRosterRefusal, rosterRefusalCodes } from '../contract/roster-refusals.ts'
import { SheetRefusal } from './sheet-refusal.ts'
import { columnIndex, columnLetters, plainNumber } from './sheet-xlsx.ts'
import { readStaffList } from './staff-list.ts'
import { guessColumns } from './staff-columns.ts'

async function refusal(bytes: Uint8Array | string, fileName: string): Promise<string> {
  const list = readStaffList(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { fileName })
  return list.then(
    () => 'accepted',
    (cause: unknown) => (cause instanceof SheetRefusal ? cause.code : String(cause)),
  )
}

describe('a bad file is refused with its reason', () => {
  test.each(badFiles)('%s', async (_, bytes, fileName, code) => expect(await refusal(bytes, fileName)).toBe(code))
  test('every code has a sentence in both languages', () => {
    for (const code of rosterRefusalCodes) {
      expect(describeRosterRefusal(code)).toMatch(/，请/)
      expect(describeRosterRefusal(code, 'en')).toMatch(/^[\x20-\x7e]+: [\x20-\x7e]+$/)
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
