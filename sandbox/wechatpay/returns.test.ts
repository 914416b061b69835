import { beforeEach, expect, test } from 'vitest'
import { MINUTE, startMoneyWorld, type MoneyWorld, type Told } from '../testing/money.ts'
import { brand, channel, platform } from '../testing/pay-box.ts'

const DAY = 86_400_000
const RETURNS = '/v3/profitsharing/return-orders'
let m: MoneyWorld
let id: string
beforeEach(async () => {
  m = await startMoneyWorld()
  await m.ctl('money-rules', { orderIntervalMs: 0 })
  await m.ctl('money-rules', { mchid: channel, acceptReturns: true })
  for (const account of [channel, platform]) await m.add(brand, account)
  id = await m.paid(brand, 10_000)
  await m.wait(MINUTE)
})

const row = (account: string, amount: number): Record<string, unknown> => ({
  type: 'MERCHANT_ID',
  account,
  amount,
  description: '推广服务费',
})
function share(no: string, receivers: unknown[], more: Record<string, unknown> = {}): Promise<Told> {
  const body = { transaction_id: id, out_order_no: no, receivers, unfreeze_unsplit: false, ...more }
  return m.call(brand, 'POST', '/v3/profitsharing/orders', body)
}
function giveBack(no: string, amount: number, more: Record<string, unknown> = {}): Promise<Told> {
  const body = { out_order_no: 'S1', out_return_no: no, return_mchid: channel, amount, description: '退款', ...more }
  return m.call(brand, 'POST', RETURNS, body)
}
const query = (no: string, outOrderNo = 'S1'): Promise<Told> =>
  m.call(brand, 'GET', `${RETURNS}/${no}?out_order_no=${outOrderNo}`)

test('a return is over at once, and its money is available, never shareable again', async () => {
  const shared = await share('S1', [row(channel, 1000)])
  const told = await giveBack('B1', 400)
  expect(told.body).toMatchObject({
    order_id: shared.body['order_id'],
    out_order_no: 'S1',
    out_return_no: 'B1',
    return_mchid: channel,
    amount: 400,
    description: '退款',
    result: 'SUCCESS',
    finish_time: '2026-01-05T10:01:00+08:00',
  })
  expect(told.body).not.toHaveProperty('fail_reason')
  expect([await m.has(brand), await m.has(channel)]).toEqual([
    [400, 8940],
    [600, 0],
  ])
  const left = await m.call(brand, 'GET', `/v3/profitsharing/transactions/${id}/amounts`)
  expect(left.body['unsplit_amount']).toBe(8940)
  expect((await share('S2', [row(channel, 2001)])).code).toBe('RULE_LIMIT')
})

test('also by the order_id, and after unfreezing', async () => {
  const shared = await share('S1', [row(channel, 1000)], { unfreeze_unsplit: true })
  await m.wait(1)
  const { status } = await giveBack('B1', 1000, { out_order_no: undefined, order_id: shared.body['order_id'] })
  expect([status, await m.has(brand)]).toEqual([200, [9940, 0]])
  expect((await giveBack('B2', 1, { order_id: shared.body['order_id'] })).code).toBe('PARAM_ERROR')
  expect((await giveBack('B3', 1, { out_order_no: undefined })).code).toBe('PARAM_ERROR')
})

test('no more than was shared to that receiver, returns under way included', async () => {
  await share('S1', [row(channel, 1000)])
  await m.ctl('money-rules', { returnLatencyMs: 60_000 })
  expect((await giveBack('B1', 600)).body['result']).toBe('PROCESSING')
  expect((await giveBack('B2', 401)).code).toBe('NOT_ENOUGH')
  expect((await giveBack('B3', 400)).status).toBe(200)
  await m.wait(60_000)
  expect([(await query('B1')).body['result'], (await query('B3')).body['result']]).toEqual(['SUCCESS', 'SUCCESS'])
  expect((await giveBack('B4', 1)).code).toBe('NOT_ENOUGH')
  expect([await m.has(brand), await m.has(channel)]).toEqual([
    [1000, 8940],
    [0, 0],
  ])
})

test('a receiver that did not open returns is NO_AUTH; one that was not served cannot return', async () => {
  await m.ctl('money-outcomes', { of: 'receiver', account: channel, failReason: 'ACCOUNT_ABNORMAL' })
  await share('S1', [row(channel, 1000), row(platform, 500)])
  const closed = await giveBack('B1', 1, { return_mchid: platform })
  expect([closed.status, closed.code]).toEqual([403, 'NO_AUTH'])
  expect((await giveBack('B2', 1)).code).toBe('INVALID_REQUEST')
  expect((await giveBack('B3', 1, { return_mchid: '1900000009' })).code).toBe('INVALID_REQUEST')
  expect((await giveBack('B4', 1, { out_order_no: 'NONE' })).code).toBe('RESOURCE_NOT_EXISTS')
  await m.ctl('money-rules', { mchid: platform, acceptReturns: true })
  expect((await giveBack('B5', 1, { return_mchid: platform })).body['result']).toBe('SUCCESS')
})

test('a share that is under way cannot be returned, nor what was unfrozen, nor a share of somebody else', async () => {
  await m.ctl('money-rules', { shareLatencyMs: 60_000 })
  const shared = await share('S1', [row(channel, 1000)], { unfreeze_unsplit: true })
  expect((await giveBack('B1', 1)).body['message']).toContain('处理中')
  await m.wait(60_000)
  expect((await giveBack('B2', 1, { return_mchid: brand })).code).toBe('INVALID_REQUEST')
  const body = { out_order_no: 'S1', out_return_no: 'B3', return_mchid: channel, amount: 1, description: 'x' }
  expect((await m.call(platform, 'POST', RETURNS, body)).status).toBe(404)
  const { out_order_no: _no, ...rest } = { ...body, order_id: shared.body['order_id'] }
  expect((await m.call(platform, 'POST', RETURNS, rest)).status).toBe(404)
  expect((await giveBack('B1', 1)).body['result']).toBe('SUCCESS')
})

test('persons never give back', async () => {
  await m.add(brand, 'oPerson1', 'PERSONAL_OPENID')
  await share('S1', [{ ...row('oPerson1', 500), type: 'PERSONAL_OPENID' }], { appid: 'wx1' })
  await m.wait(1)
  expect((await giveBack('B1', 500, { return_mchid: 'oPerson1' })).code).toBe('INVALID_REQUEST')
})

test('what the collector shared to itself can be returned without leave', async () => {
  await share('S1', [row(brand, 1000)])
  expect((await giveBack('B1', 1000, { return_mchid: brand })).body['result']).toBe('SUCCESS')
  expect(await m.has(brand)).toEqual([1000, 8940])
})

test('the receiver lacks the money: FAILED, and a new number works once there is some', async () => {
  await share('S1', [row(channel, 1000)])
  await m.wait(1)
  await m.ctl('withdraw', { mchid: channel, amount: 1 })
  const failed = await giveBack('B1', 1000)
  expect(failed.body).toMatchObject({ result: 'FAILED', fail_reason: 'BALANCE_NOT_ENOUGH' })
  await m.ctl('top-up', { mchid: channel, amount: 1 })
  expect((await giveBack('B1', 1000)).body['result']).toBe('FAILED')
  expect((await giveBack('B2', 1000)).body['result']).toBe('SUCCESS')
})

test('waiting for the money: paid when it comes, TIME_OUT_CLOSED after 5 days', async () => {
  await share('S1', [row(channel, 1000)])
  await m.wait(1)
  await m.ctl('withdraw', { mchid: channel, amount: 1000 })
  await m.ctl('money-rules', { mchid: channel, poorReturn: 'wait' })
  const waiting = await giveBack('B1', 300)
  expect(waiting.body).toMatchObject({ result: 'PROCESSING', finish_time: '1970-01-01T08:00:00+08:00' })
  await giveBack('B2', 700)
  await m.wait(DAY)
  await m.ctl('top-up', { mchid: channel, amount: 300 })
  expect((await query('B1')).body['result']).toBe('SUCCESS')
  await m.wait(4 * DAY - 1)
  expect((await query('B2')).body['result']).toBe('PROCESSING')
  await m.wait(1)
  expect((await query('B2')).body).toMatchObject({ result: 'FAILED', fail_reason: 'TIME_OUT_CLOSED' })
  await m.ctl('top-up', { mchid: channel, amount: 700 })
  expect((await query('B2')).body['result']).toBe('FAILED')
  expect((await giveBack('B3', 700)).body['result']).toBe('SUCCESS')
})

test('a return that never ends is closed after 5 days too', async () => {
  await share('S1', [row(channel, 1000)])
  await m.ctl('money-rules', { returnLatencyMs: null })
  await giveBack('B1', 300)
  await m.wait(5 * DAY)
  expect((await query('B1')).body).toMatchObject({ result: 'FAILED', fail_reason: 'TIME_OUT_CLOSED' })
})

test('each failure can be dialled', async () => {
  await share('S1', [row(channel, 1000)])
  const reasons = [
    'ACCOUNT_ABNORMAL',
    'PAYER_ACCOUNT_ABNORMAL',
    'BALANCE_NOT_ENOUGH',
    'TIME_OUT_CLOSED',
    'INVALID_REQUEST',
  ]
  for (const failReason of reasons) {
    await m.ctl('money-outcomes', { of: 'return', account: channel, failReason })
    expect((await giveBack(`B-${failReason}`, 1000)).body).toMatchObject({ result: 'FAILED', fail_reason: failReason })
  }
  expect((await giveBack('B1', 1000)).body['result']).toBe('SUCCESS')
})

test('the same number returns once; with another body it is refused', async () => {
  await share('S1', [row(channel, 1000)])
  const first = await giveBack('B1', 300)
  expect((await giveBack('B1', 300)).body['return_id']).toBe(first.body['return_id'])
  expect((await giveBack('B1', 301)).code).toBe('INVALID_REQUEST')
  expect(await m.has(channel)).toEqual([700, 0])
})

test('at most 50 returns of a sharing order, and 180 days', async () => {
  await share('S1', [row(channel, 1000)])
  for (let i = 0; i < 50; i += 1) expect([i, (await giveBack(`B${i}`, 1)).status]).toEqual([i, 200])
  expect((await giveBack('B50', 1)).body).toMatchObject({ code: 'INVALID_REQUEST', message: '分账回退次数超过上限' })
  await share('S2', [row(channel, 1000)])
  await m.wait(180 * DAY)
  expect((await giveBack('C1', 1, { out_order_no: 'S2' })).status).toBe(200)
  await m.wait(1)
  expect((await giveBack('C2', 1, { out_order_no: 'S2' })).code).toBe('INVALID_REQUEST')
})

test('a deleted receiver can still give back', async () => {
  await share('S1', [row(channel, 1000)])
  await m.wait(1)
  const gone = { appid: 'wx1', type: 'MERCHANT_ID', account: channel }
  await m.call(brand, 'POST', '/v3/profitsharing/receivers/delete', gone)
  expect((await giveBack('B1', 1000)).body['result']).toBe('SUCCESS')
})

test('a query needs the sharing order, and of an unknown number there is nothing', async () => {
  await share('S1', [row(channel, 1000)])
  await giveBack('B1', 1)
  expect((await m.call(brand, 'GET', `${RETURNS}/B1`)).code).toBe('PARAM_ERROR')
  expect((await query('B1', 'S9')).code).toBe('RESOURCE_NOT_EXISTS')
  expect((await query('B9')).status).toBe(404)
  expect((await giveBack('a|b', 1)).code).toBe('PARAM_ERROR')
})
