import { rulesOf, settleDue } from './accounts.ts'
import type { Business, JournalRow } from './money-state.ts'
import { tradeTypes } from './state.ts'
import type { Trade, World } from './state.ts'

export const tradeBillTypes = ['ALL', 'SUCCESS', 'REFUND'] as const
export type TradeBillType = (typeof tradeBillTypes)[number]

/** A row by the names of its columns. */
export type BillRow = Readonly<Record<string, string>>
/** A bill before it is written: what stands in it, and what is summed up under it. */
export interface Bill {
  readonly columns: readonly string[]
  readonly rows: readonly BillRow[]
  /** The column whose amount the dials change. */
  readonly amountColumn: string
  readonly summary: (rows: readonly BillRow[]) => readonly (readonly [name: string, value: string])[]
}

/** The day of a bill: from `fromMs` until before `toMs`; refunds stand as they were at `madeAtMs`. */
export interface BillDay {
  readonly fromMs: number
  readonly toMs: number
  readonly madeAtMs: number
}

const chinaText = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
/** Fen as yuan, with as many decimals as the column has. */
const yuan = (fen: number, decimals = 2): string => (fen / 100).toFixed(decimals)
/** Merchants' own text: a comma would end the field, and a line break the row (protocol sheet 7). */
const escaped = (text: string): string => text.replaceAll(',', '\\ ').replaceAll(/\r?\n/g, '\\n')
const sumOf = (rows: readonly BillRow[], column: string): number =>
  rows.reduce((sum, row) => sum + Math.round(Number(row[column] ?? 0) * 100), 0)

const head =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额'
const refundPart = '微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态'
const tradeColumns: Record<TradeBillType, string> = {
  ALL: `${head},${refundPart},商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注`,
  SUCCESS: `${head},商品名称,商户数据包,手续费,费率,订单金额,费率备注`,
  REFUND: `${head},退款申请时间,退款成功时间,${refundPart},商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注`,
}

/** The trade bill: paid orders, parts of combined ones with them, and refunds that were accepted (protocol sheet 7). */
export function tradeBill(world: World, mchid: string, day: BillDay, type: TradeBillType): Bill {
  settleDue(world)
  const paid = [...world.paid.values()].filter((one) => one.mchid === mchid && within(day, one.successAtMs))
  const refunds = [...world.money.refunds.values()].filter((one) => one.mchid === mchid && within(day, one.createdAtMs))
  const fees = feesAtFirst(world, mchid)
  const timed = [
    ...(type === 'REFUND'
      ? []
      : paid.map((one) => ({
          atMs: one.successAtMs ?? 0,
          row: paidRow(world, one, fees.get(one.transactionId ?? '') ?? 0),
        }))),
    ...(type === 'SUCCESS' ? [] : refunds.map((one) => ({ atMs: one.createdAtMs, row: refundRow(world, one, day) }))),
  ]
  const rows = timed.sort((a, b) => a.atMs - b.atMs).map((one) => one.row)
  return {
    columns: tradeColumns[type].split(','),
    rows,
    amountColumn: type === 'REFUND' ? '退款金额' : '订单金额',
    summary: (all) => [
      ['总交易单数', String(all.length)],
      ['应结订单总金额', yuan(sumOf(all, '应结订单金额'))],
      ['退款总金额', yuan(sumOf(all, '退款金额'))],
      ['充值券退款总金额', '0.00'],
      ['手续费总金额', yuan(sumOf(all, '手续费'), 5)],
      ['订单总金额', yuan(sumOf(all, '订单金额'))],
      ['申请退款总金额', yuan(sumOf(all, '申请退款金额'))],
    ],
  }
}

const within = (day: BillDay, ms: number | null): boolean => ms !== null && ms >= day.fromMs && ms < day.toMs

function common(world: World, trade: Trade): Record<string, string> {
  const feeBp = world.money.holdings.get(trade.transactionId ?? '')?.feeBp ?? rulesOf(world, trade.mchid).feeBp
  return {
    公众账号ID: trade.appid,
    商户号: trade.mchid,
    特约商户号: '0',
    设备号: '',
    微信订单号: trade.transactionId ?? '',
    商户订单号: trade.outTradeNo,
    用户标识: trade.openid ?? '',
    交易类型: tradeTypes[trade.product],
    付款银行: trade.bankType ?? '',
    货币种类: 'CNY',
    代金券金额: '0.00',
    充值券退款金额: '0.00',
    商品名称: escaped(trade.description),
    商户数据包: escaped(trade.attach ?? ''),
    费率: `${(feeBp / 100).toFixed(2)}%`,
    费率备注: '',
  }
}

function paidRow(world: World, trade: Trade, fee: number): BillRow {
  return {
    ...common(world, trade),
    交易时间: chinaText(trade.successAtMs ?? 0),
    交易状态: 'SUCCESS',
    应结订单金额: yuan(trade.total),
    微信退款单号: '0',
    商户退款单号: '0',
    退款金额: '0.00',
    退款类型: '',
    退款状态: '',
    手续费: yuan(fee, 5),
    订单金额: yuan(trade.total),
    申请退款金额: '0.00',
  }
}

/** What the fees were when the orders of a merchant were paid: refunds lower them later. */
function feesAtFirst(world: World, mchid: string): ReadonlyMap<string, number> {
  const fees = new Map<string, number>()
  for (const row of world.money.journal)
    if (row.mchid === mchid && row.business === 'fee' && row.transactionId !== null && !fees.has(row.transactionId))
      fees.set(row.transactionId, -row.amount)
  return fees
}

const refundStates = { PROCESSING: 'PROCESSING', SUCCESS: 'SUCCESS', CLOSED: 'FAIL', ABNORMAL: 'CHANGE' } as const

function refundRow(world: World, refund: RefundOf, day: BillDay): BillRow {
  const trade = world.paid.get(refund.transactionId)
  const late = refund.status === 'SUCCESS' && (refund.successAtMs ?? 0) > day.madeAtMs
  return {
    ...(trade ? common(world, trade) : {}),
    交易时间: chinaText(refund.createdAtMs),
    交易状态: 'REFUND',
    应结订单金额: '0.00',
    退款申请时间: chinaText(refund.createdAtMs),
    退款成功时间: refund.successAtMs === null || late ? '' : chinaText(refund.successAtMs),
    微信退款单号: refund.refundId,
    商户退款单号: refund.outRefundNo,
    退款金额: yuan(refund.amount),
    退款类型: 'ORIGINAL',
    退款状态: late ? 'PROCESSING' : refundStates[refund.status],
    手续费: yuan(-refund.feeBack, 5),
    订单金额: '0.00',
    申请退款金额: yuan(refund.amount),
  }
}
type RefundOf = World['money']['refunds'] extends Map<string, infer R> ? R : never

const flowColumns =
  '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号'
const flowNames: Record<Business, readonly [name: string, type: string] | null> = {
  payment: ['交易', '交易'],
  fee: ['交易', '扣除交易手续费'],
  fee_back: ['退款', '退还交易手续费'],
  refund: ['退款', '退款'],
  refund_back: ['退款', '退款退回'],
  share_out: ['分账', '分账'],
  share_in: ['分账', '分账'],
  return_out: ['分账', '分账回退'],
  return_in: ['分账', '分账回退'],
  // Money that only changes from frozen to available stays on the account.
  unfreeze: null,
  top_up: ['充值', '充值'],
  withdrawal: ['提现', '提现'],
}

/** The fund flow bill: every movement on the basic account, frozen money included (protocol sheet 7). */
export function fundFlowBill(world: World, mchid: string, day: BillDay): Bill {
  settleDue(world)
  const moved = world.money.journal.filter((row) => row.mchid === mchid && within(day, row.atMs))
  return {
    columns: flowColumns.split(','),
    rows: moved.map(flowRow).filter((row) => row !== null),
    amountColumn: '收支金额(元)',
    summary: (rows) => {
      const [came, went] = ['收入', '支出'].map((way) => rows.filter((row) => row['收支类型'] === way))
      return [
        ['资金流水总笔数', String(rows.length)],
        ['收入笔数', String(came?.length ?? 0)],
        ['收入金额', yuan(sumOf(came ?? [], '收支金额(元)'))],
        ['支出笔数', String(went?.length ?? 0)],
        ['支出金额', yuan(sumOf(went ?? [], '收支金额(元)'))],
      ]
    },
  }
}

function flowRow(row: JournalRow): BillRow | null {
  const names = flowNames[row.business]
  if (names === null) return null
  const own = row.business === 'refund' || row.business === 'refund_back' ? row.voucher : row.transactionId
  const shared = /^(share|return)_/.test(row.business)
  return {
    记账时间: chinaText(row.atMs),
    微信支付业务单号: own ?? '',
    资金流水单号: `1${String(row.serial).padStart(19, '0')}`,
    业务名称: names[0],
    业务类型: names[1],
    收支类型: row.amount > 0 ? '收入' : '支出',
    '收支金额(元)': yuan(Math.abs(row.amount)),
    '账户结余(元)': yuan(row.balance),
    资金变更提交申请人: row.amount > 0 ? 'system' : `${row.mchid}API`,
    备注: '',
    业务凭证号: (shared ? row.voucher : row.outNo) ?? '',
  }
}

/** No source tells these columns (protocol sheet 5.8, unverified): whoever reads them goes by their names. */
const sharingColumns =
  '分账时间,分账发起方,分账方,微信订单号,微信分账单号,分账明细单号,商户分账单号,订单金额,分账接收方,分账金额,业务类型,处理状态,分账描述,备注'

/** The sharing bill: what receivers got and gave back, successful rows only (protocol sheet 5.8). */
export function sharingBill(world: World, mchid: string, day: BillDay): Bill {
  settleDue(world)
  const { shares, returns, sharesById } = world.money
  const timed: { readonly atMs: number; readonly row: BillRow }[] = []
  const rowOf = (atMs: number, transactionId: string, more: BillRow) => {
    const total = world.paid.get(transactionId)?.total ?? 0
    const parties = { 分账时间: chinaText(atMs), 分账发起方: mchid, 分账方: mchid, 微信订单号: transactionId }
    timed.push({ atMs, row: { ...parties, 订单金额: yuan(total), 处理状态: '成功', 备注: '', ...more } })
  }
  for (const share of shares.values()) {
    if (share.mchid !== mchid) continue
    for (const row of share.rows) {
      if (row.result !== 'SUCCESS' || row.finishedAtMs === null || !within(day, row.finishedAtMs)) continue
      rowOf(row.finishedAtMs, share.transactionId, {
        微信分账单号: share.orderId,
        分账明细单号: row.detailId,
        商户分账单号: share.outOrderNo,
        分账接收方: row.account,
        分账金额: yuan(row.amount),
        业务类型: row.unfreezes ? '解冻' : '分账',
        分账描述: escaped(row.description),
      })
    }
  }
  for (const one of returns.values()) {
    if (one.mchid !== mchid || one.result !== 'SUCCESS' || !within(day, one.finishedAtMs)) continue
    rowOf(one.finishedAtMs ?? 0, sharesById.get(one.orderId)?.transactionId ?? '', {
      微信分账单号: one.orderId,
      分账明细单号: one.returnId,
      商户分账单号: one.outReturnNo,
      分账接收方: one.returnMchid,
      分账金额: yuan(one.amount),
      业务类型: '分账回退',
      分账描述: escaped(one.description),
    })
  }
  return {
    columns: sharingColumns.split(','),
    rows: timed.sort((a, b) => a.atMs - b.atMs).map((one) => one.row),
    amountColumn: '分账金额',
    summary: (rows) => [
      ['总笔数', String(rows.length)],
      ['总金额', yuan(sumOf(rows, '分账金额'))],
    ],
  }
}
