/**
 * What banks call the columns of a statement, the likeliest first. They move, and differ between a bank's products, so a
 * file is read by its header, never by its bank. ICBC 工行, CCB 建行, ABC 农行, BOC 中行, CMB 招行, BOCOM 交行 and plain files.
 */
const fields = {
  serial: [
    '交易流水号',
    '账户明细编号-交易流水号',
    '流水号',
    '核心流水号',
    '银行流水号',
    '会计流水号',
    '交易流水',
    '交易日志号',
    '日志号',
    '柜员流水号',
    '交易序号',
    '电子回单号',
    '回单编号',
    '凭证流水号',
    'serial',
    'transactionid',
  ],
  day: ['交易日期', '记账日期', '入账日期', '交易日', '日期', 'date'],
  time: ['交易时间', '记账时间', '入账时间', '时间', '交易日期时间', '交易时间戳', 'time'],
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
    '收款金额',
    'credit',
  ],
  expense: [
    '支出金额',
    '借方发生额',
    '支出',
    '借方金额',
    '转出金额',
    '支取金额',
    '借方',
    '支出发生额',
    '出账金额',
    '付款金额',
    'debit',
  ],
  amount: ['交易金额', '发生额', '金额', 'amount'],
  direction: [
    '借贷标志',
    '借/贷',
    '借贷',
    '借/贷标志',
    '收支方向',
    '借贷方向',
    '收支',
    '收/支',
    '收付标志',
    '借贷标识',
    'direction',
  ],
  /** BOC says 来账 or 往账 here; other banks say anything. */
  kind: ['交易类型'],
  balance: ['余额', '交易后余额', '账户余额', '本次余额', 'balance'],
  currency: ['币种', '交易货币', '币别', '交易币种', 'currency'],
  otherName: ['对方户名', '对方名称', '对方账户名称', '对方单位名称', '对方单位', '收/付方名称', '收付方名称', 'payer'],
  otherAccount: ['对方账号', '对方帐号', '对方账户', '收/付方帐号', '收/付方账号', '收付方账号', 'account'],
  payerName: ['付款人名称', '付款方户名', '付款户名', '付款人户名', '付款方名称'],
  payerAccount: ['付款人账号', '付款方账号', '付款账号', '付款人帐号'],
  payeeName: ['收款人名称', '收款方户名', '收款户名', '收款人户名', '收款方名称'],
  payeeAccount: ['收款人账号', '收款方账号', '收款账号', '收款人帐号'],
  memo: [
    '附言',
    '摘要',
    '用途',
    '备注',
    '交易摘要',
    '交易附言',
    '交易用途',
    '客户附言',
    '业务摘要',
    '其它摘要',
    '个性化信息',
    'memo',
  ],
} as const
export type BankField = keyof typeof fields
export type BankColumns = Readonly<Record<BankField, readonly number[]>>

/**
 * The columns of a header by what they mean; null unless a day or time, money with its direction, and what tells lines
 * apart (a serial number, or the balance after each) are among them.
 */
export function findBankColumns(cells: readonly (string | undefined)[]): BankColumns | null {
  const names = Array.from(cells, plainHeader)
  const found = Object.fromEntries(
    Object.entries(fields).map(([field, synonyms]) => [
      field,
      synonyms.flatMap((synonym) => names.flatMap((name, column) => (name === synonym ? [column] : []))),
    ]),
  ) as unknown as BankColumns
  const has = (field: BankField) => found[field].length > 0
  const money = has('income') || (has('amount') && (has('direction') || has('kind')))
  return (has('serial') || has('balance')) && (has('day') || has('time')) && money ? found : null
}

/** A header without spaces, units and translations in brackets, and marks: 贷方发生额（收入） is 贷方发生额. */
function plainHeader(text: string | undefined): string {
  const plain = (text ?? '').normalize('NFKC').toLowerCase().replaceAll(/\s/g, '')
  return plain.replaceAll(/\([^)]*\)|\[[^\]]*\]|[*:"'#]/g, '')
}

const FOREIGN =
  /万元|千元|百元|角|分$|美元|美金|港币|港元|欧元|日元|英镑|澳元|加元|新元|韩元|卢布|法郎|外币|USD|HKD|EUR|JPY|GBP|AUD|CAD|SGD|KRW|CHF/i
const MONEY = ['income', 'expense', 'amount'] as const

/** The unit behind a column of money that is not yuan, as 万元 in 收入金额（万元）; null when there is none. */
export function foreignUnit(cells: readonly (string | undefined)[], columns: BankColumns): string | null {
  for (const column of MONEY.flatMap((field) => columns[field])) {
    const brackets = (cells[column] ?? '').normalize('NFKC').matchAll(/[([]([^)\]]*)/g)
    for (const [, inside = ''] of brackets) if (FOREIGN.test(inside.trim())) return inside.trim().slice(0, 20)
  }
  return null
}

/** The same of a row beside the table, as 币种：美元 or 单位 and 万元 in the next cell. */
export function statedUnit(cells: readonly (string | undefined)[]): string | null {
  const plain = Array.from(cells, (cell) => (cell ?? '').normalize('NFKC').replaceAll(/\s/g, '')).filter(Boolean)
  for (const [at, cell] of plain.entries()) {
    const match = /(?:(?:币种|币别|货币|currency):?|单位(?::|$))([^,;:]*)/i.exec(cell)
    if (!match) continue
    const unit = match[1] || (plain[at + 1] ?? '')
    if (unit.length <= 8 && FOREIGN.test(unit)) return unit
  }
  return null
}
