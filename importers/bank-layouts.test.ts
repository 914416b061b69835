import ExcelJS from 'exceljs'
import iconv from 'iconv-lite'
import { expect, test } from 'vitest'
import { readBankStatement } from './bank-statement.ts'

const china = (text: string) => Date.parse(`${text}+08:00`)
const csv = (lines: readonly string[], between = '\n') => iconv.encode(lines.join(between), 'gb18030')
const tsv = (rows: readonly (readonly string[])[]) => csv(rows.map((row) => row.join('\t')))

/** Layouts of banks, as their exports look; each holds one line in of 1,234.50 and one out of 20.00. */
const layouts: Record<
  string,
  { readonly file: string; readonly bytes: Uint8Array; readonly serials: readonly string[] }
> = {
  'CCB 建行, csv with a head, amounts in two columns': {
    file: '建行.csv',
    bytes: csv([
      '中国建设银行账户明细,,,',
      '账号,11001000000000000001,账户名称,福利卡平台',
      '账号,账户名称,交易时间,借方发生额（支取）,贷方发生额（收入）,余额,币种,对方户名,对方账号,对方开户机构,记账日期,摘要,备注,账户明细编号-交易流水号,企业流水号,凭证种类,凭证号',
      '11001,福利卡平台,20260901 12:30:15,0.00,"1,234.50","5,000.00",人民币元,青禾科技,6222000000000000001,某支行,20260901,转账,FLKAB23CD45,17-A1,,,',
      '11001,福利卡平台,20260902 08:00:24,20.00,0.00,"4,980.00",人民币元,乙公司,6222000000000000002,某支行,20260902,付款,,18-A2,,,',
    ]),
    serials: ['17-A1', '18-A2'],
  },
  'BOC 中行, bars, titles in two languages, minus for what goes out, payer and payee apart': {
    file: '中行.csv',
    bytes: csv([
      '查询账号[ Inquirer account number ]|2325',
      '借方发生总额[ Total Debit Amount of Payments ]|20.00|',
      "交易类型[ Transaction Type ]|付款人账号[ Debit Account No. ]|付款人名称[ Payer's Name ]|收款人账号[ Payee's Account Number ]|收款人名称[ Payee's Name ]|交易日期[ Transaction Date ]|交易时间[ Transaction time ]|交易货币[ Trade Currency ]|交易金额[ Trade Amount ]|交易后余额[ After-transaction balance ]|起息日期[ Value Date ]|交易流水号[ Transaction reference number ]|摘要[ Reference ]|用途[ Purpose ]|交易附言[ Remark ]|",
      '来账|6222000000000000001|青禾科技|2325|福利卡平台|20260901|12:30:15|CNY|1234.50|+5000.00|20260901|109585237086|||FLKAB23CD45|',
      '往账|2325|福利卡平台|6222000000000000002|乙公司|20260902|08:00:24|CNY|-20.00|+4980.00|20260902|109585237087|||付款|',
    ]),
    serials: ['109585237086', '109585237087'],
  },
  'CMB 招行, tabs, day and time apart': {
    file: '招行.csv',
    bytes: tsv([
      ['公司名称', '福利卡平台', '银行帐号', '110000000000000001'],
      ['查询开始日期', '20260901', '查询结束日期', '20260930'],
      [
        '交易日',
        '交易时间',
        '起息日',
        '交易类型',
        '借方金额',
        '贷方金额',
        '余额',
        '摘要',
        '流水号',
        '用途',
        '收/付方名称',
        '收/付方帐号',
      ],
      [
        '20260901',
        '123015',
        '20260901',
        '转账',
        '0',
        '1234.50',
        '5000.00',
        '福利',
        'C0001',
        'FLKAB23CD45',
        '青禾科技',
        "'6222000000000000001",
      ],
      [
        '20260902',
        '080024',
        '20260902',
        '转账',
        '20.00',
        '0',
        '4980.00',
        '付款',
        'C0002',
        '',
        '乙公司',
        '6222000000000000002',
      ],
      ['', '', '', '合计', '20.00', '1234.50', '', '', '', '', '', ''],
    ]),
    serials: ['C0001', 'C0002'],
  },
  'ICBC 工行, tabs, no serial numbers: the balance tells lines apart': {
    file: '工行.csv',
    bytes: tsv([
      ['[HISTORYDETAIL]'],
      [
        '凭证号',
        '本方账号',
        '对方账号',
        '交易时间',
        '借/贷',
        '借方发生额',
        '贷方发生额',
        '对方行号',
        '摘要',
        '用途',
        '对方单位名称',
        '余额',
        '个性化信息',
      ],
      [
        '0',
        '1100',
        '6222000000000000001',
        '2026-09-01 12:30:15',
        '贷',
        '',
        '1,234.50',
        '',
        '转账',
        'FLKAB23CD45',
        '青禾科技',
        '5,000.00',
        '',
      ],
      [
        '0',
        '1100',
        '6222000000000000002',
        '2026-09-02 08:00:24',
        '借',
        '20.00',
        '',
        '',
        '付款',
        '',
        '乙公司',
        '4,980.00',
        '',
      ],
    ]),
    serials: ['row-', 'row-'],
  },
  'ABC 农行, UTF-8 with a mark, full-width digits': {
    file: '农行.csv',
    bytes: Buffer.from(
      `\ufeff账户明细\n交易时间,收入金额,支出金额,账户余额,对方账号,对方户名,交易用途,交易摘要,日志号\n2026-09-01 12:30:15,"１，２３４．５０",,"5,000.00",6222000000000000001,青禾科技,FLKAB23CD45,转账,L1\n2026-09-02 08:00:24,,20.00,"4,980.00",6222000000000000002,乙公司,,付款,L2\n`,
    ),
    serials: ['L1', 'L2'],
  },
  'BOCOM 交行, one amount with a direction': {
    file: '交行.csv',
    bytes: csv([
      '交易时间,摘要,借贷标志,发生额,余额,对方账号,对方户名,核心流水号',
      '2026/09/01 12:30:15,FLKAB23CD45,贷,1234.50,5000.00,6222000000000000001,青禾科技,B1',
      '2026/09/02 08:00:24,付款,借,20.00,4980.00,6222000000000000002,乙公司,B2',
    ]),
    serials: ['B1', 'B2'],
  },
}

test.each(Object.entries(layouts))('%s', async (_name, { file, bytes, serials }) => {
  const read = await readBankStatement(bytes, file)
  expect(read.faults).toEqual([])
  expect(read.refusal).toBeNull()
  expect(read.entries).toMatchObject([
    {
      direction: 'in',
      amountFen: 123_450,
      arrivedAtMs: china('2026-09-01T12:30:15'),
      payerName: '青禾科技',
      payerAccount: '6222000000000000001',
      memo: expect.stringContaining('FLKAB23CD45'),
    },
    {
      direction: 'out',
      amountFen: 2000,
      arrivedAtMs: china('2026-09-02T08:00:24'),
      payerName: '乙公司',
      payerAccount: '6222000000000000002',
    },
  ])
  for (const [index, serial] of serials.entries()) expect(read.entries[index]!.serial.startsWith(serial)).toBe(true)
})

test('a layout without serial numbers gives a line the same number in every file, and a doubled line is told', async () => {
  const head = '交易时间,借方发生额,贷方发生额,余额,对方账号,对方户名'
  const lines = [
    '2026-09-01 12:30:15,,5.00,10.00,1,甲',
    '2026-09-01 12:30:15,,5.00,15.00,1,甲',
    '2026-09-02 08:00:00,3.00,,12.00,2,乙',
  ]
  const [whole, later] = [csv([head, ...lines]), csv([head, lines[1]!, lines[2]!])]
  const read = await readBankStatement(whole, 'a.csv')
  expect(new Set(read.entries.map((one) => one.serial)).size).toBe(3)
  const again = await readBankStatement(later, 'b.csv')
  expect(again.entries.map((one) => one.serial)).toEqual(read.entries.slice(1).map((one) => one.serial))
  const doubled = await readBankStatement(csv([head, lines[0]!, lines[0]!]), 'c.csv')
  expect(doubled.faults).toMatchObject([{ row: 3, code: 'serial_twice', zh: expect.stringContaining('第 2 行') }])
  const without = await readBankStatement(csv([head, '2026-09-01,,5.00,,1,甲']), 'd.csv')
  expect(without.faults).toMatchObject([{ code: 'serial_missing' }])
})

test('a foreign currency, and a minus where money came in, are told and not booked', async () => {
  const head = '交易类型,交易日期,交易货币,交易金额,交易流水号,付款人名称'
  const read = await readBankStatement(
    csv([head, '来账,20260901,USD,5.00,1,A', '来账,20260901,CNY,-5.00,2,A', '其他,20260901,CNY,5.00,3,A']),
    'a.csv',
  )
  expect(read.faults.map((one) => [one.row, one.code])).toEqual([
    [2, 'currency_foreign'],
    [3, 'amount_negative'],
    [4, 'direction_unreadable'],
  ])
  expect(read.entries).toEqual([])
})

test('a workbook with a head, a hidden sheet and dates as numbers is read', async () => {
  const book = new ExcelJS.Workbook()
  book.addWorksheet('说明').state = 'hidden'
  const sheet = book.addWorksheet('明细')
  for (const line of [['中国建设银行'], ['起始日期', '20260901']]) sheet.addRow(line)
  sheet.addRow([
    '交易时间',
    '借方发生额（支取）',
    '贷方发生额（收入）',
    '余额',
    '币种',
    '对方户名',
    '对方账号',
    '摘要',
    '账户明细编号-交易流水号',
  ])
  sheet.addRow([
    new Date(Date.UTC(2026, 8, 1)),
    null,
    1234.5,
    5000,
    '人民币元',
    '青禾科技',
    '6222000000000000001',
    'FLKAB23CD45',
    '17-A1',
  ])
  sheet.addRow([
    new Date(Date.UTC(2026, 8, 2)),
    20,
    null,
    4980,
    '人民币元',
    '乙公司',
    '6222000000000000002',
    '',
    '18-A2',
  ])
  sheet.addRow(['合计', 20, 1234.5])
  const read = await readBankStatement(new Uint8Array(await book.xlsx.writeBuffer()), '建行.xlsx')
  expect(read.faults).toEqual([])
  expect(read.entries.map((one) => [one.row, one.direction, one.amountFen, one.serial])).toEqual([
    [4, 'in', 123_450, '17-A1'],
    [5, 'out', 2000, '18-A2'],
  ])
})
