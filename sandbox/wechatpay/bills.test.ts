import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { brand, channel, notifyUrl, openPayBox, otherBrand, platform, type PayBox } from '../testing/pay-box.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The box opens on this day at 10:00 in China. */
const DAY = '2026-01-05'
let box: PayBox
beforeEach(async () => {
  box = await openPayBox()
})

const paths = { trade: '/v3/bill/tradebill', fund_flow: '/v3/bill/fundflowbill', sharing: '/v3/profitsharing/bills' }
type Kind = keyof typeof paths
const ask = (kind: Kind, more = '', day = DAY, mchid: string = brand) =>
  box.call(mchid, 'GET', `${paths[kind]}?bill_date=${day}${more}`)
const fetchFile = async (address: unknown, mchid: string = brand) => {
  const { pathname, search } = new URL(String(address))
  return box.call(mchid, 'GET', pathname + search)
}
const textOf = async (kind: Kind, more = '', day = DAY, mchid: string = brand): Promise<string> => {
  const { json } = await ask(kind, more, day, mchid)
  const file = await fetchFile(json['download_url'], mchid)
  expect(createHash('sha1').update(file.text).digest('hex')).toBe(json['hash_value'])
  return file.text
}

/** The rows of a bill by the names of their columns, and its summary. */
async function read(kind: Kind, more = '', day = DAY, mchid: string = brand) {
  const lines = (await textOf(kind, more, day, mchid)).split('\n').filter((line) => line !== '')
  const cells = (line: string | undefined) => (line ?? '').split(',')
  const named = (names: string[], values: string[]) => {
    expect(values.map((value) => value[0])).toEqual(names.map(() => '`'))
    return Object.fromEntries(names.map((name, index) => [name, values[index]!.slice(1)]))
  }
  const columns = cells(lines[0])
  const rows = lines.slice(1, -2).map((line) => named(columns, cells(line)))
  return { columns, rows, summary: named(cells(lines.at(-2)), cells(lines.at(-1))) }
}
const code = (answer: { status: number; json: Record<string, unknown> }) => [answer.status, answer.json['code']]

const place = (no: string, fen: number, more: object = {}) =>
  box.call(brand, 'POST', '/v3/pay/transactions/native', {
    appid: 'wx1',
    mchid: brand,
    description: '福利卡,节日\n版',
    attach: 'a,b',
    out_trade_no: no,
    notify_url: notifyUrl,
    amount: { total: fen },
    ...more,
  })
const idOf = (no: string) => box.world.trades.get(`${brand} ${no}`)?.transactionId ?? ''
const refund = (no: string, fen: number, outRefundNo: string) =>
  box.call(brand, 'POST', '/v3/refund/domestic/refunds', {
    transaction_id: idOf(no),
    out_refund_no: outRefundNo,
    notify_url: notifyUrl,
    amount: { refund: fen, total: box.world.paid.get(idOf(no))!.total, currency: 'CNY' },
  })

/** Two payments at 10:00 and 10:02, a refund of the first at 10:02, a share of the second. */
async function aDay(): Promise<void> {
  await place('ORDER-0001', 10_000)
  await box.pay(brand, 'ORDER-0001')
  await box.clock.advance(120_000)
  await place('ORDER-0002', 20_000, { settle_info: { profit_sharing: true } })
  await box.pay(brand, 'ORDER-0002')
  expect((await refund('ORDER-0001', 2_500, 'REFUND-1')).status).toBe(200)
  await box.clock.advance(120_000)
  const receiver = { appid: 'wx1', type: 'MERCHANT_ID', account: channel, relation_type: 'DISTRIBUTOR' }
  await box.call(brand, 'POST', '/v3/profitsharing/receivers/add', receiver)
  const share = await box.call(brand, 'POST', '/v3/profitsharing/orders', {
    transaction_id: idOf('ORDER-0002'),
    out_order_no: 'SHARE-1',
    receivers: [{ type: 'MERCHANT_ID', account: channel, amount: 300, description: '佣金' }],
    unfreeze_unsplit: true,
  })
  expect(share.status).toBe(200)
  await box.clock.advance(120_000)
}
/** To an hour of the day after the first. */
const nextDayAt = (hour: number) =>
  box.clock.advance(Date.parse('2026-01-06T00:00:00+08:00') + hour * HOUR_MS - box.clock.now())

describe('when', () => {
  test('never for today or later; being made until ten of the next day; for three months', async () => {
    await aDay()
    expect(code(await ask('trade'))).toEqual([400, 'INVALID_REQUEST'])
    expect(code(await ask('trade', '', '2026-02-01'))).toEqual([400, 'INVALID_REQUEST'])
    await nextDayAt(0)
    for (const kind of ['trade', 'fund_flow'] as const)
      expect(code(await ask(kind))).toEqual([400, 'STATEMENT_CREATING'])
    expect(code(await ask('sharing'))).toEqual([400, 'INVALID_REQUEST'])
    await nextDayAt(9.999)
    expect(code(await ask('trade'))).toEqual([400, 'STATEMENT_CREATING'])
    await nextDayAt(10)
    for (const kind of ['trade', 'fund_flow', 'sharing'] as const) expect((await ask(kind)).status).toBe(200)
    await box.clock.advance(91 * DAY_MS)
    expect((await ask('trade')).status).toBe(200)
    await box.clock.advance(DAY_MS)
    expect(code(await ask('trade'))).toEqual([400, 'INVALID_REQUEST'])
  })

  test('a day without a movement has none, and neither has a merchant without one', async () => {
    await aDay()
    await box.clock.advance(2 * DAY_MS)
    for (const kind of ['trade', 'fund_flow', 'sharing'] as const) {
      expect(code(await ask(kind, '', '2026-01-06'))).toEqual([400, 'NO_STATEMENT_EXIST'])
      expect(code(await ask(kind, '', DAY, otherBrand))).toEqual([400, 'NO_STATEMENT_EXIST'])
    }
    expect(code(await ask('fund_flow', '&account_type=FEES'))).toEqual([400, 'NO_STATEMENT_EXIST'])
  })

  test('a day is a day in China', async () => {
    await box.clock.advance(14 * HOUR_MS - 1)
    await place('ORDER-LATE', 100)
    await box.pay(brand, 'ORDER-LATE')
    await box.clock.advance(1)
    await place('ORDER-NEXT', 100)
    await box.pay(brand, 'ORDER-NEXT')
    await box.clock.advance(2 * DAY_MS)
    const numbers = async (day: string) => (await read('trade', '', day)).rows.map((row) => row['商户订单号'])
    expect([await numbers(DAY), await numbers('2026-01-06')]).toEqual([['ORDER-LATE'], ['ORDER-NEXT']])
  })

  test('what is asked for wrongly is a parameter error', async () => {
    for (const query of ['bill_date=20260105', 'bill_date=2026-02-30', 'bill_date=', `bill_date=${DAY}&tar_type=ZIP`])
      expect(code(await box.call(brand, 'GET', `/v3/bill/tradebill?${query}`))).toEqual([400, 'PARAM_ERROR'])
    expect(code(await ask('trade', '&bill_type=NONE'))).toEqual([400, 'PARAM_ERROR'])
    expect(code(await ask('fund_flow', '&account_type=NONE'))).toEqual([400, 'PARAM_ERROR'])
  })
})

describe('the file', () => {
  beforeEach(async () => {
    await aDay()
    await nextDayAt(10)
  })

  test('lies under an address for one merchant, once, for five minutes, and is not signed', async () => {
    const address = async () => (await ask('trade')).json['download_url']
    const [first, second] = [await address(), await address()]
    expect(first).not.toBe(second)
    expect(code(await fetchFile(first, platform))).toEqual([403, 'NO_AUTH'])
    const { pathname, search } = new URL(String(first))
    expect((await box.fetch(`http://pay.test${pathname}${search}`)).status).toBe(401)
    const file = await fetchFile(first)
    expect([file.status, file.headers.get('wechatpay-signature')]).toEqual([200, null])
    expect(code(await fetchFile(first))).toEqual([400, 'INVALID_REQUEST'])
    await box.clock.advance(5 * 60_000)
    expect(code(await fetchFile(second))).toEqual([400, 'INVALID_REQUEST'])
    const third = await address()
    await box.clock.advance(5 * 60_000 - 1)
    expect((await fetchFile(third)).status).toBe(200)
  })

  test('is the same with a byte order mark, with CRLF and packed; the hash is over what is unpacked', async () => {
    const plain = await textOf('trade')
    expect(plain.includes('\r')).toBe(false)
    await box.ctl('bill-form', { bom: true, crlf: true })
    const { json } = await ask('trade', '&tar_type=GZIP')
    const { pathname, search } = new URL(String(json['download_url']))
    const packed = box.world.bills.files.get(new URLSearchParams(search).get('token') ?? '')
    expect(packed?.gzip).toBe(true)
    expect(packed!.plain.toString('utf8')).toBe(`\uFEFF${plain.replaceAll('\n', '\r\n')}`)
    const signed = await box.call(brand, 'GET', pathname + search)
    expect(signed.status).toBe(200)
    expect(json['hash_value']).toBe(createHash('sha1').update(packed!.plain).digest('hex'))
    const { downloadBill } = await import('./bills.ts')
    const again = await ask('trade', '&tar_type=GZIP')
    const token = new URL(String(again.json['download_url'])).searchParams.get('token') ?? ''
    const answer = downloadBill(box.world, box.world.merchants.get(brand)!, token)
    expect(gunzipSync(answer.file!).equals(packed!.plain)).toBe(true)
  })
})

describe('the trade bill', () => {
  test('has payments and refunds in yuan, with fees, texts that cannot break a row, and sums', async () => {
    await aDay()
    await nextDayAt(10)
    const { rows, summary } = await read('trade')
    expect(
      rows.map((row) => [row['交易时间'], row['商户订单号'], row['交易状态'], row['订单金额'], row['手续费']]),
    ).toEqual([
      ['2026-01-05 10:00:00', 'ORDER-0001', 'SUCCESS', '100.00', '0.60000'],
      ['2026-01-05 10:02:00', 'ORDER-0002', 'SUCCESS', '200.00', '1.20000'],
      ['2026-01-05 10:02:00', 'ORDER-0001', 'REFUND', '0.00', '-0.15000'],
    ])
    expect(rows[0]).toMatchObject({
      微信订单号: idOf('ORDER-0001'),
      交易类型: 'NATIVE',
      商品名称: '福利卡\\ 节日\\n版',
      商户数据包: 'a\\ b',
      费率: '0.60%',
      商户号: brand,
      微信退款单号: '0',
    })
    expect(rows[2]).toMatchObject({
      商户退款单号: 'REFUND-1',
      退款金额: '25.00',
      申请退款金额: '25.00',
      退款状态: 'SUCCESS',
    })
    expect(summary).toEqual({
      总交易单数: '3',
      应结订单总金额: '300.00',
      退款总金额: '25.00',
      充值券退款总金额: '0.00',
      手续费总金额: '1.65000',
      订单总金额: '300.00',
      申请退款总金额: '25.00',
    })
  })

  test('comes with payments alone or refunds alone, each with columns of its own', async () => {
    await aDay()
    await nextDayAt(10)
    const paid = await read('trade', '&bill_type=SUCCESS')
    expect([paid.rows.length, paid.columns.includes('微信退款单号')]).toEqual([2, false])
    const back = await read('trade', '&bill_type=REFUND')
    expect(back.rows.map((row) => [row['退款申请时间'], row['商户退款单号']])).toEqual([
      ['2026-01-05 10:02:00', 'REFUND-1'],
    ])
  })

  test('tells a refund as it stood at nine of the next day, and on the day when it was accepted', async () => {
    await box.ctl('money-rules', { refundLatencyMs: 2 * DAY_MS })
    await aDay()
    await nextDayAt(10)
    const states = async () => (await read('trade')).rows.map((row) => row['退款状态'])
    expect(await states()).toEqual(['', '', 'PROCESSING'])
    await box.clock.advance(3 * DAY_MS)
    expect(await states()).toEqual(['', '', 'PROCESSING'])
    await box.ctl('bill-form', {})
    expect(await states()).toEqual(['', '', 'PROCESSING'])
    expect(code(await ask('trade', '', '2026-01-07'))).toEqual([400, 'NO_STATEMENT_EXIST'])
  })

  test('has the parts of a combined order, each in the bill of its merchant', async () => {
    const parts = [brand, otherBrand].map((mchid, index) => ({
      mchid,
      out_trade_no: `PART-000${index}`,
      description: '卡',
      attach: 'a',
      amount: { total_amount: 100 + index, currency: 'CNY' },
    }))
    await box.call(platform, 'POST', '/v3/combine-transactions/native', {
      combine_appid: 'wx1',
      combine_mchid: platform,
      combine_out_trade_no: 'COMB-0001',
      sub_orders: parts,
      scene_info: { payer_client_ip: '203.0.113.7' },
      notify_url: notifyUrl,
    })
    await box.pay(platform, 'COMB-0001')
    await nextDayAt(10)
    const told = async (mchid: string) =>
      (await read('trade', '', DAY, mchid)).rows.map((row) => [row['商户订单号'], row['订单金额']])
    expect([await told(brand), await told(otherBrand)]).toEqual([[['PART-0000', '1.00']], [['PART-0001', '1.01']]])
    expect(code(await ask('trade', '', DAY, platform))).toEqual([400, 'NO_STATEMENT_EXIST'])
  })
})

describe('the fund flow bill', () => {
  test('has every movement, its balance runs through, and its end is what the account has', async () => {
    await aDay()
    await nextDayAt(10)
    const { rows, summary } = await read('fund_flow')
    const fen = (text: string | undefined) => Math.round(Number(text) * 100)
    const signed = rows.map((row) => (row['收支类型'] === '收入' ? 1 : -1) * fen(row['收支金额(元)']))
    expect(rows.map((row) => row['业务类型'])).toEqual([
      '交易',
      '扣除交易手续费',
      '交易',
      '扣除交易手续费',
      '退还交易手续费',
      '退款',
      '分账',
    ])
    expect(signed).toEqual([10_000, -60, 20_000, -120, 15, -2_500, -300])
    let balance = 0
    for (const [index, row] of rows.entries()) {
      balance += signed[index]!
      expect(fen(row['账户结余(元)'])).toBe(balance)
    }
    const { available, frozen } = await box.ctl(`balances?mchid=${brand}`, {}, 'GET')
    expect(balance).toBe(Number(available) + Number(frozen))
    expect(new Set(rows.map((row) => row['资金流水单号'])).size).toBe(rows.length)
    const share = [...box.world.money.shares.values()][0]!
    expect(rows.at(-1)).toMatchObject({ 微信支付业务单号: idOf('ORDER-0002'), 业务凭证号: share.rows[0]!.detailId })
    expect(summary).toEqual({
      资金流水总笔数: '7',
      收入笔数: '3',
      收入金额: '300.15',
      支出笔数: '4',
      支出金额: '29.80',
    })
  })

  test('shows the receiver what it got', async () => {
    await aDay()
    await nextDayAt(10)
    const { rows } = await read('fund_flow', '', DAY, channel)
    expect(rows.map((row) => [row['业务名称'], row['收支类型'], row['收支金额(元)']])).toEqual([
      ['分账', '收入', '3.00'],
    ])
  })
})

test('the sharing bill has what succeeded and nothing else', async () => {
  await aDay()
  await box.ctl('money-rules', { mchid: channel, acceptReturns: true })
  await box.call(brand, 'POST', '/v3/profitsharing/return-orders', {
    out_order_no: 'SHARE-1',
    out_return_no: 'RETURN-1',
    return_mchid: channel,
    amount: 100,
    description: '退,回',
  })
  await place('ORDER-0003', 20_000, { settle_info: { profit_sharing: true } })
  await box.pay(brand, 'ORDER-0003')
  await box.clock.advance(120_000)
  await box.ctl('money-outcomes', { of: 'receiver', account: channel, failReason: 'RECEIVER_HIGH_RISK' })
  await box.call(brand, 'POST', '/v3/profitsharing/orders', {
    transaction_id: idOf('ORDER-0003'),
    out_order_no: 'SHARE-2',
    receivers: [{ type: 'MERCHANT_ID', account: channel, amount: 400, description: '佣金' }],
    unfreeze_unsplit: false,
  })
  await box.clock.advance(60_000)
  expect([...box.world.money.shares.values()].at(-1)?.rows[0]?.result).toBe('CLOSED')
  await nextDayAt(10)
  const { rows } = await read('sharing')
  expect(rows.map((row) => [row['业务类型'], row['分账接收方'], row['分账金额'], row['分账描述']])).toEqual([
    ['分账', channel, '3.00', '佣金'],
    ['解冻', brand, '195.80', '解冻给分账方'],
    ['分账回退', channel, '1.00', '退\\ 回'],
  ])
  expect(new Set(rows.map((row) => row['微信订单号']))).toEqual(new Set([idOf('ORDER-0002')]))
})

describe('the dials', () => {
  const change = (more: object) => box.ctl('bills', { kind: 'trade', mchid: brand, day: DAY, ...more })
  const numbers = async () => (await read('trade')).rows.map((row) => `${row['商户订单号']} ${row['订单金额']}`)
  const all = ['ORDER-0001 100.00', 'ORDER-0002 200.00', 'ORDER-0001 0.00']
  beforeEach(async () => {
    await aDay()
    await nextDayAt(10)
    expect(await numbers()).toEqual(all)
  })

  test('leave a row out, add one that nobody knows, change an amount by one fen; the sums follow', async () => {
    await change({ change: 'missing', holding: 'ORDER-0002' })
    expect(await numbers()).toEqual([all[0], all[2]])
    await box.ctl('bills', {}, 'DELETE')
    await change({ change: 'amount', holding: 'ORDER-0002' })
    expect(await numbers()).toEqual([all[0], 'ORDER-0002 200.01', all[2]])
    expect((await read('trade')).summary['订单总金额']).toBe('300.01')
    await box.ctl('bills', {}, 'DELETE')
    await change({ change: 'extra' })
    const { rows } = await read('trade')
    expect(rows).toHaveLength(4)
    expect(all.map((one) => one.split(' ')[0])).not.toContain(rows[3]!['商户订单号'])
    expect(rows[3]!['微信订单号']).not.toBe(rows[0]!['微信订单号'])
    await box.ctl('bills', {}, 'DELETE')
    expect(await numbers()).toEqual(all)
  })

  test('make a bill late or a day empty, of that kind, merchant and day alone', async () => {
    await change({ change: 'late', hours: 5 })
    expect(code(await ask('trade'))).toEqual([400, 'STATEMENT_CREATING'])
    expect((await ask('fund_flow')).status).toBe(200)
    await nextDayAt(15)
    expect(await numbers()).toEqual(all)
    await change({ change: 'empty' })
    expect(code(await ask('trade'))).toEqual([400, 'NO_STATEMENT_EXIST'])
    expect((await ask('fund_flow')).status).toBe(200)
    await change({ mchid: channel, kind: 'fund_flow', change: 'empty' })
    expect((await ask('fund_flow')).status).toBe(200)
    await expect(change({ change: 'burn' })).rejects.toThrow('400')
  })
})
