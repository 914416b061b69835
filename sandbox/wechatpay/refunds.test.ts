import { beforeEach, expect, test } from 'vitest'
import { moneyCalls, REFUNDS, type MoneyCalls } from '../testing/money-calls.ts'
import { MINUTE, startMoneyWorld, type MoneyWorld, type Told } from '../testing/money.ts'
import { brand, channel, otherBrand } from '../testing/pay-box.ts'

const DAY = 86_400_000
let m: MoneyWorld
let calls: MoneyCalls
beforeEach(async () => {
  m = await startMoneyWorld()
  calls = moneyCalls(m)
  await m.add(brand, channel)
  await m.ctl('money-rules', { orderIntervalMs: 0 })
})

const amountsOf = (told: Told): Record<string, unknown> => told.body['amount'] as Record<string, unknown>

test('PROCESSING first, then SUCCESS; the order says REFUND; all in the answer is what was asked', async () => {
  const id = await m.paid(brand, 10_000)
  await m.ctl('money-rules', { refundLatencyMs: 5 * MINUTE })
  const asked = await calls.refund(id, 4000, { out_refund_no: 'FIRST', reason: '退卡' })
  expect(asked.body).toMatchObject({
    out_refund_no: 'FIRST',
    transaction_id: id,
    out_trade_no: 'ORDER-0001',
    channel: 'ORIGINAL',
    status: 'PROCESSING',
    funds_account: 'UNAVAILABLE',
    create_time: '2026-01-05T10:00:00+08:00',
    amount: { total: 10_000, refund: 4000, payer_total: 10_000, payer_refund: 4000, currency: 'CNY' },
  })
  expect(asked.body).not.toHaveProperty('success_time')
  const trade = await m.call(brand, 'GET', `/v3/pay/transactions/id/${id}?mchid=${brand}`)
  expect(trade.body['trade_state']).toBe('REFUND')
  await m.wait(5 * MINUTE - 1)
  expect((await calls.queryRefund(asked)).body['status']).toBe('PROCESSING')
  await m.wait(1)
  expect((await calls.queryRefund(asked)).body).toMatchObject({
    status: 'SUCCESS',
    success_time: '2026-01-05T10:05:00+08:00',
  })
  expect((await m.call(channel, 'GET', `${REFUNDS}/FIRST`)).code).toBe('RESOURCE_NOT_EXISTS')
  expect((await m.call(brand, 'GET', `${REFUNDS}/SECOND`)).status).toBe(404)
})

test('nothing shared, frozen: from the frozen money, also all of it, and the fee comes back in proportion', async () => {
  const id = await m.paid(brand, 10_000)
  expect(amountsOf(await calls.refund(id, 3000))).toMatchObject({ refund_fee: 18 })
  expect(await m.has(brand)).toEqual([0, 6958])
  await m.wait(MINUTE)
  expect(amountsOf(await calls.refund(id, 7000))).toMatchObject({ refund_fee: 42 })
  expect(await m.has(brand)).toEqual([0, 0])
  await m.wait(MINUTE)
  expect((await calls.refund(id, 1)).code).toBe('INVALID_REQUEST')
})

test('the fee that comes back is the fee before minus the fee after, of each odd fen', async () => {
  const id = await m.paid(brand, 690)
  const backs: unknown[] = []
  for (const amount of [100, 100, 100, 390]) {
    backs.push(amountsOf(await calls.refund(id, amount, { total: 690 }))['refund_fee'])
    await m.wait(MINUTE)
  }
  expect(backs).toEqual([0, 1, 1, 2])
  expect(await m.has(brand)).toEqual([0, 0])
})

test('partly shared: from the frozen rest up to all of it, beyond it only after unfreezing', async () => {
  const id = await calls.ripe()
  await calls.shared(id, 3000)
  await m.ctl('top-up', { mchid: brand, amount: 1_000_000 })
  expect((await calls.refund(id, 6941)).code).toBe('NOT_ENOUGH')
  const fitting = await calls.refund(id, 6940)
  expect(fitting.body).toMatchObject({ status: 'PROCESSING', funds_account: 'UNAVAILABLE' })
  expect(await m.has(brand)).toEqual([1_000_000, 42])
  await m.wait(MINUTE)
  expect((await calls.refund(id, 3060)).code).toBe('NOT_ENOUGH')
  await calls.unfreeze(id)
  await m.wait(MINUTE)
  const rest = await calls.refund(id, 3060)
  expect(rest.body).toMatchObject({ status: 'PROCESSING', funds_account: 'AVAILABLE' })
  expect(await m.has(brand)).toEqual([1_000_000 + 42 - 3060 + 18, 0])
})

test('unfrozen: from the available balance, and NOT_ENOUGH changes nothing and may be repeated', async () => {
  const id = await calls.ripe()
  await calls.shared(id, 3000, true)
  expect(await m.has(brand)).toEqual([6940, 0])
  await m.ctl('withdraw', { mchid: brand, amount: 6000 })
  const poor = await calls.refund(id, 10_000, { out_refund_no: 'AGAIN' })
  expect([poor.status, poor.code]).toEqual([403, 'NOT_ENOUGH'])
  expect((await m.call(brand, 'GET', `${REFUNDS}/AGAIN`)).status).toBe(404)
  await m.ctl('top-up', { mchid: brand, amount: 9000 - 1 })
  expect((await calls.refund(id, 10_000, { out_refund_no: 'AGAIN' })).code).toBe('NOT_ENOUGH')
  await m.ctl('top-up', { mchid: brand, amount: 1 })
  expect((await calls.refund(id, 10_000, { out_refund_no: 'AGAIN' })).status).toBe(200)
  expect(await m.has(brand)).toEqual([0, 0])
})

test('frozen money of other orders never helps', async () => {
  const id = await calls.ripe()
  await calls.shared(id, 3000, true)
  expect(await m.has(brand)).toEqual([6940, 0])
  await m.paid(brand, 50_000)
  expect((await calls.refund(id, 8000)).code).toBe('NOT_ENOUGH')
})

test('an order that was not flagged is refunded from the available balance', async () => {
  const id = await m.paid(brand, 10_000, false)
  const told = await calls.refund(id, 10_000)
  expect(told.body).toMatchObject({ status: 'PROCESSING', funds_account: 'AVAILABLE' })
  expect(await m.has(brand)).toEqual([0, 0])
})

test('amount.from names both purses of a flagged order, and must add up', async () => {
  const id = await calls.ripe()
  await calls.shared(id, 3000)
  await m.ctl('top-up', { mchid: brand, amount: 3000 })
  const from = (frozen: number, free: number): unknown => [
    { account: 'UNAVAILABLE', amount: frozen },
    { account: 'AVAILABLE', amount: free },
  ]
  expect((await calls.refund(id, 10_000, { from: from(6940, 3000) })).code).toBe('INVALID_REQUEST')
  expect((await calls.refund(id, 10_000, { from: from(6941, 3059) })).code).toBe('NOT_ENOUGH')
  expect((await calls.refund(id, 10_000, { from: from(6939, 3061) })).code).toBe('NOT_ENOUGH')
  const twice = [
    { account: 'AVAILABLE', amount: 5000 },
    { account: 'AVAILABLE', amount: 5000 },
  ]
  expect((await calls.refund(id, 10_000, { from: twice })).code).toBe('INVALID_REQUEST')
  const told = await calls.refund(id, 10_000, { from: from(6940, 3060) })
  expect(told.status).toBe(200)
  expect(amountsOf(told)['from']).toEqual(from(6940, 3060))
  expect(await m.has(brand)).toEqual([0, 0])
  const plain = await m.paid(brand, 10_000, false)
  expect((await calls.refund(plain, 10, { from: [{ account: 'AVAILABLE', amount: 10 }] })).code).toBe('INVALID_REQUEST')
})

test('amount.from of frozen money alone follows the same rule as without it', async () => {
  const [fresh, shared] = [await calls.ripe(), await calls.ripe()]
  const from = (amount: number): unknown => [{ account: 'UNAVAILABLE', amount }]
  expect((await calls.refund(fresh, 10_000, { from: from(10_000) })).status).toBe(200)
  await calls.shared(shared, 3000)
  expect((await calls.refund(shared, 6941, { from: from(6941) })).code).toBe('NOT_ENOUGH')
  expect((await calls.refund(shared, 6940, { from: from(6940) })).status).toBe(200)
})

test('funds_account is refused where it does not belong', async () => {
  const id = await m.paid(brand, 10_000)
  expect((await calls.refund(id, 1, { funds_account: 'AVAILABLE' })).code).toBe('INVALID_REQUEST')
  expect((await calls.refund(id, 1, { funds_account: 'UNSETTLED' })).code).toBe('INVALID_REQUEST')
  const plain = await m.paid(brand, 10_000, false)
  expect((await calls.refund(plain, 1, { funds_account: 'AVAILABLE' })).status).toBe(200)
})

test('the same number pays once; with another body it is refused', async () => {
  const id = await m.paid(brand, 10_000)
  const asked = await calls.refund(id, 100, { out_refund_no: 'SAME' })
  const again = await calls.refund(id, 100, { out_refund_no: 'SAME' })
  expect(again.body).toMatchObject({ refund_id: asked.body['refund_id'], status: 'SUCCESS' })
  await m.wait(MINUTE)
  expect((await calls.refund(id, 101, { out_refund_no: 'SAME' })).code).toBe('INVALID_REQUEST')
  expect((await calls.refund(await m.paid(brand, 10_000), 100, { out_refund_no: 'SAME' })).code).toBe('INVALID_REQUEST')
  expect(m.world.money.refunds.size).toBe(1)
})

test('refused: unknown order, unpaid order, wrong total, more than was paid, another merchant', async () => {
  const id = await m.paid(brand, 10_000)
  const limit = (): Promise<void> => m.wait(1000)
  const unknown = await calls.refund('42000', 1)
  expect([unknown.status, unknown.code]).toEqual([404, 'RESOURCE_NOT_EXISTS'])
  expect((await calls.refund(id, 1, { total: 9999 })).code).toBe('INVALID_REQUEST')
  expect((await calls.refund(id, 10_001)).code).toBe('INVALID_REQUEST')
  const body = { transaction_id: id, out_refund_no: 'X', amount: { refund: 1, total: 10_000, currency: 'CNY' } }
  expect((await m.call(otherBrand, 'POST', REFUNDS, body)).status).toBe(404)
  await limit()
  expect((await calls.refund(id, 1, { out_trade_no: 'ORDER-0001' })).code).toBe('PARAM_ERROR')
  const { transaction_id: _id, ...bare } = body
  expect((await m.call(brand, 'POST', REFUNDS, bare)).code).toBe('PARAM_ERROR')
  const noCurrency = { ...body, amount: { refund: 1, total: 10_000 } }
  expect((await m.call(brand, 'POST', REFUNDS, noCurrency)).code).toBe('PARAM_ERROR')
  const byNumber = { ...bare, out_trade_no: 'ORDER-0001' }
  expect((await m.call(brand, 'POST', REFUNDS, byNumber)).body).toMatchObject({ transaction_id: id })
  await m.wait(MINUTE)
  expect((await calls.refund(id, 10_000)).code).toBe('INVALID_REQUEST')
})

test('without the permission there is no refund', async () => {
  const id = await m.paid(brand, 10_000)
  await m.ctl('money-rules', { mchid: brand, mayRefund: false })
  const told = await calls.refund(id, 1)
  expect([told.status, told.code]).toEqual([403, 'NO_AUTH'])
})

test('refunds of one order are a minute apart; another order is not held back', async () => {
  const [first, second] = [await m.paid(brand, 10_000), await m.paid(brand, 10_000)]
  await calls.refund(first, 1)
  await m.wait(59_999)
  expect((await calls.refund(first, 1)).status).toBe(429)
  expect((await calls.refund(second, 1)).status).toBe(200)
  await m.wait(1)
  expect((await calls.refund(first, 1)).status).toBe(200)
})

test('50 partial refunds, refused ones not counted', async () => {
  const id = await m.paid(brand, 10_000)
  await m.ctl('money-rules', { refundIntervalMs: 0 })
  for (let i = 0; i < 50; i += 1) expect([i, (await calls.refund(id, 1)).status]).toEqual([i, 200])
  expect((await calls.refund(id, 1)).body).toMatchObject({ code: 'INVALID_REQUEST', message: '部分退款次数超过上限' })
})

test('a year after the payment it is over', async () => {
  const id = await m.paid(brand, 10_000)
  await m.wait(365 * DAY)
  expect((await calls.refund(id, 1)).status).toBe(200)
  await m.wait(MINUTE)
  expect((await calls.refund(id, 1)).code).toBe('TRADE_OVERDUE')
})

test('more than 6 failing calls a second are held back, accepted ones only from 150 on', async () => {
  const id = await m.paid(brand, 10_000)
  for (let i = 0; i < 6; i += 1) expect((await calls.refund('42000', 1)).status).toBe(404)
  expect((await calls.refund(id, 1, { out_refund_no: 'HELD' })).status).toBe(429)
  expect(m.world.money.refunds.size).toBe(0)
  await m.wait(1000)
  expect((await calls.refund(id, 1, { out_refund_no: 'HELD' })).status).toBe(200)
  for (let i = 1; i < 150; i += 1) expect((await calls.refund(id, 1, { out_refund_no: 'HELD' })).status).toBe(200)
  expect((await calls.refund(id, 1, { out_refund_no: 'HELD' })).status).toBe(429)
})

test('a refund without a User-Agent is refused before its signature is looked at', async () => {
  const bare = await m.call(brand, 'POST', REFUNDS, {}, { 'user-agent': '', authorization: 'nonsense' })
  expect([bare.status, bare.code]).toEqual([400, 'INVALID_REQUEST'])
})

test('a refund waits for the sharing that is under way, and the sharing for the refund', async () => {
  const id = await calls.ripe()
  await m.ctl('money-rules', { shareLatencyMs: 3600_000, refundLatencyMs: 3600_000 })
  await calls.shared(id, 1000)
  expect((await calls.refund(id, 100)).body).toMatchObject({
    code: 'INVALID_REQUEST',
    message: '订单正在分账，请稍后再试',
  })
  await m.wait(3600_000)
  expect((await calls.refund(id, 100)).status).toBe(200)
  const receivers = [{ type: 'MERCHANT_ID', account: channel, amount: 1, description: 'x' }]
  const body = { transaction_id: id, out_order_no: 'LATER', receivers, unfreeze_unsplit: false }
  const early = await m.call(brand, 'POST', '/v3/profitsharing/orders', body)
  expect([early.status, early.body['message']]).toEqual([400, '订单处理中，暂时无法分账，请稍后再试'])
  await m.wait(3600_000)
  expect((await m.call(brand, 'POST', '/v3/profitsharing/orders', body)).status).toBe(200)
})

test('parts of a combined order are shared and refunded each for itself, by the merchant of the part', async () => {
  const parts = [brand, otherBrand].map((mchid) => ({
    mchid,
    out_trade_no: `PART-${mchid}`,
    attach: 'x',
    description: '福利卡',
    amount: { total_amount: 10_000, currency: 'CNY' },
    settle_info: { profit_sharing: true },
  }))
  const whole = { combine_appid: 'wx1', combine_mchid: channel, combine_out_trade_no: 'COMBINED-1' }
  const scene = { scene_info: { payer_client_ip: '192.0.2.1' }, notify_url: 'http://pay.local/paid' }
  const body = { ...whole, sub_orders: parts, ...scene }
  expect((await m.call(channel, 'POST', '/v3/combine-transactions/native', body)).status).toBe(200)
  await m.ctl('pay', { mchid: channel, outTradeNo: 'COMBINED-1', outcome: 'success' })
  await m.wait(MINUTE)
  expect([await m.has(brand), await m.has(otherBrand), await m.has(channel)]).toEqual([
    [0, 9940],
    [0, 9940],
    [0, 0],
  ])
  const { transactionId } = await m.ctl(`holding?mchid=${brand}&outTradeNo=PART-${brand}`)
  await calls.shared(String(transactionId), 1000)
  await m.wait(1)
  const amount = { refund: 10_000, total: 10_000, currency: 'CNY' }
  const byPart = { out_trade_no: `PART-${otherBrand}`, out_refund_no: 'R', amount }
  expect((await m.call(channel, 'POST', REFUNDS, byPart)).status).toBe(404)
  expect((await m.call(otherBrand, 'POST', REFUNDS, byPart)).body).toMatchObject({ out_trade_no: `PART-${otherBrand}` })
  await m.wait(1)
  expect([await m.has(brand), await m.has(otherBrand), await m.has(channel)]).toEqual([
    [0, 8940],
    [0, 0],
    [1000, 0],
  ])
  const told = await m.call(channel, 'GET', '/v3/combine-transactions/out-trade-no/COMBINED-1')
  const states = (told.body['sub_orders'] as { trade_state: string }[]).map((one) => one.trade_state)
  expect(states).toEqual(['SUCCESS', 'REFUND'])
})

test('an order that is wholly refunded cannot be shared', async () => {
  const id = await calls.ripe()
  await calls.refund(id, 10_000)
  await m.wait(1)
  const receivers = [{ type: 'MERCHANT_ID', account: channel, amount: 1, description: 'x' }]
  const body = { transaction_id: id, out_order_no: 'GONE', receivers, unfreeze_unsplit: false }
  expect((await m.call(brand, 'POST', '/v3/profitsharing/orders', body)).code).toBe('INVALID_REQUEST')
})
