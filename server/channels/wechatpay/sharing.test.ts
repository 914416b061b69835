import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { failureOf, startPayStage, untilHolds, type PayStage } from '../../testing/pay-stage.ts'

let stage: PayStage
const MINUTE = 60_000

beforeAll(async () => {
  stage = await startPayStage()
  await stage.ctl('money-rules', { shareLatencyMs: 0, returnLatencyMs: 0, orderIntervalMs: 0 })
})
afterEach(async () => {
  await stage.ctl('faults', {}, 'DELETE')
  await stage.ctl('money-outcomes', {}, 'DELETE')
})
afterAll(() => stage.close())

const share = (transactionId: string, changes: object = {}): string =>
  stage.pay.shareBody({
    transactionId,
    outOrderNo: stage.fresh('SHR'),
    receivers: [
      { account: stage.platform.mchid, amount: fen(5_000), description: '平台服务费' },
      { account: stage.channel.mchid, amount: fen(3_001), description: '渠道佣金' },
    ],
    unfreezeRest: false,
    ...changes,
  })
const noOf = (body: string): string => (JSON.parse(body) as { out_order_no: string }).out_order_no

/** A paid order that may be shared. */
async function ripe(): Promise<string> {
  for (const { mchid } of [stage.platform, stage.channel])
    await stage.pay.addReceiver(stage.brand, { account: mchid, relation: 'SERVICE_PROVIDER' })
  const { transactionId } = await stage.paid()
  await stage.ctl('clock', { advanceMs: MINUTE })
  return transactionId
}

test('bodies are the same text each time, and refuse what no call may have', () => {
  const receivers = [{ account: '1', amount: fen(1), description: 'd' }]
  const wish = { transactionId: 'T', outOrderNo: 'N', receivers, unfreezeRest: true }
  expect(stage.pay.shareBody(wish)).toBe(
    '{"transaction_id":"T","out_order_no":"N","receivers":[{"type":"MERCHANT_ID","account":"1","amount":1,"description":"d"}],"unfreeze_unsplit":true}',
  )
  expect(stage.pay.unfreezeBody({ transactionId: 'T', outOrderNo: 'U', description: 'd' })).toBe(
    '{"transaction_id":"T","out_order_no":"U","description":"d"}',
  )
  expect(
    stage.pay.returnBody({ outOrderNo: 'N', outReturnNo: 'R', account: '1', amount: fen(1), description: 'd' }),
  ).toBe('{"out_order_no":"N","out_return_no":"R","return_mchid":"1","amount":1,"description":"d"}')
  const many = Array.from({ length: 51 }, (_, index) => ({ account: String(index), amount: fen(1), description: 'd' }))
  for (const wrong of [[], [...receivers, ...receivers], many])
    expect(() => stage.pay.shareBody({ ...wish, receivers: wrong })).toThrow(/each once/)
  expect(stage.pay.shareBody({ ...wish, receivers: many.slice(1) })).toContain('"account":"50"')
})

test('shares arrive at each receiver, the same number is the same call, and the rest is unfrozen', async () => {
  const { pay, brand } = stage
  const transactionId = await ripe()
  expect(await pay.unsplitAmount(brand, transactionId)).toBe(99_400)
  const body = share(transactionId)
  const first = await pay.share(brand, body)
  expect(first).toMatchObject({ outOrderNo: noOf(body), state: 'PROCESSING' })
  expect(first.receivers).toMatchObject([
    { account: stage.platform.mchid, amount: 5_000, result: 'PENDING', finishedAtMs: null, failReason: null },
    { account: stage.channel.mchid, amount: 3_001, result: 'PENDING', finishedAtMs: null, failReason: null },
  ])
  const done = await pay.queryShare(brand, transactionId, noOf(body))
  expect(done).toMatchObject({ orderId: first.orderId, state: 'FINISHED' })
  expect(done?.receivers.map(({ result }) => result)).toEqual(['SUCCESS', 'SUCCESS'])
  for (const one of done?.receivers ?? []) expect(one.finishedAtMs).toBeGreaterThan(Date.now() - MINUTE)
  expect((await pay.share(brand, body)).orderId).toBe(first.orderId)
  expect(await pay.unsplitAmount(brand, transactionId)).toBe(91_399)
  const unfreeze = pay.unfreezeBody({ transactionId, outOrderNo: stage.fresh('UNF'), description: '分账完结' })
  await pay.unfreeze(brand, unfreeze)
  const rest = await pay.queryShare(brand, transactionId, noOf(unfreeze))
  expect(rest?.receivers).toMatchObject([
    { account: brand.mchid, amount: 91_399, result: 'SUCCESS', description: '解冻给分账方' },
  ])
  expect(await pay.unsplitAmount(brand, transactionId)).toBe(0)
  expect(await failureOf(pay.share(brand, share(transactionId)))).toBe('refused SHARING_ENDED')
  const again = pay.unfreezeBody({ transactionId, outOrderNo: stage.fresh('UNF'), description: '分账完结' })
  expect(await failureOf(pay.unfreeze(brand, again))).toBe('refused NOT_ENOUGH')
  expect(await stage.ctl('conserved', {}, 'GET')).toMatchObject({ ok: true })
})

test('each refusal of sharing has its own code', async () => {
  const { pay, brand } = stage
  const early = await stage.paid()
  await pay.addReceiver(brand, { account: stage.platform.mchid, relation: 'SERVICE_PROVIDER' })
  expect(await failureOf(pay.share(brand, share(early.transactionId)))).toBe('refused SHARING_TOO_EARLY')
  const transactionId = await ripe()
  const to = (amount: number) => [{ account: stage.platform.mchid, amount: fen(amount), description: '费' }]
  for (const ratioCode of ['RULE_LIMIT', 'INVALID_REQUEST']) {
    await stage.ctl('money-rules', { ratioCode })
    const over = share(transactionId, { receivers: to(30_001) })
    expect(await failureOf(pay.share(brand, over))).toBe('refused SHARING_OVER_RATIO')
  }
  await stage.ctl('money-rules', { maxRatioBp: 10_000 })
  expect(await failureOf(pay.share(brand, share(transactionId, { receivers: to(99_401) })))).toBe('refused NOT_ENOUGH')
  await stage.ctl('money-rules', { maxRatioBp: 3_000 })
  const stranger = [{ account: stage.second.mchid, amount: fen(1), description: '费' }]
  expect(await failureOf(pay.share(brand, share(transactionId, { receivers: stranger })))).toBe(
    'refused SHARING_NO_RELATION',
  )
  const body = share(transactionId)
  await pay.share(brand, body)
  const other = share(transactionId, { outOrderNo: noOf(body), receivers: to(1) })
  expect(await failureOf(pay.share(brand, other))).toBe('refused SHARING_DIFFERS')
  const unflagged = await stage.paid({ profitSharing: false })
  await stage.ctl('clock', { advanceMs: MINUTE })
  expect(await failureOf(pay.share(brand, share(unflagged.transactionId)))).toBe('refused INVALID_REQUEST')
  expect(await failureOf(pay.share(stage.second, share(transactionId)))).toBe('refused INVALID_REQUEST')
  await stage.ctl('money-rules', { orderIntervalMs: 1000 })
  await failureOf(pay.share(brand, body)).catch(() => 'it was let through')
  expect(await failureOf(pay.share(brand, body))).toBe('busy FREQUENCY_LIMITED')
  await stage.ctl('money-rules', { orderIntervalMs: 0 })
})

test('numbers that nobody knows are null, and never those of another merchant', async () => {
  const { pay, brand } = stage
  const transactionId = await ripe()
  const body = share(transactionId)
  await pay.share(brand, body)
  expect(await pay.queryShare(brand, transactionId, 'NEVER')).toBeNull()
  expect(await pay.queryShare(brand, 'ANOTHER', noOf(body))).toBeNull()
  expect(await pay.queryShare(stage.second, transactionId, noOf(body))).toBeNull()
  expect(await pay.queryReturn(brand, noOf(body), 'NEVER')).toBeNull()
  expect(await failureOf(pay.unsplitAmount(stage.second, transactionId))).toBe('refused RESOURCE_NOT_EXISTS')
})

test('one receiver may fail while others succeed, and its money stays', async () => {
  const { pay, brand } = stage
  const transactionId = await ripe()
  await stage.ctl('money-outcomes', { of: 'receiver', account: stage.channel.mchid, failReason: 'NO_RELATION' })
  const body = share(transactionId)
  await pay.share(brand, body)
  const done = await pay.queryShare(brand, transactionId, noOf(body))
  expect(done?.receivers).toMatchObject([
    { result: 'SUCCESS', failReason: null },
    { result: 'CLOSED', failReason: 'NO_RELATION' },
  ])
  expect(await pay.unsplitAmount(brand, transactionId)).toBe(94_400)
})

test('a lost answer is unknown, and the query tells what was done', async () => {
  const { pay, brand } = stage
  for (const kind of [
    'cut_after',
    'truncated_after',
    'status500_after',
    'status502_after',
    'broken_response_signature',
  ]) {
    const transactionId = await ripe()
    const body = share(transactionId)
    await stage.ctl('faults', { kind, path: '/profitsharing/orders' })
    expect(await failureOf(pay.share(brand, body))).toMatch(/^unknown/)
    expect(await pay.queryShare(brand, transactionId, noOf(body))).toMatchObject({ outOrderNo: noOf(body) })
    expect((await pay.share(brand, body)).receivers).toHaveLength(2)
    expect(await pay.unsplitAmount(brand, transactionId)).toBe(91_399)
  }
})

test('what was shared comes back, once for each number, from receivers that allow it and have it', async () => {
  const { pay, brand } = stage
  const transactionId = await ripe()
  const body = share(transactionId)
  await pay.share(brand, body)
  await pay.queryShare(brand, transactionId, noOf(body))
  const wish = { outOrderNo: noOf(body), account: stage.platform.mchid, amount: fen(1_500), description: '退回' }
  const back = (changes: object = {}) => pay.returnBody({ ...wish, outReturnNo: stage.fresh('RET'), ...changes })
  await stage.ctl('money-rules', { mchid: stage.platform.mchid, acceptReturns: false })
  expect(await failureOf(pay.returnShare(brand, back()))).toBe('refused NO_AUTH')
  await stage.ctl('money-rules', { mchid: stage.platform.mchid, acceptReturns: true })
  const one = back()
  const { out_return_no: outReturnNo } = JSON.parse(one) as { out_return_no: string }
  const first = await pay.returnShare(brand, one)
  expect(first).toMatchObject({ outReturnNo, amount: 1_500 })
  expect(await pay.queryReturn(brand, noOf(body), outReturnNo)).toMatchObject({
    result: 'SUCCESS',
    failReason: null,
    returnId: first.returnId,
  })
  expect((await pay.returnShare(brand, one)).returnId).toBe(first.returnId)
  expect(await failureOf(pay.returnShare(brand, back({ outReturnNo, amount: fen(1) })))).toBe('refused SHARING_DIFFERS')
  expect(await failureOf(pay.returnShare(brand, back({ amount: fen(3_501) })))).toBe('refused NOT_ENOUGH')
  expect(await failureOf(pay.returnShare(brand, back({ account: stage.second.mchid })))).toBe('refused INVALID_REQUEST')
  await stage.ctl('money-outcomes', { of: 'return', account: stage.platform.mchid, failReason: 'ACCOUNT_ABNORMAL' })
  const failing = back({ amount: fen(10) })
  await pay.returnShare(brand, failing)
  const failed = JSON.parse(failing) as { out_return_no: string }
  expect(await pay.queryReturn(brand, noOf(body), failed.out_return_no)).toMatchObject({
    result: 'FAILED',
    failReason: 'ACCOUNT_ABNORMAL',
  })
})

test('a share that is still under way cannot be taken back yet', async () => {
  const { pay, brand } = stage
  const transactionId = await ripe()
  await stage.ctl('money-rules', { shareLatencyMs: null })
  const body = share(transactionId)
  await pay.share(brand, body)
  const wish = { outOrderNo: noOf(body), account: stage.platform.mchid, amount: fen(1), description: '退回' }
  const back = pay.returnBody({ ...wish, outReturnNo: stage.fresh('RET') })
  expect(await failureOf(pay.returnShare(brand, back))).toBe('refused RETURN_NOT_READY')
  await stage.ctl('money-rules', { shareLatencyMs: 0 })
  await stage.ctl('money-settle')
  expect(await pay.returnShare(brand, back)).toMatchObject({ amount: 1 })
})

test('receivers are added and deleted any number of times; the ratio of a sub-merchant is told in basis points', async () => {
  const { pay, brand } = stage
  for (const account of [stage.second.mchid, stage.second.mchid]) {
    await pay.addReceiver(brand, { account, relation: 'BRAND' })
    await pay.addReceiver(brand, { account, relation: 'BRAND' })
    await pay.deleteReceiver(brand, account)
    await pay.deleteReceiver(brand, account)
  }
  expect(
    await failureOf(pay.addReceiver({ ...brand, appid: 'wxother' }, { account: '1900000301', relation: 'BRAND' })),
  ).toBe('refused INVALID_REQUEST')
  expect(await pay.maxRatioBp(stage.platform, brand.mchid)).toBe(3_000)
})

test('receivers are told what came and what went, and it opens as their notice', async () => {
  const { pay, brand } = stage
  const shareNotifyUrl = (
    JSON.parse(pay.refundBody({ transactionId: 'T', outRefundNo: 'R', reason: '', refund: fen(1), total: fen(1) })) as {
      notify_url: string
    }
  ).notify_url
  await stage.ctl('money-rules', { mchid: stage.platform.mchid, shareNotifyUrl })
  stage.notices.length = 0
  const transactionId = await ripe()
  const body = share(transactionId)
  await pay.share(brand, body)
  await pay.queryShare(brand, transactionId, noOf(body))
  await untilHolds(() => stage.notices.some(({ share: told }) => told !== null))
  const told = stage.notices.find((notice) => notice.share !== null)
  expect(told).toMatchObject({ eventType: 'PROFITSHARING.SUCCESS', trades: [], refund: null })
  expect(told?.share).toEqual({ mchid: stage.platform.mchid, outOrderNo: noOf(body), transactionId })
  stage.notices.length = 0
  const back = {
    outOrderNo: noOf(body),
    outReturnNo: stage.fresh('RET'),
    account: stage.platform.mchid,
    amount: fen(1),
    description: '退回',
  }
  await pay.returnShare(brand, pay.returnBody(back))
  await pay.queryReturn(brand, noOf(body), back.outReturnNo)
  await untilHolds(() => stage.notices.length > 0)
  expect(stage.notices[0]).toMatchObject({ eventType: 'PROFITSHARING.RETURN', trades: [], refund: null })
})
