import { createVerify } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMerchant, type TestMerchant } from '../testing/merchant.ts'
import type { WechatPaySandbox } from './server.ts'

let shop: TestMerchant
let sandbox: WechatPaySandbox
const base = '/v3/pay/transactions'
const order = {
  appid: 'wx1',
  mchid: '1900000001',
  description: '福利卡',
  out_trade_no: 'ORDER-0001',
  notify_url: 'http://127.0.0.1:9/notice',
  amount: { total: 100 },
}

const call: TestMerchant['call'] = (...asked) => shop.call(...asked)

async function signedText(response: Response): Promise<string> {
  const text = await response.text()
  const get = (name: string): string => response.headers.get(`wechatpay-${name}`) ?? ''
  const lines = `${get('timestamp')}\n${get('nonce')}\n${text}\n`
  expect(get('serial')).toBe(sandbox.platformPublicKeyId)
  const verify = createVerify('RSA-SHA256').update(lines)
  expect(verify.verify(sandbox.platformPublicKeyPem, get('signature'), 'base64')).toBe(true)
  return text
}

beforeAll(async () => {
  shop = await startMerchant()
  sandbox = shop.sandbox
})
afterAll(() => shop.close())

test('every 2xx is signed, 204 over an empty body; rejections carry no signature', async () => {
  expect(await signedText(await call('POST', `${base}/native`, order))).toContain('code_url')
  const closed = await call('POST', `${base}/out-trade-no/ORDER-0001/close`, { mchid: '1900000001' })
  expect(closed.status).toBe(204)
  expect(await signedText(closed)).toBe('')
  const late = await call('GET', `${base}/out-trade-no/ORDER-0001?mchid=1900000001`, undefined, Date.now() - 400_000)
  expect(late.status).toBe(401)
  expect([...late.headers.keys()].filter((name) => name.startsWith('wechatpay-'))).toEqual([])
  expect((await fetch(`${sandbox.baseUrl}${base}/native`, { method: 'POST' })).status).toBe(401)
})

test('unknown paths are 404 and wrong methods 405, both with an empty body', async () => {
  const [path, method] = [await call('GET', '/v3/nothing'), await call('DELETE', `${base}/native`)]
  expect([path.status, await path.text(), method.status, await method.text()]).toEqual([404, '', 405, ''])
})

test('unknown fields are refused and pointed at', async () => {
  const response = await call('POST', `${base}/native`, { ...order, amount: { total: 1, totl: 2 } })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'PARAM_ERROR', detail: { value: ['/amount/totl'] } })
})

test('a paid trade is found by its id and a payment from the page counts', async () => {
  await call('POST', `${base}/native`, { ...order, out_trade_no: 'ORDER-0002' })
  const page = `${sandbox.baseUrl}/cashier/ORDER-0002?mchid=1900000001`
  const refused = await fetch(page, { method: 'POST', body: 'outcome=bank_limit' })
  expect(await refused.text()).toContain('超出银行卡支付限额')
  const paid = await fetch(page, { method: 'POST', body: 'outcome=success' })
  expect(await paid.text()).toContain('支付成功')
  const query = await call('GET', `${base}/out-trade-no/ORDER-0002?mchid=1900000001`)
  const trade = (await query.json()) as { transaction_id: string }
  const byId = await call('GET', `${base}/id/${trade.transaction_id}?mchid=1900000001`)
  expect(await byId.json()).toMatchObject({ out_trade_no: 'ORDER-0002', trade_state: 'SUCCESS' })
})
