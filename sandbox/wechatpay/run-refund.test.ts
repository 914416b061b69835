import { publicEncrypt, constants } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { moneyCalls, row, REFUNDS, type MoneyCalls } from '../testing/money-calls.ts'
import { MINUTE, startMoneyWorld, type MoneyWorld, type Told } from '../testing/money.ts'
import { brand, channel } from '../testing/pay-box.ts'

const DAY = 86_400_000
let m: MoneyWorld
let calls: MoneyCalls
beforeEach(async () => {
  m = await startMoneyWorld()
  calls = moneyCalls(m)
  await m.add(brand, channel)
  await m.ctl('money-rules', { orderIntervalMs: 0 })
})

test('CLOSED gives the money and the refundable amount back where they were', async () => {
  const frozenOne = await m.paid(brand, 10_000)
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'closed' })
  const asked = await calls.refund(frozenOne, 10_000)
  await m.wait(1)
  expect((await calls.queryRefund(asked)).body['status']).toBe('CLOSED')
  expect(await m.has(brand)).toEqual([0, 9940])
  await m.wait(MINUTE)
  expect((await calls.refund(frozenOne, 10_000, { out_refund_no: 'NEW' })).status).toBe(200)
  await m.wait(1)
  expect(await m.has(brand)).toEqual([0, 0])
  const free = await m.paid(brand, 10_000, false)
  await m.ctl('money-outcomes', { of: 'refund', mchid: brand, outcome: 'closed' })
  await calls.refund(free, 5000)
  await m.wait(1)
  expect(await m.has(brand)).toEqual([9940, 0])
})

test('CLOSED after the order was unfrozen gives frozen money back to the available balance', async () => {
  const id = await calls.ripe()
  await m.ctl('money-rules', { refundLatencyMs: 31 * DAY })
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'closed' })
  await calls.refund(id, 4000)
  await m.wait(31 * DAY)
  expect(await m.has(brand)).toEqual([9940, 0])
})

test('CLOSED with both purses named gives each its own back', async () => {
  const id = await calls.ripe()
  await calls.shared(id, 3000)
  await m.ctl('top-up', { mchid: brand, amount: 3000 })
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'closed' })
  const from = [
    { account: 'UNAVAILABLE', amount: 6940 },
    { account: 'AVAILABLE', amount: 3060 },
  ]
  expect((await calls.refund(id, 10_000, { from })).status).toBe(200)
  await m.wait(1)
  const [free, frozen] = await m.has(brand)
  expect([free + frozen, frozen]).toEqual([9940, 6940 - 60])
})

test('without money it is accepted where the rule says so, paid when money comes, and CLOSED after 7 days', async () => {
  const [rich, poor] = [await calls.ripe(), await calls.ripe()]
  for (const id of [rich, poor]) await calls.shared(id, 3000, true)
  await m.wait(1)
  await m.ctl('withdraw', { mchid: brand, amount: 2 * 6940 })
  await m.ctl('money-rules', { poorRefund: 'wait' })
  const [first, second] = [await calls.refund(rich, 5000), await calls.refund(poor, 6000)]
  expect([first.body['status'], second.body['status']]).toEqual(['PROCESSING', 'PROCESSING'])
  await m.wait(DAY)
  expect((await calls.queryRefund(first)).body['status']).toBe('PROCESSING')
  await m.ctl('top-up', { mchid: brand, amount: 4970 - 1 })
  await m.wait(1)
  expect((await calls.queryRefund(first)).body['status']).toBe('PROCESSING')
  await m.ctl('top-up', { mchid: brand, amount: 1 })
  await m.wait(1)
  expect([(await calls.queryRefund(first)).body['status'], await m.has(brand)]).toEqual(['SUCCESS', [0, 0]])
  await m.wait(6 * DAY - 3)
  expect((await calls.queryRefund(second)).body['status']).toBe('PROCESSING')
  await m.wait(1)
  expect((await calls.queryRefund(second)).body['status']).toBe('CLOSED')
  await m.ctl('top-up', { mchid: brand, amount: 50_000 })
  expect((await calls.queryRefund(second)).body['status']).toBe('CLOSED')
  expect((await calls.refund(poor, 6000)).status).toBe(200)
})

test('a refund whose money came in time is not CLOSED after 7 days, however long the bank takes', async () => {
  const id = await calls.ripe()
  await calls.shared(id, 3000, true)
  await m.wait(1)
  await m.ctl('withdraw', { mchid: brand, amount: 6940 })
  await m.ctl('money-rules', { poorRefund: 'wait', refundLatencyMs: 10 * DAY })
  const asked = await calls.refund(id, 5000)
  await m.wait(DAY)
  await m.ctl('top-up', { mchid: brand, amount: 5000 })
  await m.wait(7 * DAY)
  expect((await calls.queryRefund(asked)).body['status']).toBe('PROCESSING')
  await m.wait(3 * DAY)
  expect((await calls.queryRefund(asked)).body['status']).toBe('SUCCESS')
})

test('what is under way can be ended at once, and ends once', async () => {
  const id = await calls.ripe()
  await m.ctl('money-rules', {
    acceptReturns: true,
    shareLatencyMs: 1000,
    returnLatencyMs: 1000,
    refundLatencyMs: 1000,
  })
  await calls.share(id, [row(channel, 1000)], { out_order_no: 'S1' })
  await m.ctl('money-settle', {})
  const back = { out_order_no: 'S1', out_return_no: 'B1', return_mchid: channel, amount: 400, description: 'x' }
  const returned = await m.call(brand, 'POST', '/v3/profitsharing/return-orders', back)
  const refunded = await calls.refund(id, 500)
  expect([returned.body['result'], refunded.body['status']]).toEqual(['PROCESSING', 'PROCESSING'])
  await m.ctl('money-settle', {})
  const ended = await m.call(brand, 'GET', '/v3/profitsharing/return-orders/B1?out_order_no=S1')
  expect([ended.body['result'], (await calls.queryRefund(refunded)).body['status']]).toEqual(['SUCCESS', 'SUCCESS'])
  const had = [await m.has(brand), await m.has(channel)]
  await m.wait(1000)
  expect([await m.has(brand), await m.has(channel)]).toEqual(had)
})

test('an outcome that is dialled for one merchant leaves the others alone', async () => {
  await m.ctl('money-outcomes', { of: 'refund', mchid: channel, outcome: 'closed' })
  const asked = await calls.refund(await calls.ripe(), 500)
  await m.wait(1)
  expect((await calls.queryRefund(asked)).body['status']).toBe('SUCCESS')
})

test('never is never, and an abnormal account of the payer is refused at once', async () => {
  const id = await m.paid(brand, 10_000)
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'user_abnormal' })
  const refused = await calls.refund(id, 100, { out_refund_no: 'ONE' })
  expect([refused.status, refused.code]).toEqual([403, 'USER_ACCOUNT_ABNORMAL'])
  expect((await m.call(brand, 'GET', `${REFUNDS}/ONE`)).status).toBe(404)
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'never' })
  const stuck = await calls.refund(id, 100)
  await m.wait(100 * DAY)
  expect((await calls.queryRefund(stuck)).body['status']).toBe('PROCESSING')
})

test('ABNORMAL keeps the money away from the merchant until it goes to another card', async () => {
  const id = await m.paid(brand, 10_000)
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'abnormal', times: 2 })
  const asked = await calls.refund(id, 6000)
  await m.wait(1)
  const abnormal = await calls.queryRefund(asked)
  expect([abnormal.body['status'], await m.has(brand)]).toEqual(['ABNORMAL', [0, 3976]])
  const path = `${REFUNDS}/${String(asked.body['refund_id'])}/apply-abnormal-refund`
  const toMerchant = { out_refund_no: asked.body['out_refund_no'], type: 'MERCHANT_BANK_CARD' }
  expect((await m.call(brand, 'POST', path, { ...toMerchant, out_refund_no: 'WRONG' })).status).toBe(404)
  expect((await m.call(channel, 'POST', path, toMerchant)).status).toBe(404)
  await m.ctl('money-rules', { refundLatencyMs: 1000 })
  const handled = await m.call(brand, 'POST', path, toMerchant)
  expect(handled.body).toMatchObject({ status: 'PROCESSING', channel: 'OTHER_BANKCARD' })
  expect((await m.call(brand, 'POST', path, toMerchant)).body['status']).toBe('PROCESSING')
  await m.wait(1000)
  expect((await calls.queryRefund(asked)).body).toMatchObject({
    status: 'SUCCESS',
    user_received_account: '商户银行卡',
  })
  expect(m.world.money.balances.get('payers')).toBe(-10_000)
})

test('ABNORMAL can go to a card of the payer, whose number and name are encrypted', async () => {
  const id = await m.paid(brand, 10_000)
  const path = (told: Told): string => `${REFUNDS}/${String(told.body['refund_id'])}/apply-abnormal-refund`
  const seal = (text: string): string =>
    publicEncrypt(
      { key: m.world.key.publicPem, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      Buffer.from(text),
    ).toString('base64')
  const card = (told: Told, account: string): Record<string, unknown> => ({
    out_refund_no: told.body['out_refund_no'],
    type: 'USER_BANK_CARD',
    bank_type: 'ICBC_DEBIT',
    bank_account: account,
    real_name: seal('李秀英'),
  })
  const fine = await calls.refund(id, 1000)
  const serialOf = { 'wechatpay-serial': m.world.key.id }
  const sound = await m.call(brand, 'POST', path(fine), card(fine, seal('6222')), serialOf)
  expect(sound.code).toBe('INVALID_REQUEST')
  await m.wait(MINUTE)
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'abnormal' })
  const asked = await calls.refund(id, 1000)
  await m.wait(1)
  expect((await m.call(brand, 'POST', path(asked), card(asked, '6222'), serialOf)).code).toBe('PARAM_ERROR')
  expect((await m.call(brand, 'POST', path(asked), card(asked, seal('6222')))).code).toBe('PARAM_ERROR')
  expect((await m.call(brand, 'POST', path(asked), card(asked, seal('6222')), serialOf)).status).toBe(200)
  await m.wait(1)
  expect((await calls.queryRefund(asked)).body).toMatchObject({
    status: 'SUCCESS',
    user_received_account: '用户银行卡',
  })
  expect(m.world.money.balances.get('payers')).toBe(-8000)
})
