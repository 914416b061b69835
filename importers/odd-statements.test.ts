import ExcelJS from 'exceljs'
import iconv from 'iconv-lite'
import { expect, test } from 'vitest'
import { badFiles } from '../server/testing/bad-files.ts'
import { readBankStatement, type BankStatement } from './bank-statement.ts'

const head = '流水号,交易时间,收入金额,支出金额,余额,对方户名,附言'
const read = (lines: readonly string[]) => readBankStatement(Buffer.from(lines.join('\n')), '对账单.csv')
const codes = ({ faults }: BankStatement) => faults.map((one) => `${one.row} ${one.code}`)
const china = (text: string) => Date.parse(`${text}+08:00`)

async function workbook(fill: (book: ExcelJS.Workbook) => void): Promise<BankStatement> {
  const book = new ExcelJS.Workbook()
  fill(book)
  return readBankStatement(new Uint8Array(await book.xlsx.writeBuffer()), '对账单.xlsx')
}

test.each([
  [
    'an amount with thousands and no quotes',
    '流水号,交易时间,支出金额,收入金额,余额,附言',
    '1,2026-09-01,,1,234.50,5,x',
  ],
  ['the same where the last cell is empty', head, '1,2026-09-01,1,000.00,,500.00,甲,'],
  [
    'a comma in the text before the amounts',
    '流水号,交易时间,附言,收入金额,支出金额,余额',
    '1,2026-09-01,货款,100,,20.00,80.00',
  ],
])('cells that stand elsewhere are told, and never read as other money: %s', async (_name, header, line) => {
  const straight = `0,2026-09-01,5.00${','.repeat(header.split(',').length - 3)}`
  expect(codes(await read([header, straight, line]))).toContain('3 columns_shifted')
})

test('every line may end with the same empty field that the header has not', async () => {
  const { entries, faults } = await read([
    head,
    '1,2026-09-01,5.00,,,甲,x,',
    '2,2026-09-01,6.00,,,甲,y,',
    '合计,,11.00',
  ])
  expect(faults).toEqual([])
  expect(entries.map((one) => one.amountFen)).toEqual([500, 600])
})

test.each([
  ['a title', ['流水号,交易时间,收入金额（万元）', '1,2026-09-01,1.5']],
  ['a title in English', ['serial,date,credit [USD]', '1,2026-09-01,1.5']],
  ['a line above', ['账号：1,币种：美元', '流水号,交易时间,收入金额', '1,2026-09-01,1.5']],
  ['two cells above', ['币种,USD', '流水号,交易时间,收入金额', '1,2026-09-01,1.5']],
  ['a line between', ['流水号,交易时间,收入金额', '1,2026-09-01,1.5', '单位：万元', '2,2026-09-02,1.5']],
])('amounts in another unit than yuan are refused: %s', async (_name, lines) => {
  const { refusal, entries } = await read(lines)
  expect(refusal?.zh).toMatch(/“(万元|usd|USD|美元)”/)
  expect(entries).toEqual([])
})

test('what says yuan, or names a company, is no other unit', async () => {
  const above = ['单位名称：美元素科技有限公司,币种：人民币', '单位：元,账户币别,CNY']
  const { refusal, entries } = await read([
    ...above,
    '流水号,交易时间,收入金额（元）,对方户名',
    '1,2026-09-01,1.5,分享',
  ])
  expect([refusal, entries.length]).toEqual([null, 1])
})

test('a line is no total because somebody is called so', async () => {
  const lines = ['Total Energies,1,2026-09-01,1.5,', '累计科技,2,2026-09-01,2,', '合计,,,3.5,', '甲,3,,1.5,合计三笔']
  const read1 = await read(['对方户名,流水号,交易时间,收入金额,附言', ...lines])
  expect(read1.entries.map((one) => one.payerName)).toEqual(['Total Energies', '累计科技'])
  expect(codes(read1)).toEqual(['5 time_unreadable'])
  // Without serial numbers the balance makes the line.
  const without = ['对方户名,交易日期,收入金额,余额', 'Total Energies,2026-09-01,1.5,1.5', '合计,2026-09-01,1.5,']
  expect((await read(without)).entries).toHaveLength(1)
})

test('a quote that was never closed swallows no line in silence', async () => {
  const open = [head, '1,2026-09-01,1.5,,,"甲,x', '2,2026-09-01,2.5,,,"乙",x', '3,2026-09-01,3.5,,,丙,x']
  const { faults, refusal } = await read(open)
  expect(refusal !== null || faults.some((one) => one.code === 'quote_unclosed')).toBe(true)
  const { entries } = await read([head, '1,2026-09-01,1.5,,,甲,"两行', '附言"'])
  expect(entries).toMatchObject([{ memo: '两行 附言' }])
})

test('every visible sheet with a header is read; a number that stands on two sheets is told', async () => {
  const fill = (again: boolean) => (book: ExcelJS.Workbook) => {
    for (const [name, serial] of [
      ['九月', 'A1'],
      ['说明', ''],
      ['十月', again ? 'A1' : 'A2'],
    ] as const) {
      const sheet = book.addWorksheet(name)
      if (serial === '') sheet.addRow(['只是说明'])
      else {
        sheet.addRow(['流水号', '交易日期', '收入金额'])
        sheet.addRow([serial, '2026-09-01', 5])
      }
    }
  }
  expect((await workbook(fill(false))).entries.map((one) => one.serial)).toEqual(['A1', 'A2'])
  const twice = await workbook(fill(true))
  expect(twice.faults).toMatchObject([{ row: 2, code: 'serial_twice', zh: expect.stringContaining('前面工作表') }])
})

test('a formula without its result is told; with one it counts as what it shows', async () => {
  const of = (value: ExcelJS.CellValue) =>
    workbook((book) => {
      const sheet = book.addWorksheet('明细')
      sheet.addRow(['流水号', '交易日期', '收入金额', '支出金额'])
      sheet.addRow(['1', '2026-09-01', value, null])
      sheet.addRow(['合计', null, { formula: 'SUM(C2:C2)' }])
    })
  expect(codes(await of({ formula: '2+3' } as ExcelJS.CellValue))).toEqual(['2 formula_empty'])
  expect((await of({ formula: '2+3', result: 5 })).entries).toMatchObject([{ amountFen: 500 }])
  expect(codes(await of({ error: '#N/A' }))).toEqual(['2 amount_unreadable'])
})

test('an instant in a workbook is the one of the csv: a line without a number is known in both', async () => {
  const header = ['交易时间', '借方发生额', '贷方发生额', '余额', '对方账号']
  const fromBook = await workbook((book) => {
    const sheet = book.addWorksheet('明细')
    sheet.addRow(header)
    const row = sheet.addRow([new Date('2026-09-01T12:30:15Z'), null, 5, 10, '6222'])
    row.getCell(1).numFmt = 'yyyy-mm-dd hh:mm:ss'
  })
  const fromText = await read([header.join(','), '2026-09-01 12:30:15,,5.00,10.00,6222'])
  expect(fromBook.entries[0]!.arrivedAtMs).toBe(china('2026-09-01T12:30:15'))
  expect(fromBook.entries[0]!.serial).toBe(fromText.entries[0]!.serial)
})

test('a number of 19 digits that a spreadsheet kept as a number is told as damaged', async () => {
  const of = (serial: ExcelJS.CellValue, account: ExcelJS.CellValue) =>
    workbook((book) => {
      const sheet = book.addWorksheet('明细')
      sheet.addRow(['流水号', '交易日期', '收入金额', '对方账号'])
      sheet.addRow([serial, '2026-09-01', 5, account])
    })
  expect(codes(await of(1234567890123450000, '1'))).toEqual(['2 serial_damaged'])
  expect(codes(await of('1', 6222000000000000000))).toEqual(['2 account_damaged'])
  expect((await of('1234567890123450000', '6222000000000000000')).entries).toHaveLength(1)
})

test('amounts and encodings that nobody wrote down', async () => {
  for (const bad of ['1e3', '100-', '(100.00)', '100CR', '1.5万', '$5', '1.234', '=1+2', '一百'])
    expect([bad, codes(await read([head, `1,2026-09-01,"${bad}",,,甲,x`]))]).toEqual([bad, ['2 amount_unreadable']])
  for (const [good, fen] of [
    ['1,000.00', 100_000],
    ['１０００', 100_000],
    ['￥5', 500],
    ['+5.10', 510],
  ] as const)
    expect((await read([head, `1,2026-09-01,"${good}",,,甲,x`])).entries).toMatchObject([{ amountFen: fen }])
  for (const nothing of ['0', '0.00', '-', '-0.00'])
    expect((await read([head, `1,2026-09-01,${nothing},,,甲,x`])).entries).toEqual([])
  const text = `${head}\n1,2026-09-01,5.00,,,甲,x\n`
  for (const bytes of [
    iconv.encode(text, 'gbk'),
    iconv.encode(text, 'utf-16le', { addBOM: true }),
    iconv.encode(text, 'utf-16be', { addBOM: true }),
    Buffer.from(`\ufeff${text}`),
  ])
    expect((await readBankStatement(bytes, 'a.csv')).entries).toMatchObject([{ payerName: '甲', amountFen: 500 }])
})

test('CR and DR, and what a bank gives beside them', async () => {
  const lines = ['1,2026-09-01,5.00,CR', '2,2026/9/1,6.00,DR', '3,20260901,7.00,收款', '4,2026年9月1日,8.00,借记']
  const { entries, faults } = await read(['流水号,日期,金额,借贷标志', ...lines])
  expect(faults).toEqual([])
  expect(entries.map((one) => one.direction)).toEqual(['in', 'out', 'in', 'out'])
})

test('what no staff list may be, no statement may be: bombs, broken packages, other files', async () => {
  for (const [name, bytes, fileName] of badFiles) {
    const { entries, refusal } = await readBankStatement(
      typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
      fileName,
    )
    expect([name, entries.length, refusal === null]).toEqual([name, 0, false])
  }
})
