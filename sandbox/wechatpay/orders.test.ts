import { beforeEach, describe, expect, test } from 'vitest'
import { boxMerchants, brand, notifyUrl, openPayBox, platform, type PayBox } from '../testing/pay-box.ts'

const base = '/v3/pay/transactions'
const MINUTE_MS = 60_000
let box: PayBox
beforeEach(async () => {
  box = await openPayBox()
})

const bodyOf = (no: string, more: object = {}) => ({
  appid: 'wx1',
  mchid: brand,
  description: '福利卡',
  out_trade_no: no,
  notify_url: notifyUrl,
  amount: { total: 100 },
  ...more,
})
const extras = {
  native: {},
  jsapi: { payer: { openid: 'oPayer' } },
  h5: { scene_info: { payer_client_ip: '203.0.113.7', h5_info: { type: 'Wap' } } },
} as const
const place = (no: string, more: object = {}, product: keyof typeof extras = 'native') =>
  box.call(brand, 'POST', `${base}/${product}`, bodyOf(no, { ...extras[product], ...more }))
const query = (no: string) => box.call(brand, 'GET', `${base}/out-trade-no/${no}?mchid=${brand}`)
const close = (no: string) => box.call(brand, 'POST', `${base}/out-trade-no/${no}/close`, { mchid: brand })
const code = (answer: { status: number; json: Record<string, unknown> }) => [answer.status, answer.json['code']]

describe('placing', () => {
  test('each product answers its own credential, and is told with its own trade type', async () => {
    const told: unknown[] = []
    for (const product of ['native', 'jsapi', 'h5'] as const) {
      const no = `ORDER-${product}`
      const { json } = await place(no, {}, product)
      told.push(Object.keys(json))
      await box.pay(brand, no, 'success', 'oPayer')
      told.push((await query(no)).json['trade_type'])
    }
    expect(told).toEqual([['code_url'], 'NATIVE', ['prepay_id'], 'JSAPI', ['h5_url'], 'MWEB'])
    const { json } = await place('ORDER-0009', {}, 'jsapi')
    expect(String(json['prepay_id'])).toMatch(/^wx[0-9a-f]{1,62}$/)
  })

  test('what a product needs is demanded, and what it does not know is refused with a pointer', async () => {
    const wrong: [keyof typeof extras, object, string][] = [
      ['native', { payer: { openid: 'o' } }, '/payer'],
      ['jsapi', { payer: undefined }, '/payer'],
      ['h5', { scene_info: undefined }, '/scene_info'],
      ['h5', { scene_info: { payer_client_ip: '127.0.0.1', h5_info: { type: 'Wap' } } }, '/scene_info/payer_client_ip'],
      ['h5', { scene_info: { payer_client_ip: '203.0.113.7' } }, '/scene_info/h5_info'],
      ['native', { amount: { total: 0 } }, '/amount/total'],
      ['native', { amount: { total: 1.5 } }, '/amount/total'],
      ['native', { amount: { total: 1_000_000_001 } }, '/amount/total'],
      ['native', { amount: { total: 1, currency: 'USD' } }, '/amount/currency'],
      ['native', { description: 'x'.repeat(128) }, '/description'],
      ['native', { out_trade_no: 'short' }, '/out_trade_no'],
      ['native', { notify_url: 'https://merchant.test/n?x=1' }, '/notify_url'],
      ['native', { time_expire: '2026-01-06 10:00:00' }, '/time_expire'],
      ['native', { settle_info: { profit_sharing: 'true' } }, '/settle_info/profit_sharing'],
      ['native', { attach: null }, '/attach'],
    ]
    for (const [product, more, field] of wrong) {
      const answer = await place('ORDER-0001', more, product)
      expect([product, field, code(answer), answer.json['detail']]).toEqual([
        product,
        field,
        [400, 'PARAM_ERROR'],
        expect.objectContaining({ field, location: 'body' }),
      ])
    }
    expect((await query('ORDER-0001')).status).toBe(404)
    expect((await place('ORDER-0001', { amount: { total: 1_000_000_000 } })).status).toBe(200)
  })

  test('a merchant orders under every app that it is bound to, and under no other; for itself; and only if it may', async () => {
    expect((await place('ORDER-0001', { appid: `wxown${brand}` })).status).toBe(200)
    expect(code(await place('ORDER-0002', { appid: `wxown${platform}` }))).toEqual([400, 'APPID_MCHID_NOT_MATCH'])
    expect(code(await place('ORDER-0003', { mchid: platform }))).toEqual([400, 'PARAM_ERROR'])
    box.world.merchants.set(brand, { ...box.world.merchants.get(brand)!, permissions: [] })
    expect(code(await place('ORDER-0004'))).toEqual([403, 'NO_AUTH'])
  })

  test('the same number is one order per merchant', async () => {
    await place('ORDER-0001')
    const other = bodyOf('ORDER-0001', { mchid: platform })
    expect((await box.call(platform, 'POST', `${base}/native`, other)).status).toBe(200)
    await box.pay(brand, 'ORDER-0001')
    expect((await query('ORDER-0001')).json['trade_state']).toBe('SUCCESS')
    const own = await box.call(platform, 'GET', `${base}/out-trade-no/ORDER-0001?mchid=${platform}`)
    expect(own.json['trade_state']).toBe('NOTPAY')
  })
})

describe('the repeat rule', () => {
  test('the same parameters, in any order of their keys, give a fresh credential, and the old one dies', async () => {
    const first = String((await place('ORDER-0001')).json['code_url'])
    const turned = Object.fromEntries(Object.entries(bodyOf('ORDER-0001')).reverse())
    const second = String((await box.call(brand, 'POST', `${base}/native`, turned)).json['code_url'])
    expect(second).not.toBe(first)
    const scan = async (url: string) =>
      (await box.fetch(`http://pay.test/scan?code_url=${encodeURIComponent(url)}`)).status
    expect([await scan(first), await scan(second)]).toEqual([404, 302])
  })

  test('any other parameter or product is refused and changes nothing', async () => {
    await place('ORDER-0001', { attach: 'a' })
    for (const more of [{ attach: 'b' }, { attach: 'a', amount: { total: 101 } }, {}]) {
      expect(code(await place('ORDER-0001', more))).toEqual([403, 'OUT_TRADE_NO_USED'])
    }
    expect(code(await place('ORDER-0001', { attach: 'a' }, 'jsapi'))).toEqual([403, 'OUT_TRADE_NO_USED'])
    expect((await query('ORDER-0001')).json['amount']).toEqual({ total: 100, currency: 'CNY' })
  })

  test('what is paid or closed is never ordered again', async () => {
    await place('ORDER-0001')
    await box.pay(brand, 'ORDER-0001')
    expect(code(await place('ORDER-0001'))).toEqual([400, 'INVALID_REQUEST'])
    await place('ORDER-0002')
    expect((await close('ORDER-0002')).status).toBe(204)
    expect(code(await place('ORDER-0002'))).toEqual([400, 'ORDER_CLOSED'])
    expect((await close('ORDER-0003')).status).toBe(204)
    expect(code(await place('ORDER-0003'))).toEqual([400, 'ORDER_CLOSED'])
    expect((await close('ORDER-0002')).status).toBe(204)
    expect(code(await close('ORDER-0001'))).toEqual([400, 'INVALID_REQUEST'])
  })
})

describe('time', () => {
  const chinaText = (ms: number) => `${new Date(ms + 28_800_000).toISOString().slice(0, 19)}+08:00`
  const isOpen = async (no: string) => (await query(no)).json['trade_state'] === 'NOTPAY'

  test('an order closes when it said, after a minute at the least, and after seven days at the most', async () => {
    const now = box.clock.now()
    await place('ORDER-HOUR', { time_expire: chinaText(now + 60 * MINUTE_MS) })
    await place('ORDER-PAST', { time_expire: chinaText(now - 60 * MINUTE_MS) })
    await place('ORDER-YEAR', { time_expire: chinaText(now + 365 * 1440 * MINUTE_MS) })
    await place('ORDER-NONE')
    const open = async () =>
      Promise.all(['ORDER-PAST', 'ORDER-HOUR', 'ORDER-YEAR', 'ORDER-NONE'].map((no) => isOpen(no)))
    await box.clock.advance(MINUTE_MS - 1)
    expect(await open()).toEqual([true, true, true, true])
    await box.clock.advance(1)
    expect(await open()).toEqual([false, true, true, true])
    await box.clock.advance(59 * MINUTE_MS)
    expect(await open()).toEqual([false, false, true, true])
    await box.clock.advance(7 * 1440 * MINUTE_MS - 60 * MINUTE_MS - 1)
    expect(await open()).toEqual([false, false, true, true])
    await box.clock.advance(1)
    expect(await open()).toEqual([false, false, false, false])
    expect(await box.pay(brand, 'ORDER-NONE')).toMatchObject({ state: 'CLOSED', message: '该订单已关闭' })
  })

  test('a QR code lets in for two hours, an H5 address for five minutes; ordering again renews them', async () => {
    const codeUrl = (await place('ORDER-0001')).json['code_url']
    const h5Url = (await place('ORDER-0002', {}, 'h5')).json['h5_url']
    const enter = async (url: unknown) => (await box.fetch(String(url))).status
    const scan = () => enter(`http://pay.test/scan?code_url=${encodeURIComponent(String(codeUrl))}`)
    await box.clock.advance(5 * MINUTE_MS - 1)
    expect([await scan(), await enter(h5Url)]).toEqual([302, 302])
    await box.clock.advance(1)
    expect([await scan(), await enter(h5Url)]).toEqual([302, 404])
    expect(await enter((await place('ORDER-0002', {}, 'h5')).json['h5_url'])).toBe(302)
    await box.clock.advance(115 * MINUTE_MS)
    expect(await scan()).toBe(404)
    expect(await isOpen('ORDER-0001')).toBe(true)
  })
})

describe('paying', () => {
  test('every failure leaves the order open for the same payer, and for nobody else', async () => {
    await place('ORDER-0001')
    for (const outcome of ['bank_limit', 'no_money', 'cancel', 'risk']) {
      expect(await box.pay(brand, 'ORDER-0001', outcome, 'oOne')).toMatchObject({ state: 'NOTPAY' })
      expect((await query('ORDER-0001')).json['trade_state']).toBe('NOTPAY')
    }
    expect(await box.pay(brand, 'ORDER-0001', 'success', 'oTwo')).toMatchObject({ state: 'NOTPAY' })
    expect(box.heard).toEqual([])
    expect(await box.pay(brand, 'ORDER-0001', 'success', 'oOne')).toMatchObject({ state: 'SUCCESS' })
    expect(box.heard).toHaveLength(1)
  })

  test('a JSAPI order is for the payer that it names', async () => {
    await place('ORDER-0001', {}, 'jsapi')
    expect(await box.pay(brand, 'ORDER-0001', 'success', 'oStranger')).toMatchObject({ state: 'NOTPAY' })
    expect(await box.pay(brand, 'ORDER-0001', 'success', 'oPayer')).toMatchObject({ state: 'SUCCESS' })
  })

  test('before the payment there is no transaction; afterwards it is found by it, by its merchant alone', async () => {
    await place('ORDER-0001', { attach: 'mark' })
    const before = (await query('ORDER-0001')).json
    expect(Object.keys(before).sort()).toEqual(
      ['amount', 'appid', 'mchid', 'out_trade_no', 'trade_state', 'trade_state_desc'].sort(),
    )
    await box.pay(brand, 'ORDER-0001')
    const after = (await query('ORDER-0001')).json
    expect(after).toMatchObject({ attach: 'mark', amount: { total: 100, payer_total: 100, currency: 'CNY' } })
    const id = String(after['transaction_id'])
    expect(id).toMatch(/^42000\d{5}20260105\d{10}$/)
    expect((await box.call(brand, 'GET', `${base}/id/${id}?mchid=${brand}`)).json).toEqual(after)
    expect(code(await box.call(platform, 'GET', `${base}/id/${id}?mchid=${platform}`))).toEqual([
      404,
      'ORDER_NOT_EXIST',
    ])
    expect(code(await box.call(platform, 'GET', `${base}/id/${id}?mchid=${brand}`))).toEqual([400, 'PARAM_ERROR'])
  })

  test('once a refund was asked for, the query says REFUND and the notice still SUCCESS', async () => {
    await place('ORDER-0001')
    box.answers.push(500)
    await box.pay(brand, 'ORDER-0001')
    const { transactionId } = [...box.world.trades.values()][0]!
    const refund = {
      transaction_id: transactionId,
      out_refund_no: 'R1',
      amount: { refund: 1, total: 100, currency: 'CNY' },
    }
    const asked = await box.call(brand, 'POST', '/v3/refund/domestic/refunds', refund)
    expect(asked.status).toBe(200)
    expect((await query('ORDER-0001')).json).toMatchObject({ trade_state: 'REFUND', transaction_id: transactionId })
    await box.clock.advance(15_000)
    const paid = box.heard.filter((one) => one.eventType === 'TRANSACTION.SUCCESS')
    expect(paid.map((one) => one.plain['trade_state'])).toEqual(['SUCCESS', 'SUCCESS'])
  })
})

test('apps are counted: one and 49 more at the most', async () => {
  const { verifyBy: _v, permissions: _p, ...merchant } = box.world.merchants.get(brand)!
  const apps = (count: number) => Array.from({ length: count }, (_, index) => `wx${index}`)
  await box.ctl('merchants', { ...merchant, appids: apps(49) })
  await expect(box.ctl('merchants', { ...merchant, appids: apps(50) })).rejects.toThrow('400')
  expect(boxMerchants).toContain(merchant.mchid)
})
