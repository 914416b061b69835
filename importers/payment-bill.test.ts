import { expect, test } from 'vitest'
import { BillUnreadable, readFundFlowBill, readSharingBill, readTradeBill } from './payment-bill.ts'

const tradeHead =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注'
const paid =
  '`2026-09-15 10:00:01,`wx1,`1900000101,`0,`,`4200001,`FLK1,`oPayer,`NATIVE,`SUCCESS,`OTHERS,`CNY,`1234.56,`0.00,`0,`0,`0.00,`0.00,`,`,`福利卡\\ 订单,`,`7.40736,`0.60%,`1234.56,`0.00,`'
const refunded =
  '`2026-09-15 11:00:00,`wx1,`1900000101,`0,`,`4200001,`FLK1,`oPayer,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5030001,`FLKR1,`0.05,`0.00,`ORIGINAL,`PROCESSING,`福利卡,`,`-0.00030,`0.60%,`0.00,`0.05,`'
const tradeSums = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额'
const bill = (...lines: string[]) => `${lines.join('\n')}\n`
const tradeBill = (rows: readonly string[]) =>
  bill(tradeHead, ...rows, tradeSums, `\`${rows.length},\`1.00,\`1.00,\`0.00,\`0.00,\`1.00,\`1.00`)

test('a trade bill is read by the names of its columns, in China’s time, to the fen', () => {
  const lines = readTradeBill(`\uFEFF${tradeBill([paid, refunded]).replaceAll('\n', '\r\n')}`)
  const same = { mchid: '1900000101', transactionId: '4200001', outTradeNo: 'FLK1' }
  expect(lines).toEqual([
    {
      ...same,
      row: 2,
      kind: 'paid',
      atMs: Date.parse('2026-09-15T10:00:01+08:00'),
      outRefundNo: null,
      refundId: null,
      amountFen: 123_456,
      failed: false,
    },
    {
      ...same,
      row: 3,
      kind: 'refund',
      atMs: Date.parse('2026-09-15T11:00:00+08:00'),
      outRefundNo: 'FLKR1',
      refundId: '5030001',
      amountFen: 5,
      failed: false,
    },
  ])
})

test('columns that moved, and new ones among them, change nothing', () => {
  const turn = (line: string, tick: string) =>
    [...line.split(`,${tick}`).slice(1), line.split(`,${tick}`)[0]!].join(`,${tick}`)
  const row = `\`${turn(paid.slice(1), '`')},\`new`
  const moved = bill(`${turn(tradeHead, '')},新列`, row, tradeSums, '`1,`1.00,`1.00,`0.00,`0.00,`1.00,`1.00')
  expect(readTradeBill(moved)).toEqual(readTradeBill(tradeBill([paid])))
})

test('a fund flow bill takes brackets of either width and both ways', () => {
  const head =
    '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号'
  const rows = [
    '`2026-09-15 10:00:01,`4200001,`10001,`交易,`交易,`收入,`1234.56,`1234.56,`system,`,`FLK1',
    '`2026-09-15 10:00:01,`4200001,`10002,`交易,`扣除交易手续费,`支出,`7.41,`1227.15,`system,`,`FLK1',
  ]
  const sums = ['资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额', '`2,`1,`1234.56,`1,`7.41']
  expect(readFundFlowBill(bill(head, ...rows, ...sums))).toMatchObject([
    { businessNo: '4200001', flowNo: '10001', type: '交易', direction: 'in', amountFen: 123_456, voucher: 'FLK1' },
    { flowNo: '10002', type: '扣除交易手续费', direction: 'out', amountFen: 741 },
  ])
})

test('what is not as it must be names its row and column, and nothing is read', () => {
  const fault = (read: () => unknown): string => {
    try {
      read()
    } catch (error) {
      if (error instanceof BillUnreadable) return `${error.row} ${error.column ?? ''}`.trim()
      throw error
    }
    return 'read'
  }
  expect(fault(() => readTradeBill(''))).toBe('1')
  expect(fault(() => readTradeBill('{"code":"SYSTEM_ERROR"}'))).toBe('1')
  expect(fault(() => readTradeBill(tradeBill([paid.replace('`1234.56,`0.00,`', '`12,`')])))).toBe('2')
  expect(fault(() => readTradeBill(tradeBill([paid.replaceAll('1234.56', '1234.567')])))).toBe('2 订单金额')
  expect(fault(() => readTradeBill(tradeBill([paid.replaceAll('1234.56', '-1')])))).toBe('2 订单金额')
  expect(fault(() => readTradeBill(tradeBill([paid.replace('2026-09-15', '2026-13-15')])))).toBe('2 交易时间')
  expect(fault(() => readTradeBill(tradeBill([paid]).replace('微信订单号', '订单号')))).toBe('2 微信订单号')
  expect(fault(() => readTradeBill(bill(tradeHead, paid)))).toBe('3')
  // A row was lost on the way: the summary still counts it.
  expect(fault(() => readTradeBill(tradeBill([paid]).replace('`1,`1.00', '`2,`1.00')))).toBe('4 总交易单数')
  const kinds = '分账时间,微信订单号,分账明细单号,商户分账单号,分账接收方,分账金额,业务类型'
  const share = '`2026-09-15 10:00:01,`4200001,`3600,`FLKS1,`1900000301,`1.00,`新业务'
  expect(fault(() => readSharingBill(bill(kinds, share, '总笔数,总金额', '`1,`1.00')))).toBe('2 业务类型')
  const known = share.replace('新业务', '分账')
  expect(fault(() => readSharingBill(bill(kinds, known, '总笔数,总金额', '`1,`1.00')))).toBe('read')
  const more = bill(`${kinds},退回金额`, `${known},\`1.00`, '总笔数,总金额', '`1,`1.00')
  expect(fault(() => readSharingBill(more))).toBe('1 退回金额')
  expect(fault(() => readTradeBill(tradeBill([paid.replace('`CNY', '`USD')])))).toBe('2 货币种类')
  const flowHead = '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),业务凭证号'
  const flow = (amount: string, sums: string) =>
    bill(
      flowHead,
      `\`2026-09-15 10:00:01,\`4200001,\`10001,\`交易,\`交易,\`收入,\`${amount},\`FLK1`,
      '资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额',
      sums,
    )
  expect(fault(() => readFundFlowBill(flow('1.00', '`1,`1,`1.00,`0,`0.00')))).toBe('read')
  // A row was changed on the way, or stands for another.
  expect(fault(() => readFundFlowBill(flow('1.01', '`1,`1,`1.00,`0,`0.00')))).toBe('4 收入金额')
  expect(fault(() => readFundFlowBill(flow('1.00', '`1,`0,`0.00,`1,`1.00')))).toBe('4 收入笔数')
  expect(fault(() => readFundFlowBill(flow('1.00', '`1,`1,`1.00,`0,`一元')))).toBe('4 支出金额')
})
