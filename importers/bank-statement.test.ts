import ExcelJS from 'exceljs'
import iconv from 'iconv-lite'
import { describe, expect, test } from 'vitest'
import { readBankStatement } from './bank-statement.ts'
import { plainMoney, readDay, readTime } from './bank-values.ts'

const header = '交易流水号,交易时间,收入金额,对方户名,对方账号,附言'
const read = (text: string, name = '对账单.csv') => readBankStatement(Buffer.from(text), name)
const china = (text: string) => Date.parse(`${text}+08:00`)

const line = {
  serial: 'SBX000000000001',
  direction: 'in',
  amountFen: 123_456_789,
  arrivedAtMs: china('2026-09-01T12:30:15'),
  payerName: '青禾科技有限公司',
  payerAccount: '6222000000000000001',
  memo: '货款 FLKAB23CD45',
}
const row = 'SBX000000000001,2026-09-01 12:30:15,"1,234,567.89",青禾科技有限公司,6222000000000000001,货款 FLKAB23CD45'

describe('a bank statement', () => {
  test.each([
    ['UTF-8', Buffer.from(`${header}\r\n${row}\r\n`)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${header}\n${row}`)],
    ['GB18030', iconv.encode(`${header}\r\n${row}\r\n`, 'gb18030')],
    ['UTF-16', iconv.encode(`${header}\r\n${row}\r\n`, 'utf-16le', { addBOM: true })],
  ])('is read in %s', async (_name, bytes) => {
    expect(await readBankStatement(bytes, 'x.csv')).toEqual({
      entries: [{ row: 2, ...line }],
      faults: [],
      refusal: null,
    })
  })

  test('is read as xlsx, with serials as text and amounts as numbers', async () => {
    const book = new ExcelJS.Workbook()
    const sheet = book.addWorksheet('明细')
    sheet.addRow(['账号：110000000000000001'])
    sheet.addRow(['流水号', '交易日期', '贷方发生额（元）', '借方发生额（元）', '对方名称', '对方帐号', '摘要', '用途'])
    sheet.addRow(['00012', '20260901', 0.29, null, '甲公司', '00123', '网银转账', '福利 FLKAB23CD45'])
    sheet.addRow(['00013', new Date(Date.UTC(2026, 8, 2)), 1_000_000, null, '乙公司', '00456', '', ''])
    sheet.addRow(['00014', '2026/9/3', null, 55, '丙公司', '00789', '', ''])
    sheet.addRow(['合计', null, 1_000_000.29, 55])
    const { entries, faults } = await readBankStatement(new Uint8Array(await book.xlsx.writeBuffer()), '明细.xlsx')
    expect(faults).toEqual([])
    expect(entries).toMatchObject([
      { row: 3, serial: '00012', amountFen: 29, payerAccount: '00123', memo: '网银转账 福利 FLKAB23CD45' },
      { row: 4, serial: '00013', amountFen: 100_000_000, arrivedAtMs: china('2026-09-02T00:00:00') },
      { row: 5, serial: '00014', direction: 'out', amountFen: 5500, payerName: '丙公司' },
    ])
  })

  test.each([
    ['交易流水,记账日期,交易时间,发生额,借贷标志,付款人名称,付款人账号,备注', '7,20260901,123015,8.00,贷,甲,1,x'],
    ['流水号,日期,时间,收入,对方户名,对方账号,用途', '7,2026年9月1日,12:30:15,8,甲,1,x'],
    ['Serial,Date,Time,Amount,Direction,Payer,Account,Memo', '7,2026-09-01,12:30:15,8.0,CREDIT,甲,1,x'],
    ['流水号\t交易时间\t贷方金额\t对方单位\t付款账号\t摘要', '7\t2026/09/01 12:30:15\t￥8.00\t甲\t1\tx'],
  ])('knows the headers %s', async (head, body) => {
    const { entries } = await read(`某银行交易明细\n查询期间：2026年9月\n${head}\n${body}\n`)
    const arrivedAtMs = china('2026-09-01T12:30:15')
    expect(entries).toEqual([
      {
        row: 4,
        serial: '7',
        direction: 'in',
        amountFen: 800,
        arrivedAtMs,
        payerName: '甲',
        payerAccount: '1',
        memo: 'x',
      },
    ])
  })

  test('tells what came in from what went out, and passes over blanks and totals', async () => {
    const text = `流水号,交易时间,收入金额,支出金额,对方户名\n1,2026-09-01,,9.00,a\n2,2026-09-01,0.00,9.00,b\n3,2026-09-01,-,9.00,c\n\n4,2026-09-01,5.00,,d\n5,2026-09-01,0.00,0.00,e\n合计：,,5.00,27.00,\n,,本页合计,27.00,\n`
    const { entries, faults } = await read(text)
    expect(faults).toEqual([])
    expect(entries.map((entry) => [entry.serial, entry.direction, entry.amountFen])).toEqual([
      ['1', 'out', 900],
      ['2', 'out', 900],
      ['3', 'out', 900],
      ['4', 'in', 500],
    ])
  })

  test('a header that comes again may have moved its columns; its page totals are passed over', async () => {
    const { entries, faults } = await read(
      [
        '户名,平台,账号,110000000000000001',
        '流水号,交易时间,收入金额,支出金额,对方户名',
        '1,2026-09-01,5.00,,甲',
        '本页合计,,5.00,,',
        '对方户名,支出金额,收入金额,交易时间,流水号',
        '乙,,7.00,2026-09-02,2',
        '丙,3.00,,2026-09-02,3',
      ].join('\n'),
    )
    expect(faults).toEqual([])
    expect(entries.map((one) => [one.serial, one.direction, one.amountFen, one.payerName])).toEqual([
      ['1', 'in', 500, '甲'],
      ['2', 'in', 700, '乙'],
      ['3', 'out', 300, '丙'],
    ])
  })

  test.each([
    ['1,2026-09-01,12.345,a', 'amount_unreadable'],
    ['1,2026-09-01,"1,23.00",a', 'amount_unreadable'],
    ['1,2026-09-01,一百元,a', 'amount_unreadable'],
    ['1,2026-09-01,-3.00,a', 'amount_negative'],
    ['1,2026-02-30,3.00,a', 'time_unreadable'],
    ['1,2026-09-01 25:00:00,3.00,a', 'time_unreadable'],
    [',2026-09-01,3.00,a', 'serial_missing'],
    ['1.23457E+19,2026-09-01,3.00,a', 'serial_damaged'],
    ['0,2026-09-01,3.00,a', 'serial_twice'],
    ['3,,3.00,', 'time_unreadable'],
    ['3,2026-09-01,3.00,a,6.22E+18', 'account_damaged'],
    ['3,2026-09-01,3.00,a,,9.00', 'both_directions'],
    ['3,2026-09-01,,a,,-9.00', 'amount_negative'],
    ['3,2026-09-01,9.00,a,,,USD', 'currency_foreign'],
    [`2,2026-09-01,3.00,${'long'.repeat(51)}`, 'text_too_long'],
  ])('names the fault of %s', async (bad, code) => {
    const { faults } = await read(
      `流水号,交易时间,收入金额,对方户名,对方账号,支出金额,币种\n0,2026-09-01,1.00,ok\n${bad}\n`,
    )
    expect(faults).toMatchObject([{ row: 3, code }])
    expect(faults[0]?.zh).not.toBe('')
  })

  test('says when a direction cannot be read', async () => {
    const { entries, faults } = await read(
      '流水号,日期,金额,借贷标志\n1,20260901,1,贷\n2,20260901,1,借\n3,20260901,1,？\n',
    )
    expect(entries.map((entry) => entry.direction)).toEqual(['in', 'out'])
    expect(faults).toMatchObject([{ row: 4, code: 'direction_unreadable' }])
  })

  test('refuses what is no statement, and says what is missing', async () => {
    expect((await read('姓名,手机号\n张三,13800000000\n')).refusal?.zh).toContain('交易流水号')
    expect((await read('')).refusal?.zh).toBe('文件里没有内容')
    expect((await readBankStatement(Buffer.from('%PDF-1.7'), 'a.pdf')).refusal?.en).toContain('not_a_spreadsheet')
    expect((await readBankStatement(Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), 'a.xlsx')).refusal).not.toBeNull()
    expect((await read(`${header}\n`)).entries).toEqual([])
  })
})

test('amounts are read to the fen or not at all', () => {
  const cases: [string, number | null][] = [
    ['1,234.56', 123_456],
    ['１２.３０', 1230],
    ['¥0.01', 1],
    ['+8', 800],
    ['-8.5', -850],
    ['1234.500', 123_450],
    ['0.1', 10],
    ['1,2345', null],
    ['1.001', null],
    ['', null],
    ['1e5', null],
    ['--1', null],
    ['9'.repeat(16), null],
  ]
  for (const [text, value] of cases) expect([text, plainMoney(text)]).toEqual([text, value])
})

test('days and times are China’s, in every form', () => {
  const noon = china('2026-09-01T12:00:00')
  expect(readTime(readDay('20260901'), '120000')).toBe(noon)
  expect(readTime(null, '20260901120000')).toBe(noon)
  expect(readTime(null, '2026年9月1日 12时00分00秒')).toBe(noon)
  expect(readTime(readDay('2026-09-01 12:00'), '')).toBe(noon)
  expect(readTime(readDay('2026-9-1'), '0.5')).toBe(noon)
  expect(readTime(null, '12:00')).toBeNull()
  expect(readTime(readDay('2026-13-01'), '12:00')).toBeNull()
})
