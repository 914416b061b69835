import { createPublicKey, createVerify } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { failureOf, startPayStage, untilHolds, type PayStage } from '../../testing/pay-stage.ts'
import type { CombinedWish, PayProduct } from '../wechatpay-port.ts'

let stage: PayStage
const openid = 'oSandboxPayer0001'
const clientIp = '203.0.113.9'

beforeAll(async () => {
  stage = await startPayStage()
})
afterEach(async () => {
  stage.notices.length = 0
  stage.refusals.length = 0
  await stage.ctl('faults', {}, 'DELETE')
})
afterAll(() => stage.close())

function combined(changes: Partial<CombinedWish> = {}): CombinedWish {
  const part = (mchid: string, total: number) => {
    return { mchid, outTradeNo: stage.fresh('SUB'), description: '福利卡', total: fen(total), profitSharing: true }
  }
  return {
    product: 'native',
    initiator: stage.platform,
    combineNo: stage.fresh('CMB'),
    clientIp,
    expireAtMs: Date.now() + 3_600_000,
    subOrders: [part(stage.brand.mchid, 60_000), part(stage.second.mchid, 40_000)],
    ...changes,
  }
}
const place = (wish: CombinedWish) =>
  stage.pay.prepareCombined(wish.initiator, wish.product, stage.pay.combinedBody(wish))

test('each product gives what its payer’s device needs', async () => {
  expect(await stage.place(stage.wish())).toMatchObject({ kind: 'native', codeUrl: expect.stringMatching(/^weixin:/) })
  expect(await stage.place(stage.wish({ product: 'h5', clientIp }))).toMatchObject({
    kind: 'h5',
    h5Url: expect.stringMatching(/^http/),
  })
  const inside = stage.wish({ product: 'jsapi', openid })
  const credential = await stage.place(inside)
  if (credential.kind !== 'jsapi') throw new Error(credential.kind)
  const parameters = await stage.pay.jsapiParameters(inside.merchant, credential.prepayId)
  const { appId, timeStamp, nonceStr, paySign } = parameters
  expect(parameters).toMatchObject({
    package: `prepay_id=${credential.prepayId}`,
    signType: 'RSA',
    appId: 'wxsandbox0001',
  })
  expect(nonceStr.length).toBeLessThanOrEqual(32)
  expect(Math.abs(Number(timeStamp) - Date.now() / 1000)).toBeLessThan(5)
  const key = createPublicKey(stage.credentials[1]?.privateKeyPem ?? '')
  const lines = `${appId}\n${timeStamp}\n${nonceStr}\n${parameters.package}\n`
  expect(createVerify('RSA-SHA256').update(lines).verify(key, paySign, 'base64')).toBe(true)
  const told = await stage.ctl('pay', {
    mchid: inside.merchant.mchid,
    outTradeNo: inside.outTradeNo,
    openid,
    outcome: 'success',
  })
  expect(told).toMatchObject({ state: 'SUCCESS' })
  expect(await stage.pay.query(inside.merchant, inside.outTradeNo)).toMatchObject({ state: 'SUCCESS', openid })
})

test('a body is the same text each time, and lacks nothing that its product needs', () => {
  const wish = stage.wish({
    product: 'jsapi',
    openid,
    outTradeNo: 'N',
    expireAtMs: Date.parse('2026-11-22T00:00:00.999Z'),
  })
  const url = (JSON.parse(stage.pay.paymentBody(wish)) as { notify_url: string }).notify_url
  expect(stage.pay.paymentBody(wish)).toBe(
    `{"appid":"wxsandbox0001","mchid":"${wish.merchant.mchid}","description":"中秋福利卡","out_trade_no":"N","time_expire":"2026-11-22T08:00:00+08:00","notify_url":"${url}","amount":{"total":100000,"currency":"CNY"},"payer":{"openid":"${openid}"},"settle_info":{"profit_sharing":true}}`,
  )
  const scene = stage.pay.paymentBody({ ...wish, product: 'h5', clientIp })
  expect(JSON.parse(scene)).toMatchObject({ scene_info: { payer_client_ip: clientIp, h5_info: { type: 'Wap' } } })
  for (const product of ['native', 'h5'] as const)
    expect(stage.pay.paymentBody({ ...wish, product, clientIp })).not.toContain(openid)
  expect(() => stage.pay.paymentBody({ ...wish, openid: undefined })).toThrow(/openid/)
  expect(() => stage.pay.paymentBody({ ...wish, product: 'h5' })).toThrow(/address/)
  const several = combined()
  for (const product of ['native', 'h5', 'jsapi'] as const) {
    expect(stage.pay.combinedBody({ ...several, product, openid })).toBe(
      stage.pay.combinedBody({ ...several, product, openid }),
    )
    expect(() => stage.pay.combinedBody({ ...several, product, openid, clientIp: undefined })).toThrow(/address/)
  }
  expect(() => stage.pay.combinedBody({ ...several, product: 'jsapi' })).toThrow(/openid/)
  expect(() => stage.pay.combinedBody({ ...several, subOrders: several.subOrders.slice(1) })).toThrow(/2 to 10/)
})

test('a combined payment is paid at once and told of at once, each part by itself', async () => {
  for (const product of ['native', 'jsapi', 'h5'] as const satisfies PayProduct[]) {
    const wish = combined({ product, openid })
    expect(await stage.pay.queryCombined(wish.initiator, wish.combineNo)).toBeNull()
    expect(await place(wish)).toMatchObject({ kind: product })
    const before = await stage.pay.queryCombined(wish.initiator, wish.combineNo)
    expect(before?.map(({ state, transactionId }) => [state, transactionId])).toEqual([
      ['NOTPAY', null],
      ['NOTPAY', null],
    ])
    const told = await stage.ctl('pay', {
      mchid: stage.platform.mchid,
      outTradeNo: wish.combineNo,
      openid,
      outcome: 'success',
    })
    expect(told).toMatchObject({ found: true, state: 'SUCCESS' })
    await untilHolds(() => stage.notices.length > 0)
    const after = await stage.pay.queryCombined(wish.initiator, wish.combineNo)
    const notice = stage.notices.splice(0)[0]
    expect(notice).toMatchObject({ eventType: 'TRANSACTION.SUCCESS', refund: null, share: null })
    expect(notice?.trades).toEqual(after)
    expect(after).toMatchObject(
      wish.subOrders.map(({ mchid, outTradeNo, total }) => {
        return { mchid, outTradeNo, total, state: 'SUCCESS', appid: stage.platform.appid, openid }
      }),
    )
    expect(new Set(after?.map(({ transactionId }) => transactionId)).size).toBe(2)
    expect(await stage.pay.query(stage.brand, wish.subOrders[0]?.outTradeNo ?? '')).toBeNull()
    expect(await failureOf(stage.pay.closeCombined(wish.initiator, wish.combineNo, wish.subOrders))).toBe(
      'refused INVALID_REQUEST',
    )
  }
})

test('a combined payment is closed with exactly its parts', async () => {
  const wish = combined()
  await place(wish)
  const { initiator, combineNo, subOrders } = wish
  expect(
    await failureOf(stage.pay.closeCombined(initiator, combineNo, [...subOrders, ...combined().subOrders])),
  ).toMatch(/^refused/)
  await stage.pay.closeCombined(initiator, combineNo, subOrders)
  const states = (await stage.pay.queryCombined(initiator, combineNo))?.map(({ state }) => state)
  expect(states).toEqual(['CLOSED', 'CLOSED'])
  expect(await failureOf(place(wish))).toBe('refused ORDER_CLOSED')
})

test('the same number again gives a fresh credential; who may not take part is broken', async () => {
  const wish = combined()
  const first = await place(wish)
  expect(await place(wish)).not.toEqual(first)
  const cheaper = { ...wish, subOrders: wish.subOrders.map((part) => ({ ...part, total: fen(1) })) }
  expect(await failureOf(place(cheaper))).toBe('refused OUT_TRADE_NO_USED')
  expect(await failureOf(place(combined({ initiator: { ...stage.platform, appid: 'wxother' } })))).toBe(
    'broken APPID_MCHID_NOT_MATCH',
  )
  expect(await stage.pay.queryCombined(stage.brand, wish.combineNo)).toBeNull()
})

test('notices of other kinds and forms are told apart', async () => {
  const { outTradeNo } = await stage.paid()
  await untilHolds(() => stage.notices.length === 1)
  stage.notices.length = 0
  const send = (mutate: string) => stage.ctl('notice', { mchid: stage.brand.mchid, outTradeNo, mutate })
  expect(await send('event')).toEqual({ statuses: [204] })
  expect(stage.notices.splice(0)).toMatchObject([
    { eventType: 'TRANSACTION.UNHEARD_OF', trades: [], refund: null, share: null },
  ])
  expect(await send('profitsharing')).toEqual({ statuses: [401] })
  expect(await send('xml')).toEqual({ statuses: [401] })
  expect(stage.refusals).toEqual(['malformed', 'malformed'])
  expect(await send('appid')).toEqual({ statuses: [204] })
  expect(stage.notices[0]?.trades[0]?.appid).toBe('wxsomebodyelses')
})
