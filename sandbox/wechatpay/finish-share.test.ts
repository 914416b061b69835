import { beforeEach, expect, test } from 'vitest'
import { moneyCalls, row, rowsOf, type MoneyCalls } from '../testing/money-calls.ts'
import { MINUTE, startMoneyWorld, type MoneyWorld } from '../testing/money.ts'
import { brand, channel, platform } from '../testing/pay-box.ts'

let m: MoneyWorld
let calls: MoneyCalls
beforeEach(async () => {
  m = await startMoneyWorld()
  calls = moneyCalls(m)
  await m.add(brand, channel)
  await m.add(brand, platform)
})

test('unfreezing gives the rest back with a row of its own and ends sharing', async () => {
  const id = await calls.ripe(10_000)
  await calls.share(id, [row(channel, 1000)])
  await m.wait(1000)
  const asked = await calls.unfreeze(id, 'U1')
  expect(asked.body['state']).toBe('PROCESSING')
  expect(rowsOf(asked)).toMatchObject([
    { type: 'MERCHANT_ID', account: brand, amount: 8940, description: '解冻给分账方', result: 'PENDING' },
  ])
  expect(rowsOf(await calls.queryShare('U1', id))).toMatchObject([{ result: 'SUCCESS' }])
  expect([await m.has(brand), await calls.unsplit(id)]).toEqual([[8940, 0], 0])
  await m.wait(1000)
  expect((await calls.unfreeze(id, 'U1')).body['order_id']).toBe(asked.body['order_id'])
  await m.wait(1000)
  expect((await calls.unfreeze(id)).body).toMatchObject({ code: 'NOT_ENOUGH' })
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1)])).body['message']).toContain('已完结')
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1)], { out_order_no: 'U1' })).code).toBe('INVALID_REQUEST')
})

test('sharing all of it leaves no row of a rest', async () => {
  const id = await calls.ripe(10_000)
  await m.ctl('money-rules', { maxRatioBp: 10_000 })
  const asked = await calls.share(id, [row(channel, 9940)], { unfreeze_unsplit: true })
  expect(rowsOf(asked).map((each) => each['account'])).toEqual([channel])
})

test('another text under a number of unfreezing is refused', async () => {
  const id = await calls.ripe(10_000)
  await calls.unfreeze(id, 'U1')
  await m.wait(1000)
  const body = { transaction_id: id, out_order_no: 'U1', description: '别的' }
  expect((await m.call(brand, 'POST', '/v3/profitsharing/orders/unfreeze', body)).code).toBe('INVALID_REQUEST')
})

test('a number of sharing used for unfreezing answers success and does nothing', async () => {
  const id = await calls.ripe(10_000)
  const asked = await calls.share(id, [row(channel, 1000)], { out_order_no: 'BOTH' })
  await m.wait(1000)
  const reused = await calls.unfreeze(id, 'BOTH')
  expect([reused.status, reused.body['order_id']]).toEqual([200, asked.body['order_id']])
  expect([await m.has(brand), await calls.unsplit(id)]).toEqual([[0, 8940], 8940])
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1)])).status).toBe(200)
})

test('unfreezing too early, of unflagged money, or under a number of another order is refused', async () => {
  const id = await m.paid(brand, 10_000)
  expect((await calls.unfreeze(id)).body['message']).toContain('订单处理中')
  const plain = await m.paid(brand, 10_000, false)
  await m.wait(MINUTE)
  expect((await calls.unfreeze(plain)).code).toBe('INVALID_REQUEST')
  await calls.share(await calls.ripe(10_000), [row(channel, 1)], { out_order_no: 'OTHERS' })
  expect((await calls.unfreeze(id, 'OTHERS')).code).toBe('INVALID_REQUEST')
})

test('sharing with the rest unfrozen adds the row of the rest and ends sharing', async () => {
  const id = await calls.ripe(10_000)
  const asked = await calls.share(id, [row(channel, 1000)], { unfreeze_unsplit: true, out_order_no: 'LAST' })
  expect(rowsOf(asked).map((each) => [each['account'], each['amount'], each['description']])).toEqual([
    [channel, 1000, '推广服务费'],
    [brand, 8940, '解冻给分账方'],
  ])
  await m.wait(1000)
  expect((await calls.share(id, [row(channel, 1)])).body['message']).toContain('已完结')
  expect([await m.has(brand), await m.has(channel)]).toEqual([
    [8940, 0],
    [1000, 0],
  ])
})

test('receivers fail one by one with each reason; their money stays frozen and can be shared again', async () => {
  const id = await calls.ripe(10_000)
  const reasons = [
    'ACCOUNT_ABNORMAL',
    'NO_RELATION',
    'RECEIVER_HIGH_RISK',
    'RECEIVER_REAL_NAME_NOT_VERIFIED',
    'NO_AUTH',
    'RECEIVER_RECEIPT_LIMIT',
    'PAYER_ACCOUNT_ABNORMAL',
    'INVALID_REQUEST',
  ]
  for (const failReason of reasons) {
    await m.ctl('money-outcomes', { of: 'receiver', account: channel, failReason })
    const asked = await calls.share(id, [row(channel, 1000), row(platform, 100)])
    const done = await calls.queryShare(asked.body['out_order_no'], id)
    expect(done.body['state']).toBe('FINISHED')
    expect(rowsOf(done)).toMatchObject([{ result: 'CLOSED', fail_reason: failReason }, { result: 'SUCCESS' }])
    await m.wait(1000)
  }
  expect([await m.has(channel), await m.has(platform), await calls.unsplit(id)]).toEqual([[0, 0], [800, 0], 9140])
  expect((await calls.share(id, [row(channel, 1000)])).status).toBe(200)
  expect(await m.has(channel)).toEqual([1000, 0])
})

test('money of a failed receiver can also go back to who collected, by the other reading', async () => {
  const id = await calls.ripe(10_000)
  await m.ctl('money-rules', { failedShare: 'available' })
  await m.ctl('money-outcomes', { of: 'receiver', account: channel, failReason: 'ACCOUNT_ABNORMAL' })
  await calls.share(id, [row(channel, 1000)])
  expect([await m.has(brand), await calls.unsplit(id)]).toEqual([[1000, 8940], 8940])
})

test('a failed receiver of the last sharing leaves money that only unfreezing brings back', async () => {
  const id = await calls.ripe(10_000)
  await m.ctl('money-outcomes', { of: 'receiver', account: channel, failReason: 'ACCOUNT_ABNORMAL' })
  await calls.share(id, [row(channel, 1000)], { unfreeze_unsplit: true })
  await m.wait(1000)
  expect([await m.has(brand), (await calls.share(id, [row(channel, 1)])).code]).toEqual([
    [8940, 1000],
    'INVALID_REQUEST',
  ])
  await m.wait(1000)
  expect((await calls.unfreeze(id)).status).toBe(200)
  expect(await m.has(brand)).toEqual([9940, 0])
})

test('a receiver that is deleted before it is served gets NO_RELATION', async () => {
  const id = await calls.ripe(10_000)
  await m.ctl('money-rules', { shareLatencyMs: 5000 })
  const asked = await calls.share(id, [row(channel, 1000), row(platform, 10)])
  const gone = { appid: 'wx1', type: 'MERCHANT_ID', account: channel }
  expect((await m.call(brand, 'POST', '/v3/profitsharing/receivers/delete', gone)).status).toBe(200)
  const second = await m.wait(1000).then(() => calls.share(id, [row(channel, 5)]))
  await m.wait(5000)
  for (const no of [asked, second].map((each) => each.body['out_order_no'])) {
    expect(rowsOf(await calls.queryShare(no, id))[0]).toMatchObject({ result: 'CLOSED', fail_reason: 'NO_RELATION' })
  }
  expect(await m.has(platform)).toEqual([10, 0])
})

test('what nobody touched is free after 30 days, and not before', async () => {
  const id = await m.paid(brand, 10_000)
  await m.wait(30 * 86_400_000 - 1)
  expect(await m.has(brand)).toEqual([0, 9940])
  await m.wait(1)
  expect(await m.has(brand)).toEqual([9940, 0])
  expect((await calls.share(id, [row(channel, 1)])).body['message']).toContain('已完结')
  await m.wait(1000)
  expect((await calls.unfreeze(id)).code).toBe('NOT_ENOUGH')
})

test('a sharing that waits over the 30 days is still carried out, and what fails then is free', async () => {
  const id = await m.paid(brand, 10_000)
  await m.wait(29 * 86_400_000)
  await m.ctl('money-rules', { shareLatencyMs: 2 * 86_400_000 })
  await m.ctl('money-outcomes', { of: 'receiver', account: platform, failReason: 'NO_AUTH' })
  await calls.share(id, [row(channel, 1000), row(platform, 500)])
  await m.wait(86_400_000)
  expect(await m.has(brand)).toEqual([8440, 1500])
  await m.wait(86_400_000)
  expect([await m.has(brand), await m.has(channel)]).toEqual([
    [8940, 0],
    [1000, 0],
  ])
})
