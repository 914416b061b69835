import { createSign } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { brand, merchantKeys, notifyUrl, openPayBox, type PayBox } from '../testing/pay-box.ts'

let box: PayBox
let prepayId = ''
beforeEach(async () => {
  box = await openPayBox()
  const { json } = await box.call(brand, 'POST', '/v3/pay/transactions/jsapi', {
    appid: 'wx1',
    mchid: brand,
    description: '节日礼品卡',
    out_trade_no: 'ORDER-1',
    notify_url: notifyUrl,
    amount: { total: 12_345 },
    payer: { openid: 'oPayer' },
  })
  prepayId = String(json['prepay_id'])
})

/** What a page hands to getBrandWCPayRequest, with who holds the phone. */
function handed(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const given = { appId: 'wx1', timeStamp: '1767578400', nonceStr: 'n1', package: `prepay_id=${prepayId}` }
  const text = `${given.appId}\n${given.timeStamp}\n${given.nonceStr}\n${given.package}\n`
  const paySign = createSign('RSA-SHA256').update(text).sign(merchantKeys.privatePem, 'base64')
  return { ...given, signType: 'RSA', paySign, openid: 'oPayer', ...more }
}
const ask = (path: string, body: unknown) =>
  box.fetch(`http://pay.test/jsapi/${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const told = async (path: string, more?: Readonly<Record<string, string>>) =>
  (await ask(path, handed(more))).json() as Promise<Readonly<Record<string, unknown>>>
const state = async () =>
  (await box.call(brand, 'GET', `/v3/pay/transactions/out-trade-no/ORDER-1?mchid=${brand}`)).json['trade_state']

test('the sheet shows who gets how much, and one tap pays and is told of', async () => {
  expect(await told('sheet')).toEqual({ amount: 12_345, payee: '商户2', description: '节日礼品卡', state: 'NOTPAY' })
  expect(await told('pay')).toEqual({ paid: true, message: '支付成功' })
  await box.clock.advance(0)
  expect(await state()).toBe('SUCCESS')
  expect(box.heard.map((one) => [one.eventType, one.plain['out_trade_no']])).toEqual([
    ['TRANSACTION.SUCCESS', 'ORDER-1'],
  ])
  expect(await told('pay')).toMatchObject({ paid: true, message: '该订单已支付' })
})

test('who leaves the sheet, or may not pay so much, has not paid and may try again', async () => {
  for (const outcome of ['cancel', 'bank_limit']) expect(await told('pay', { outcome })).toMatchObject({ paid: false })
  expect(await state()).toBe('NOTPAY')
  expect(await told('pay')).toMatchObject({ paid: true })
})

test.each([
  ['another person', { openid: 'oSomebody' }, '不是下单的付款人'],
  ['a changed value', { nonceStr: 'n2' }, 'paySign'],
  ['another app', { appId: 'wx2' }, 'appId'],
  ['no such order', { package: 'prepay_id=wx0' }, 'prepay_id'],
  ['another signature kind', { signType: 'MD5' }, 'signType'],
])('neither sheet nor payment for %s', async (_name, more, why) => {
  expect(String((await told('sheet', more))['refused'])).toContain(why)
  expect(String((await told('pay', more))['message'])).toContain(why)
  expect(await state()).toBe('NOTPAY')
})

test('nonsense is refused', async () => {
  for (const body of ['', '{', '{}', JSON.stringify(handed({ outcome: 'free' }))])
    expect((await ask('pay', body)).status).toBe(400)
})
