import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { failureOf, startPayStage, untilHolds, type PayStage } from '../../testing/pay-stage.ts'

let stage: PayStage
const MINUTE = 60_000

beforeAll(async () => {
  stage = await startPayStage()
  await stage.ctl('money-rules', { refundLatencyMs: 0, shareLatencyMs: 0 })
})
afterEach(async () => {
  stage.notices.length = 0
  await stage.ctl('faults', {}, 'DELETE')
  await stage.ctl('money-outcomes', {}, 'DELETE')
})
afterAll(() => stage.close())

const refund = (transactionId: string, amount: number, changes: object = {}): { no: string; body: string } => {
  const wish = {
    transactionId,
    outRefundNo: stage.fresh('REF'),
    reason: '退卡',
    refund: fen(amount),
    total: fen(100_000),
    ...changes,
  }
  return { no: wish.outRefundNo, body: stage.pay.refundBody(wish) }
}

test('the body always says where the notice goes, and leaves an empty reason out', () => {
  const { body } = refund('T', 5, { outRefundNo: 'R' })
  const url = (JSON.parse(body) as { notify_url: string }).notify_url
  expect(body).toBe(
    `{"transaction_id":"T","out_refund_no":"R","reason":"退卡","notify_url":"${url}","amount":{"refund":5,"total":100000,"currency":"CNY"}}`,
  )
  expect(url).toMatch(/\/notify\/wechatpay$/)
  expect(refund('T', 5, { reason: '' }).body).not.toContain('reason')
})

test('a refund is accepted, told of, queried, and done once however often it is sent', async () => {
  const { pay, brand } = stage
  const { transactionId, outTradeNo } = await stage.paid()
  const { no, body } = refund(transactionId, 30_000)
  expect(await pay.queryRefund(brand, no)).toBeNull()
  const first = await pay.refund(brand, body)
  expect(first).toMatchObject({ outRefundNo: no, transactionId, refund: 30_000 })
  expect(Math.abs((first.createdAtMs ?? 0) - Date.now())).toBeLessThan(MINUTE)
  await untilHolds(() => stage.notices.some((notice) => notice.refund !== null))
  const done = await pay.queryRefund(brand, no)
  expect(done).toMatchObject({ status: 'SUCCESS', refundId: first.refundId })
  expect(Math.abs((done?.successAtMs ?? 0) - Date.now())).toBeLessThan(MINUTE)
  const told = stage.notices.find((notice) => notice.refund !== null)
  expect(told).toMatchObject({ eventType: 'REFUND.SUCCESS', trades: [], share: null })
  expect(told?.refund).toEqual({ ...done, createdAtMs: null, mchid: brand.mchid })
  expect((await pay.refund(brand, body)).refundId).toBe(first.refundId)
  expect(await pay.query(brand, outTradeNo)).toMatchObject({ state: 'REFUND', total: 100_000 })
  expect(await pay.unsplitAmount(brand, transactionId)).toBeLessThan(70_000)
})

test('what cannot be refunded is refused with its code', async () => {
  const { pay, brand } = stage
  const { transactionId } = await stage.paid()
  expect(await failureOf(pay.refund(brand, refund('NEVER', 1).body))).toBe('refused RESOURCE_NOT_EXISTS')
  expect(await failureOf(pay.refund(stage.second, refund(transactionId, 1).body))).toBe('refused RESOURCE_NOT_EXISTS')
  expect(await failureOf(pay.refund(brand, refund(transactionId, 100_001).body))).toMatch(/^refused/)
  expect(await failureOf(pay.refund(brand, refund(transactionId, 1, { total: fen(99_999) }).body))).toBe(
    'refused INVALID_REQUEST',
  )
  const { no, body } = refund(transactionId, 10)
  await pay.refund(brand, body)
  expect(await failureOf(pay.refund(brand, refund(transactionId, 11, { outRefundNo: no }).body))).toBe(
    'refused INVALID_REQUEST',
  )
  await stage.ctl('money-outcomes', { of: 'refund', outcome: 'user_abnormal' })
  await stage.ctl('clock', { advanceMs: MINUTE })
  expect(await failureOf(pay.refund(brand, refund(transactionId, 5).body))).toBe('refused USER_ACCOUNT_ABNORMAL')
})

test('money that was unfrozen and taken out is not there any more: nothing is refunded', async () => {
  const { pay, second } = stage
  const { transactionId } = await stage.paid({ merchant: second })
  await stage.ctl('clock', { advanceMs: MINUTE })
  const no = stage.fresh('UNF')
  await pay.unfreeze(second, pay.unfreezeBody({ transactionId, outOrderNo: no, description: '完结' }))
  await pay.queryShare(second, transactionId, no)
  const { available } = (await stage.ctl(`balances?mchid=${second.mchid}`, {}, 'GET')) as { available: number }
  await stage.ctl('withdraw', { mchid: second.mchid, amount: available })
  const asked = refund(transactionId, 100)
  expect(await failureOf(pay.refund(second, asked.body))).toBe('refused NOT_ENOUGH')
  expect(await pay.queryRefund(second, asked.no)).toBeNull()
  await stage.ctl('top-up', { mchid: second.mchid, amount: 100_000 })
  await stage.ctl('clock', { advanceMs: MINUTE })
  expect(await pay.refund(second, asked.body)).toMatchObject({ outRefundNo: asked.no })
})

test('a lost answer and one that says too much are unknown: the query finds the refund', async () => {
  const { pay, brand } = stage
  for (const kind of ['status429_after', 'status500_after', 'status502_after', 'cut_after', 'truncated_after']) {
    const { transactionId } = await stage.paid()
    const { no, body } = refund(transactionId, 1_000)
    await stage.ctl('faults', { kind, path: '/refund/' })
    expect(await failureOf(pay.refund(brand, body))).toMatch(/^unknown/)
    expect(await pay.queryRefund(brand, no)).toMatchObject({ refund: 1_000 })
  }
  const { transactionId } = await stage.paid()
  const { no, body } = refund(transactionId, 1_000)
  await stage.ctl('faults', { kind: 'status429', path: '/refund/' })
  expect(await failureOf(pay.refund(brand, body))).toBe('unknown FREQUENCY_LIMITED')
  expect(await pay.queryRefund(brand, no)).toBeNull()
})

test('a refund that the payer’s bank gives back goes to the merchant’s card', async () => {
  const { pay, brand } = stage
  await stage.ctl('money-outcomes', { of: 'refund', outcome: 'abnormal' })
  const { transactionId } = await stage.paid()
  const { no, body } = refund(transactionId, 2_000)
  const { refundId } = await pay.refund(brand, body)
  await untilHolds(() => stage.notices.some((notice) => notice.refund !== null))
  expect(stage.notices.at(-1)).toMatchObject({
    eventType: 'REFUND.ABNORMAL',
    refund: { status: 'ABNORMAL', successAtMs: null },
  })
  expect(await pay.queryRefund(brand, no)).toMatchObject({ status: 'ABNORMAL', successAtMs: null })
  await pay.refundToMerchant(brand, refundId, no)
  expect(await pay.queryRefund(brand, no)).toMatchObject({ status: 'SUCCESS' })
})
