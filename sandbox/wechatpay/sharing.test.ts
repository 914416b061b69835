import { beforeEach, expect, test } from 'vitest'
import { moneyCalls, row, rowsOf, type MoneyCalls } from '../testing/money-calls.ts'
import { MINUTE, startMoneyWorld, type MoneyWorld } from '../testing/money.ts'
import { brand, channel, platform, START_MS } from '../testing/pay-box.ts'

let m: MoneyWorld
let calls: MoneyCalls
beforeEach(async () => {
  m = await startMoneyWorld()
  calls = moneyCalls(m)
  await m.add(brand, channel)
  await m.add(brand, platform)
})

test('flagged money is frozen without the fee; other money is there at once', async () => {
  await m.paid(brand, 10_000)
  await m.paid(channel, 10_000, false)
  expect([await m.has(brand), await m.has(channel)]).toEqual([
    [0, 9940],
    [9940, 0],
  ])
})

test('the fee is 0.6 % rounded half up, and a merchant can have its own', async () => {
  const id = await m.paid(brand, 690)
  expect(await calls.unsplit(id)).toBe(686)
  expect([83, 84, 250, 249].map((total) => Math.round(total * 0.006))).toEqual([0, 1, 2, 1])
  for (const [total, fee] of [
    [83, 0],
    [84, 1],
    [250, 2],
    [249, 1],
  ] as const) {
    expect(await calls.unsplit(await m.paid(brand, total))).toBe(total - fee)
  }
  await m.ctl('money-rules', { mchid: brand, feeBp: 38 })
  expect(await calls.unsplit(await m.paid(brand, 10_000))).toBe(9962)
  await m.paid(channel, 10_000)
  expect(await m.has(channel)).toEqual([0, 9940])
})

test('a share is PROCESSING first, then finished at each receiver, and 1970 stands for not yet', async () => {
  const id = await calls.ripe(10_000)
  await m.ctl('money-rules', { shareLatencyMs: 30_000 })
  const asked = await calls.share(id, [row(channel, 1000), row(platform, 500)])
  expect(asked).toMatchObject({ status: 200, body: { state: 'PROCESSING', transaction_id: id } })
  expect(rowsOf(asked).map((each) => [each['result'], each['finish_time']])).toEqual([
    ['PENDING', '1970-01-01T08:00:00+08:00'],
    ['PENDING', '1970-01-01T08:00:00+08:00'],
  ])
  expect([await calls.unsplit(id), await m.has(channel), await m.has(brand)]).toEqual([8440, [0, 0], [0, 9940]])
  await m.wait(29_999)
  expect((await calls.queryShare(asked.body['out_order_no'], id)).body['state']).toBe('PROCESSING')
  await m.wait(1)
  const done = await calls.queryShare(asked.body['out_order_no'], id)
  expect(done.body['state']).toBe('FINISHED')
  expect(rowsOf(done)[0]).toMatchObject({ result: 'SUCCESS', finish_time: '2026-01-05T10:01:30+08:00' })
  expect(rowsOf(done)[0]).not.toHaveProperty('fail_reason')
  expect([await m.has(channel), await m.has(platform), await m.has(brand)]).toEqual([
    [1000, 0],
    [500, 0],
    [0, 8440],
  ])
  expect(START_MS).toBe(Date.parse('2026-01-05T10:00:00+08:00'))
})

test('without a wait it is PROCESSING in the answer and finished in the query; never is never', async () => {
  const id = await calls.ripe(10_000)
  const asked = await calls.share(id, [row(channel, 1000)])
  expect(asked.body['state']).toBe('PROCESSING')
  expect((await calls.queryShare(asked.body['out_order_no'], id)).body['state']).toBe('FINISHED')
  await m.ctl('money-rules', { shareLatencyMs: null })
  await m.wait(1000)
  const stuck = await calls.share(id, [row(channel, 1000)])
  await m.wait(20 * 86_400_000)
  expect((await calls.queryShare(stuck.body['out_order_no'], id)).body['state']).toBe('PROCESSING')
  await m.ctl('money-settle', {})
  expect((await calls.queryShare(stuck.body['out_order_no'], id)).body['state']).toBe('FINISHED')
})

test('refused: under a minute, without the flag, unknown, without a relation', async () => {
  const id = await m.paid(brand, 10_000)
  await m.wait(59_999)
  const young = await calls.share(id, [row(channel, 100)])
  expect([young.status, young.code]).toEqual([400, 'INVALID_REQUEST'])
  expect(young.body['message']).toContain('订单处理中')
  const plain = await m.paid(brand, 10_000, false)
  await m.wait(MINUTE)
  expect((await calls.share(plain, [row(channel, 100)])).body).toMatchObject({ code: 'INVALID_REQUEST', message: '非分账订单不支持分账' }) // prettier-ignore
  expect((await calls.share('4200000000', [row(channel, 100)])).code).toBe('INVALID_REQUEST')
  expect((await calls.share(id, [row('1900000009', 100)])).body['message']).toContain('关系不存在')
  expect((await calls.share(id, [row(channel, 100)])).code).toBe('FREQUENCY_LIMITED')
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 100)])).status).toBe(200)
})

test('another merchant cannot share, unfreeze or look at the order', async () => {
  const id = await calls.ripe(10_000)
  const body = { transaction_id: id, out_order_no: 'X1', receivers: [row(platform, 100)], unfreeze_unsplit: false }
  expect((await m.call(channel, 'POST', '/v3/profitsharing/orders', body)).code).toBe('INVALID_REQUEST')
  const rest = { transaction_id: id, out_order_no: 'X2', description: 'x' }
  expect((await m.call(channel, 'POST', '/v3/profitsharing/orders/unfreeze', rest)).code).toBe('INVALID_REQUEST')
  expect((await m.call(channel, 'GET', `/v3/profitsharing/transactions/${id}/amounts`)).status).toBe(404)
})

test('the ratio counts all requests of the order, rounds down, and refunds lower its base', async () => {
  const id = await calls.ripe(10_003)
  expect((await calls.share(id, [row(channel, 3001)])).code).toBe('RULE_LIMIT')
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1500), row(brand, 500)])).status).toBe(200)
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1001)])).code).toBe('RULE_LIMIT')
  await m.wait(1000)
  const refund = { transaction_id: id, out_refund_no: 'R1', amount: { refund: 1003, total: 10_003, currency: 'CNY' } }
  expect((await m.call(brand, 'POST', '/v3/refund/domestic/refunds', refund)).status).toBe(200)
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 701)])).code).toBe('RULE_LIMIT')
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 700)])).status).toBe(200)
  await m.ctl('money-rules', { mchid: brand, ratioCode: 'INVALID_REQUEST' })
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1)])).code).toBe('INVALID_REQUEST')
  await m.ctl('money-rules', { mchid: brand, maxRatioBp: 5000 })
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1)])).status).toBe(200)
  const ratio = await m.call(brand, 'GET', `/v3/profitsharing/merchant-configs/${brand}`)
  expect(ratio.body).toEqual({ sub_mchid: brand, max_ratio: 5000 })
  expect((await m.call(brand, 'GET', '/v3/profitsharing/merchant-configs/1900000999')).code).toBe('MCH_NOT_EXISTS')
})

test('what is promised and not yet given counts towards the ratio', async () => {
  const id = await calls.ripe()
  await m.ctl('money-rules', { shareLatencyMs: null, orderIntervalMs: 0 })
  expect((await calls.share(id, [row(channel, 2000)])).status).toBe(200)
  expect((await calls.share(id, [row(channel, 1001)])).code).toBe('RULE_LIMIT')
  expect((await calls.share(id, [row(channel, 1000)])).status).toBe(200)
})

test('no more than what is left after the fee', async () => {
  const id = await calls.ripe(690)
  await m.ctl('money-rules', { mchid: brand, maxRatioBp: 10_000 })
  expect((await calls.share(id, [row(channel, 687)])).code).toBe('NOT_ENOUGH')
  await m.ctl('money-rules', { shareLatencyMs: null })
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 600)])).status).toBe(200)
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 87)])).code).toBe('NOT_ENOUGH')
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 86)])).status).toBe(200)
  expect(await calls.unsplit(id)).toBe(0)
})

test('at most 50 receivers, each once, and 50 requests, of which refused ones do not count', async () => {
  const id = await calls.ripe(10_000)
  for (let i = 0; i < 51; i += 1) await m.add(brand, `19100000${String(i).padStart(2, '0')}`)
  const crowd = Array.from({ length: 51 }, (_, i) => row(`19100000${String(i).padStart(2, '0')}`, 1))
  expect((await calls.share(id, crowd)).code).toBe('PARAM_ERROR')
  expect((await calls.share(id, crowd.slice(1))).status).toBe(200)
  expect((await calls.share(id, [row(channel, 1), row(channel, 2)])).code).toBe('PARAM_ERROR')
  expect((await calls.share(id, [])).code).toBe('PARAM_ERROR')
  for (let i = 1; i < 50; i += 1) {
    await m.wait(1000)
    if (i === 10) expect((await calls.share(id, [row(channel, 9000)])).code).toBe('RULE_LIMIT')
    if (i === 10) await m.wait(1000)
    expect([i, (await calls.share(id, [row(channel, 1)])).status]).toEqual([i, 200])
  }
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1)])).body).toMatchObject({
    code: 'INVALID_REQUEST',
    message: '分账次数超过上限',
  })
  await m.wait(1000)
  expect((await calls.unfreeze(id)).status).toBe(200)
})

test('a name that was not encrypted for the platform is refused', async () => {
  const id = await calls.ripe()
  const told = await calls.share(id, [row(channel, 1, { name: '好味渠道' })])
  expect([told.code, await m.has(channel)]).toEqual(['PARAM_ERROR', [0, 0]])
})

test('one call per second and order, another order is not held back', async () => {
  const [first, second] = [await calls.ripe(10_000), await calls.ripe(10_000)]
  expect((await calls.share(first, [row(channel, 1)])).status).toBe(200)
  await m.wait(999)
  expect((await calls.share(first, [row(channel, 1)])).status).toBe(429)
  expect((await calls.share(second, [row(channel, 1)])).status).toBe(200)
  expect((await calls.unfreeze(first)).status).toBe(429)
  await m.wait(1)
  expect((await calls.unfreeze(first)).status).toBe(200)
  await m.ctl('money-rules', { orderIntervalMs: 0 })
  expect((await calls.share(second, [row(channel, 1)])).status).toBe(200)
})

test('the same number is the same request; another body under it is refused and changes nothing', async () => {
  const id = await calls.ripe(10_000)
  const asked = await calls.share(id, [row(channel, 100)], { out_order_no: 'SAME' })
  await m.wait(1000)
  const again = await calls.share(id, [row(channel, 100)], { out_order_no: 'SAME' })
  expect(again.body).toMatchObject({ order_id: asked.body['order_id'], state: 'FINISHED' })
  for (const differing of [
    [row(channel, 101)],
    [row(platform, 100)],
    [row(channel, 100), row(platform, 1)],
    [row(channel, 100, { description: '别的' })],
  ]) {
    await m.wait(1000)
    expect((await calls.share(id, differing, { out_order_no: 'SAME' })).code).toBe('INVALID_REQUEST')
  }
  await m.wait(1000)
  const ending = await calls.share(id, [row(channel, 100)], { out_order_no: 'SAME', unfreeze_unsplit: true })
  expect(ending.code).toBe('INVALID_REQUEST')
  expect([await m.has(channel), await calls.unsplit(id)]).toEqual([[100, 0], 9840])
})

test('without the permission nothing of sharing is done', async () => {
  const id = await calls.ripe(10_000)
  await calls.share(id, [row(channel, 100)], { out_order_no: 'BEFORE' })
  await m.ctl('money-rules', { mchid: brand, mayShare: false })
  await m.wait(1000)
  const receiver = { appid: 'wx1', type: 'MERCHANT_ID', account: '1900000009', relation_type: 'STORE' }
  const back = { out_order_no: 'BEFORE', out_return_no: 'B', return_mchid: channel, amount: 1, description: 'x' }
  const told = [
    await calls.share(id, [row(channel, 100)]),
    await calls.unfreeze(id),
    await m.call(brand, 'POST', '/v3/profitsharing/receivers/add', receiver),
    await m.call(brand, 'POST', '/v3/profitsharing/return-orders', back),
  ]
  expect(told.map(({ status, code }) => [status, code])).toEqual(Array.from({ length: 4 }, () => [403, 'NO_AUTH']))
  await m.ctl('money-rules', undefined, 'DELETE')
  expect((await calls.share(id, [row(channel, 100)])).status).toBe(200)
})

test('persons get money too, with the app named', async () => {
  const id = await calls.ripe(10_000)
  await m.add(brand, 'oPerson1', 'PERSONAL_OPENID')
  const person = { ...row('oPerson1', 200), type: 'PERSONAL_OPENID' }
  expect((await calls.share(id, [person])).code).toBe('PARAM_ERROR')
  expect((await calls.share(id, [person], { appid: 'wx2' })).code).toBe('INVALID_REQUEST')
  expect((await calls.share(id, [person], { appid: 'wx1' })).status).toBe(200)
  await m.wait(1)
  expect(m.world.money.balances.get('person oPerson1')).toBe(200)
})

test('a query needs the transaction, and of an unknown number there is nothing', async () => {
  const id = await calls.ripe(10_000)
  await calls.share(id, [row(channel, 1)], { out_order_no: 'KNOWN' })
  const bare = await m.call(brand, 'GET', '/v3/profitsharing/orders/KNOWN')
  expect(bare.code).toBe('PARAM_ERROR')
  expect((await calls.queryShare('KNOWN', '4200000')).code).toBe('RESOURCE_NOT_EXISTS')
  expect((await calls.queryShare('UNKNOWN', id)).status).toBe(404)
  const others = await m.call(channel, 'GET', `/v3/profitsharing/orders/KNOWN?transaction_id=${id}`)
  expect(others.status).toBe(404)
  expect((await m.call(brand, 'GET', '/v3/profitsharing/transactions/42000/amounts')).status).toBe(404)
  const plain = await m.paid(brand, 10_000, false)
  const amounts = await m.call(brand, 'GET', `/v3/profitsharing/transactions/${plain}/amounts`)
  expect(amounts.code).toBe('INVALID_REQUEST')
})

test('unknown fields and wrong numbers are refused', async () => {
  const id = await calls.ripe(10_000)
  expect((await calls.share(id, [row(channel, 1)], { sub_mchid: '1' })).body).toMatchObject({
    code: 'PARAM_ERROR',
    detail: { value: ['/sub_mchid'] },
  })
  for (const bad of [0, -1, 1.5, '1']) {
    expect((await calls.share(id, [row(channel, bad as number)])).code).toBe('PARAM_ERROR')
  }
  expect((await calls.share(id, [row(channel, 1)], { out_order_no: 'a b' })).code).toBe('PARAM_ERROR')
  expect((await calls.share(id, [row(channel, 1, { description: '长'.repeat(81) })])).code).toBe('PARAM_ERROR')
})
