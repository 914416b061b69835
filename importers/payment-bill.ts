import { fen, type Fen } from '../contract/fen.ts'
import { readTime } from './bank-values.ts'

/** A paid order or an accepted refund of a trade bill. */
export interface TradeLine {
  readonly row: number
  readonly kind: 'paid' | 'refund'
  readonly atMs: number
  readonly mchid: string
  readonly transactionId: string
  readonly outTradeNo: string
  /** Refunds only. */
  readonly outRefundNo: string | null
  readonly refundId: string | null
  /** What was paid, or what goes back. */
  readonly amountFen: Fen
  /** A refund that WeChat Pay gave up: no money moved. */
  readonly failed: boolean
}

/** One movement on a merchant's account. */
export interface FlowLine {
  readonly row: number
  readonly atMs: number
  /** The transaction, or WeChat Pay's number of the refund. */
  readonly businessNo: string
  readonly flowNo: string
  readonly type: string
  readonly direction: 'in' | 'out'
  readonly amountFen: Fen
  /** The merchant's own number, or of shares the number of their detail. */
  readonly voucher: string
}

/** A share, a share that came back, or money that was unfrozen; only what succeeded. */
export interface ShareLine {
  readonly row: number
  readonly kind: 'share' | 'return' | 'unfreeze'
  readonly atMs: number
  readonly transactionId: string
  /** Our number of the call. */
  readonly outNo: string
  readonly detailId: string
  readonly account: string
  readonly amountFen: Fen
}

/** Why a bill cannot be read: nothing of it may be compared then. */
export class BillUnreadable extends Error {
  readonly row: number
  readonly column: string | null
  constructor(row: number, column: string | null, what: string) {
    super(`row ${row}${column === null ? '' : ` ${column}`}: ${what}`)
    this.name = 'BillUnreadable'
    this.row = row
    this.column = column
  }
}

type Fields = ReadonlyMap<string, string>
interface Table {
  readonly names: readonly string[]
  readonly rows: readonly { readonly row: number; readonly fields: Fields }[]
  /** What stands at its end, by name, and where. */
  readonly sums: Fields
  readonly sumsRow: number
}

/**
 * Reads a trade bill (protocols wechat-pay 7): by the names of its columns, so it does not matter where they stand.
 * Throws BillUnreadable when a column is missing, a field cannot be read, a row is not in yuan, or the summary counts
 * another number of rows.
 */
export function readTradeBill(text: string): TradeLine[] {
  const table = readTable(text, ['总交易单数'])
  return table.rows.map(({ row, fields }) => {
    const field = fieldsOf(row, fields)
    if (field.optional('货币种类', 'CNY') !== 'CNY') throw new BillUnreadable(row, '货币种类', 'not in yuan')
    const refunded = field.optional('商户退款单号', '0')
    const kind = field.text('交易状态') === 'REFUND' ? 'refund' : 'paid'
    return {
      row,
      kind,
      atMs: field.time('交易时间'),
      mchid: field.text('商户号'),
      transactionId: field.text('微信订单号'),
      outTradeNo: field.text('商户订单号'),
      outRefundNo: refunded === '0' ? null : refunded,
      refundId: kind === 'refund' ? field.text('微信退款单号') : null,
      amountFen: field.money(kind === 'refund' ? '申请退款金额' : '订单金额'),
      failed: kind === 'refund' && field.text('退款状态') === 'FAIL',
    }
  })
}

/**
 * Reads a fund flow bill: all that moved on an account, with fees. Throws BillUnreadable as above, and when its summary has
 * another number or sum for either way.
 */
export function readFundFlowBill(text: string): FlowLine[] {
  const table = readTable(text, ['资金流水总笔数'])
  const lines = table.rows.map(({ row, fields }): FlowLine => {
    const field = fieldsOf(row, fields)
    const way = field.text('收支类型')
    if (way !== '收入' && way !== '支出') throw new BillUnreadable(row, '收支类型', 'neither in nor out')
    return {
      row,
      atMs: field.time('记账时间'),
      businessNo: field.text('微信支付业务单号'),
      flowNo: field.text('资金流水单号'),
      type: field.text('业务类型'),
      direction: way === '收入' ? 'in' : 'out',
      amountFen: field.money('收支金额(元)'),
      voucher: field.optional('业务凭证号', ''),
    }
  })
  mustAgree(table, lines, 'in', '收入')
  mustAgree(table, lines, 'out', '支出')
  return lines
}

function mustAgree(
  { sums, sumsRow }: Table,
  lines: readonly FlowLine[],
  way: FlowLine['direction'],
  name: string,
): void {
  const own = lines.filter((line) => line.direction === way)
  const told = fieldsOf(sumsRow, sums)
  if (Number(told.text(`${name}笔数`)) !== own.length)
    throw new BillUnreadable(sumsRow, `${name}笔数`, `not ${own.length} rows`)
  if (told.money(`${name}金额`) !== own.reduce((sum, line) => sum + line.amountFen, 0))
    throw new BillUnreadable(sumsRow, `${name}金额`, 'another sum than the rows')
}

const shareKinds: Readonly<Record<string, ShareLine['kind']>> = { 分账: 'share', 分账回退: 'return', 解冻: 'unfreeze' }

const sharingColumns = new Set(
  '分账时间,分账发起方,分账方,微信订单号,微信分账单号,分账明细单号,商户分账单号,订单金额,分账接收方,分账金额,业务类型,处理状态,分账描述,备注'.split(
    ',',
  ),
)

/**
 * Reads a sharing bill. No source tells its columns (protocols wechat-pay 5.8): a name that is not known, or one that is
 * missing, fails loudly with its row and column.
 */
export function readSharingBill(text: string): ShareLine[] {
  const table = readTable(text, ['总笔数'])
  const strange = table.names.find((name) => !sharingColumns.has(name))
  if (strange !== undefined) throw new BillUnreadable(1, strange.slice(0, 20), 'a column that we do not know')
  return table.rows.map(({ row, fields }) => {
    const field = fieldsOf(row, fields)
    const kind = shareKinds[field.text('业务类型')]
    if (kind === undefined) throw new BillUnreadable(row, '业务类型', 'not a kind that we know')
    return {
      row,
      kind,
      atMs: field.time('分账时间'),
      transactionId: field.text('微信订单号'),
      outNo: field.text('商户分账单号'),
      detailId: field.text('分账明细单号'),
      account: field.text('分账接收方'),
      amountFen: field.money('分账金额'),
    }
  })
}

/** Headers, rows of data (each field behind a backtick), a second header, one row that sums up. */
function readTable(text: string, countNames: readonly string[]): Table {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  while (lines.at(-1) === '') lines.pop()
  const names = (lines[0] ?? '').split(',').map(plainName)
  if (names.length < 2) throw new BillUnreadable(1, null, 'no header')
  const rows: { row: number; fields: Fields }[] = []
  let at = 1
  for (; at < lines.length && lines[at]!.startsWith('`'); at += 1) {
    const values = lines[at]!.slice(1).split(',`')
    if (values.length !== names.length)
      throw new BillUnreadable(at + 1, null, 'another number of fields than the header')
    rows.push({ row: at + 1, fields: new Map(names.map((name, index) => [name, values[index]!])) })
  }
  const sums = (lines[at] ?? '').split(',').map(plainName)
  const totals = (lines[at + 1] ?? '').slice(1).split(',`')
  if (at + 2 !== lines.length || sums.length !== totals.length)
    throw new BillUnreadable(at + 1, null, 'no summary at the end')
  const count = countNames.map((name) => totals[sums.indexOf(name)]).find((value) => value !== undefined)
  if (Number(count) !== rows.length) throw new BillUnreadable(at + 2, countNames[0]!, `not ${rows.length} rows`)
  return { names, rows, sums: new Map(sums.map((name, index) => [name, totals[index]!])), sumsRow: at + 2 }
}

/** Brackets come in half and full width. */
const plainName = (name: string): string => name.trim().replaceAll('（', '(').replaceAll('）', ')')

function fieldsOf(row: number, fields: Fields) {
  const text = (column: string): string => {
    const value = fields.get(column)
    if (value === undefined) throw new BillUnreadable(row, column, 'no such column')
    return value.trim()
  }
  return {
    text,
    optional: (column: string, otherwise: string): string => fields.get(column)?.trim() ?? otherwise,
    time: (column: string): number => {
      const atMs = readTime(null, text(column))
      if (atMs === null) throw new BillUnreadable(row, column, 'not a time')
      return atMs
    },
    /** Yuan with two decimals, never rounded. */
    money: (column: string): Fen => {
      const match = /^(\d{1,13})(?:\.(\d{1,2}))?$/.exec(text(column))
      if (!match) throw new BillUnreadable(row, column, 'not an amount of yuan')
      return fen(Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0')))
    },
  }
}
