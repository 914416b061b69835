// A public client of WeChat Pay, written by others from its documents, judges both our sandbox and our own client: what it
// signs our sandbox takes, what our sandbox signs it believes, and what our client sends it finds right.
import { createPublicKey } from 'node:crypto'
import { Aes, Decorator, Formatter, Rsa } from 'wechatpay-axios-plugin'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { startPayStage, untilHolds, type PayStage } from '../../testing/pay-stage.ts'
import type { MerchantCredentials } from './crypto.ts'

let stage: PayStage
type Told = Record<string, unknown>
interface Judge {
  get: (path: string) => Promise<Told>
  post: (path: string, body: object) => Promise<Told>
}
let brand: Judge
let platform: Judge
const MINUTE = 60_000
const credentialsOf = (index: number): MerchantCredentials => {
  const found = stage.credentials[index]
  if (found === undefined) throw new Error('no such merchant')
  return found
}

/** The public client for one merchant: it signs, and it throws where an answer is not signed as it must be. */
function judgeFor({ mchid, certSerial, privateKeyPem }: MerchantCredentials, keyPem?: string): Judge {
  const { baseUrl, platformPublicKeyId, platformPublicKeyPem } = stage.sandbox
  const { v3 } = new Decorator({
    baseURL: baseUrl,
    mchid,
    serial: certSerial,
    privateKey: privateKeyPem,
    certs: { [platformPublicKeyId]: keyPem ?? platformPublicKeyPem },
  })
  return {
    get: async (path) => (await v3.get<Told>(path)).data,
    post: async (path, body) => (await v3.post<Told>(path, body)).data,
  }
}

beforeAll(async () => {
  stage = await startPayStage()
  await stage.ctl('money-rules', { shareLatencyMs: 0, returnLatencyMs: 0, refundLatencyMs: 0, orderIntervalMs: 0 })
  await stage.ctl('money-rules', { mchid: stage.platform.mchid, acceptReturns: true })
  platform = judgeFor(credentialsOf(0))
  brand = judgeFor(credentialsOf(1))
})
afterAll(() => stage.close())

const order = (more: object = {}) => ({
  appid: stage.brand.appid,
  mchid: stage.brand.mchid,
  description: '中秋福利卡',
  out_trade_no: stage.fresh('JDG'),
  notify_url: stage.notifyUrl,
  amount: { total: 100_000, currency: 'CNY' },
  settle_info: { profit_sharing: true },
  ...more,
})
const payNow = async (mchid: string, outTradeNo: string): Promise<string> =>
  String((await stage.ctl('pay', { mchid, outTradeNo, outcome: 'success' }))['transactionId'])

/** The last letter, verified and opened by the public client alone. */
function opened(apiV3Key: string): { event: unknown; plain: Told } {
  const letter = stage.letters.at(-1)
  if (letter === undefined) throw new Error('no letter')
  const { headers, raw } = letter
  const get = (name: string): string => headers[`wechatpay-${name}`] ?? ''
  const text = Formatter.response(get('timestamp'), get('nonce'), raw.toString('utf8'))
  expect(Rsa.verify(text, get('signature'), stage.sandbox.platformPublicKeyPem)).toBe(true)
  const body = JSON.parse(raw.toString('utf8')) as { event_type: string; resource: Record<string, string> }
  const { ciphertext = '', nonce = '', associated_data: aad } = body.resource
  return { event: body.event_type, plain: JSON.parse(Aes.AesGcm.decrypt(ciphertext, apiV3Key, nonce, aad)) as Told }
}

test('it places orders of each product, and hears of a payment', async () => {
  const openid = 'oSandboxPayer0001'
  expect(await brand.post('/v3/pay/transactions/native', order())).toMatchObject({ code_url: expect.any(String) })
  const scene_info = { payer_client_ip: '203.0.113.9', h5_info: { type: 'Wap' } }
  expect(await brand.post('/v3/pay/transactions/h5', order({ scene_info }))).toMatchObject({
    h5_url: expect.any(String),
  })
  const inside = order({ payer: { openid } })
  expect(await brand.post('/v3/pay/transactions/jsapi', inside)).toMatchObject({ prepay_id: expect.any(String) })
  const path = `/v3/pay/transactions/out-trade-no/${inside.out_trade_no}?mchid=${inside.mchid}`
  expect(await brand.get(path)).toMatchObject({ trade_state: 'NOTPAY' })
  stage.letters.length = 0
  const transactionId = await payNow(inside.mchid, inside.out_trade_no)
  await untilHolds(() => stage.letters.length > 0)
  const { event, plain } = opened(credentialsOf(1).apiV3Key)
  expect(event).toBe('TRANSACTION.SUCCESS')
  expect(plain).toMatchObject({ transaction_id: transactionId, trade_state: 'SUCCESS', amount: { total: 100_000 } })
  expect(await brand.get(path)).toEqual(plain)
  expect(await brand.get(`/v3/pay/transactions/id/${transactionId}?mchid=${inside.mchid}`)).toEqual(plain)
})

test('it closes, and is told in WeChat Pay’s own words what it may not', async () => {
  const one = order()
  await brand.post('/v3/pay/transactions/native', one)
  const path = `/v3/pay/transactions/out-trade-no/${one.out_trade_no}`
  expect(await brand.post(`${path}/close`, { mchid: one.mchid })).toBe('')
  expect(await brand.get(`${path}?mchid=${one.mchid}`)).toMatchObject({ trade_state: 'CLOSED' })
  const refused = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: { response?: { status: number; data: Told } }) => [error.response?.status, error.response?.data['code']],
    )
  expect(await refused(brand.post('/v3/pay/transactions/native', one))).toEqual([400, 'ORDER_CLOSED'])
  expect(await refused(brand.get(`/v3/pay/transactions/out-trade-no/NEVER1?mchid=${one.mchid}`))).toEqual([
    404,
    'ORDER_NOT_EXIST',
  ])
  expect(await refused(brand.post('/v3/pay/transactions/native', { ...order(), mchid: '1900000999' }))).toEqual([
    400,
    'PARAM_ERROR',
  ])
  const stranger = judgeFor({ ...credentialsOf(1), certSerial: 'BB' })
  expect(await refused(stranger.post('/v3/pay/transactions/native', order()))).toEqual([401, 'SIGN_ERROR'])
})

test('it would not believe our sandbox if that signed with another key', async () => {
  const other = createPublicKey(credentialsOf(0).privateKeyPem).export({ type: 'spki', format: 'pem' }) as string
  const doubting = judgeFor(credentialsOf(1), other)
  await expect(doubting.post('/v3/pay/transactions/native', order())).rejects.toMatchObject({
    code: 'EV3_RES_HEADER_SIGNATURE_DIGEST',
  })
})

test('it adds receivers, shares, asks, takes back, unfreezes and refunds', async () => {
  const one = order()
  await brand.post('/v3/pay/transactions/native', one)
  const transactionId = await payNow(one.mchid, one.out_trade_no)
  await stage.ctl('clock', { advanceMs: MINUTE })
  const receiver = { type: 'MERCHANT_ID', account: stage.platform.mchid }
  await brand.post('/v3/profitsharing/receivers/add', {
    appid: one.appid,
    ...receiver,
    relation_type: 'SERVICE_PROVIDER',
  })
  const [outOrderNo, outReturnNo] = [stage.fresh('JSH'), stage.fresh('JRT')]
  const share = {
    transaction_id: transactionId,
    out_order_no: outOrderNo,
    receivers: [{ ...receiver, amount: 5_000, description: '平台服务费' }],
    unfreeze_unsplit: false,
  }
  expect(await brand.post('/v3/profitsharing/orders', share)).toMatchObject({ state: 'PROCESSING' })
  const asked = `/v3/profitsharing/orders/${outOrderNo}?transaction_id=${transactionId}`
  expect(await brand.get(asked)).toMatchObject({ state: 'FINISHED', receivers: [{ amount: 5_000, result: 'SUCCESS' }] })
  const back = {
    out_order_no: outOrderNo,
    out_return_no: outReturnNo,
    return_mchid: stage.platform.mchid,
    amount: 2_000,
    description: '退回',
  }
  await brand.post('/v3/profitsharing/return-orders', back)
  expect(await brand.get(`/v3/profitsharing/return-orders/${outReturnNo}?out_order_no=${outOrderNo}`)).toMatchObject({
    result: 'SUCCESS',
    amount: 2_000,
  })
  const unfreeze = { transaction_id: transactionId, out_order_no: stage.fresh('JUF'), description: '完结' }
  await brand.post('/v3/profitsharing/orders/unfreeze', unfreeze)
  await brand.get(`/v3/profitsharing/orders/${unfreeze.out_order_no}?transaction_id=${transactionId}`)
  expect(await brand.get(`/v3/profitsharing/transactions/${transactionId}/amounts`)).toMatchObject({
    unsplit_amount: 0,
  })
  stage.letters.length = 0
  const amount = { refund: 40_000, total: 100_000, currency: 'CNY' }
  const refund = {
    transaction_id: transactionId,
    out_refund_no: stage.fresh('JRF'),
    notify_url: stage.notifyUrl,
    amount,
  }
  expect(await brand.post('/v3/refund/domestic/refunds', refund)).toMatchObject({ status: 'PROCESSING' })
  await untilHolds(() => stage.letters.length > 0)
  const { event, plain } = opened(credentialsOf(1).apiV3Key)
  expect([event, plain['refund_status'], plain['out_refund_no']]).toEqual([
    'REFUND.SUCCESS',
    'SUCCESS',
    refund.out_refund_no,
  ])
  expect(await brand.get(`/v3/refund/domestic/refunds/${refund.out_refund_no}`)).toMatchObject({ status: 'SUCCESS' })
  expect(await stage.ctl('conserved', {}, 'GET')).toMatchObject({ ok: true })
})

test('it places a combined payment and hears of all parts at once', async () => {
  const part = (mchid: string, total_amount: number) => ({
    mchid,
    attach: 'a',
    amount: { total_amount, currency: 'CNY' },
    out_trade_no: stage.fresh('JSB'),
    description: '福利卡',
    settle_info: { profit_sharing: true },
  })
  const combined = {
    combine_appid: stage.platform.appid,
    combine_mchid: stage.platform.mchid,
    combine_out_trade_no: stage.fresh('JCB'),
    scene_info: { payer_client_ip: '203.0.113.9' },
    sub_orders: [part(stage.brand.mchid, 60_000), part(stage.second.mchid, 40_000)],
    notify_url: stage.notifyUrl,
  }
  expect(await platform.post('/v3/combine-transactions/native', combined)).toMatchObject({
    code_url: expect.any(String),
  })
  stage.letters.length = 0
  await payNow(stage.platform.mchid, combined.combine_out_trade_no)
  await untilHolds(() => stage.letters.length > 0)
  const { plain } = opened(credentialsOf(0).apiV3Key)
  expect(plain['sub_orders']).toMatchObject([{ trade_state: 'SUCCESS' }, { trade_state: 'SUCCESS' }])
  expect(await platform.get(`/v3/combine-transactions/out-trade-no/${combined.combine_out_trade_no}`)).toEqual(plain)
})

test('it finds each request of our own client signed as it must be, and its parameters for a payer too', async () => {
  const wrong: string[] = []
  let seen = 0
  const watching: typeof globalThis.fetch = (url, init) => {
    const header = new Headers(init?.headers).get('authorization') ?? ''
    const get = (name: string): string => new RegExp(`${name}="(.*?)"`).exec(header)?.[1] ?? ''
    const { pathname, search } = new URL(url as string)
    const body = typeof init?.body === 'string' ? init.body : ''
    const text = Formatter.request(init?.method ?? '', pathname + search, get('timestamp'), get('nonce_str'), body)
    const sender = stage.credentials.find(({ mchid }) => mchid === get('mchid'))
    const key = createPublicKey(sender?.privateKeyPem ?? '').export({ type: 'spki', format: 'pem' }) as string
    seen += 1
    if (!Rsa.verify(text, get('signature'), key)) wrong.push(pathname)
    if (
      Formatter.authorization(get('mchid'), get('nonce_str'), get('signature'), get('timestamp'), get('serial_no'))
        .length !== header.length
    )
      wrong.push(header)
    return globalThis.fetch(url, init)
  }
  const pay = stage.adapter({ fetch: watching })
  const one = stage.wish({ product: 'jsapi', openid: 'oSandboxPayer0001' })
  const credential = await pay.prepare(one.merchant, one.product, pay.paymentBody(one))
  await pay.query(one.merchant, one.outTradeNo)
  const transactionId = await payNow(one.merchant.mchid, one.outTradeNo)
  const refund = { transactionId, outRefundNo: stage.fresh('REF'), reason: '退卡', refund: fen(1), total: one.total }
  await pay.refund(one.merchant, pay.refundBody(refund))
  await pay.queryShare(one.merchant, transactionId, 'NEVER')
  expect([seen, wrong]).toEqual([4, []])
  if (credential.kind !== 'jsapi') throw new Error(credential.kind)
  const told = await pay.jsapiParameters(one.merchant, credential.prepayId)
  const lines = Formatter.joinedByLineFeed(told.appId, told.timeStamp, told.nonceStr, told.package)
  const key = createPublicKey(credentialsOf(1).privateKeyPem).export({ type: 'spki', format: 'pem' }) as string
  expect(Rsa.verify(lines, told.paySign, key)).toBe(true)
})
