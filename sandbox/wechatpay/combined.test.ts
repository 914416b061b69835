import { createSign } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  brand,
  channel,
  merchantKeys,
  notifyUrl,
  openPayBox,
  otherBrand,
  platform,
  type PayBox,
} from '../testing/pay-box.ts'

const base = '/v3/combine-transactions'
let box: PayBox
beforeEach(async () => {
  box = await openPayBox()
})

const part = (mchid: string, no: string, fen: number) => ({
  mchid,
  out_trade_no: no,
  description: `卡 ${no}`,
  attach: no,
  amount: { total_amount: fen, currency: 'CNY' },
  settle_info: { profit_sharing: true },
})
const two = [part(brand, 'PART-0001', 6_000), part(otherBrand, 'PART-0002', 4_000)]
const bodyOf = (no: string, more: object = {}) => ({
  combine_appid: 'wx1',
  combine_mchid: platform,
  combine_out_trade_no: no,
  sub_orders: two,
  scene_info: { payer_client_ip: '203.0.113.7' },
  notify_url: notifyUrl,
  ...more,
})
const place = (no: string, more: object = {}, product = 'native') =>
  box.call(platform, 'POST', `${base}/${product}`, bodyOf(no, more))
const query = (no: string, mchid: string = platform) => box.call(mchid, 'GET', `${base}/out-trade-no/${no}`)
const close = (no: string, parts: object[], more: object = {}) =>
  box.call(platform, 'POST', `${base}/out-trade-no/${no}/close`, {
    combine_appid: 'wx1',
    sub_orders: parts,
    ...more,
  })
const names = two.map(({ mchid, out_trade_no }) => ({ mchid, out_trade_no }))
const code = (answer: { status: number; json: Record<string, unknown> }) => [answer.status, answer.json['code']]

describe('paying', () => {
  test('all parts are paid by one move, and told in one notice that the initiator can read', async () => {
    expect(Object.keys((await place('COMB-0001')).json)).toEqual(['code_url'])
    expect((await query('COMB-0001')).json).toEqual({
      combine_appid: 'wx1',
      combine_mchid: platform,
      combine_out_trade_no: 'COMB-0001',
      sub_orders: two.map((one) => ({
        mchid: one.mchid,
        out_trade_no: one.out_trade_no,
        trade_state: 'NOTPAY',
        attach: one.attach,
        amount: one.amount,
      })),
    })
    await box.pay(platform, 'COMB-0001')
    const { json } = await query('COMB-0001')
    const parts = json['sub_orders'] as Record<string, unknown>[]
    expect(parts.map((one) => [one['mchid'], one['trade_state'], one['trade_type']])).toEqual([
      [brand, 'SUCCESS', 'NATIVE'],
      [otherBrand, 'SUCCESS', 'NATIVE'],
    ])
    expect(parts[0]?.['amount']).toEqual({
      total_amount: 6_000,
      payer_amount: 6_000,
      currency: 'CNY',
      payer_currency: 'CNY',
    })
    expect(new Set(parts.map((one) => one['transaction_id'])).size).toBe(2)
    expect(box.heard.map((one) => [one.mchid, one.eventType, one.originalType])).toEqual([
      [platform, 'TRANSACTION.SUCCESS', 'transaction'],
    ])
    expect(box.heard[0]?.plain).toEqual(json)
  })

  test('a failure leaves every part unpaid; the number of a part leads to the whole', async () => {
    await place('COMB-0001')
    await box.pay(platform, 'COMB-0001', 'bank_limit')
    await box.pay(otherBrand, 'PART-0002', 'no_money')
    const states = async () =>
      ((await query('COMB-0001')).json['sub_orders'] as Record<string, unknown>[]).map((one) => one['trade_state'])
    expect([await states(), box.heard]).toEqual([['NOTPAY', 'NOTPAY'], []])
    await box.pay(otherBrand, 'PART-0002')
    expect([await states(), box.heard.length]).toEqual([['SUCCESS', 'SUCCESS'], 1])
  })

  test('each part is money of its merchant, which shares and refunds it by its own transaction', async () => {
    await place('COMB-0001')
    await box.pay(platform, 'COMB-0001')
    const [first, second] = [...box.world.trades.values()]
    expect([first, second].map((one) => [one?.mchid, one?.total])).toEqual([
      [brand, 6_000],
      [otherBrand, 4_000],
    ])
    const left = (mchid: string, id: string | null | undefined) =>
      box.call(mchid, 'GET', `/v3/profitsharing/transactions/${id}/amounts`)
    expect((await left(brand, first?.transactionId)).status).toBe(200)
    expect((await left(platform, first?.transactionId)).status).not.toBe(200)
    const refund = {
      transaction_id: second?.transactionId,
      out_refund_no: 'R1',
      amount: { refund: 4_000, total: 4_000, currency: 'CNY' },
    }
    expect((await box.call(platform, 'POST', '/v3/refund/domestic/refunds', refund)).status).not.toBe(200)
    expect((await box.call(otherBrand, 'POST', '/v3/refund/domestic/refunds', refund)).status).toBe(200)
    const parts = (await query('COMB-0001')).json['sub_orders'] as Record<string, unknown>[]
    expect(parts.map((one) => one['trade_state'])).toEqual(['SUCCESS', 'REFUND'])
  })

  test('JSAPI is for its payer and entered with arguments that its initiator signed; H5 by its address', async () => {
    const payer = { combine_payer_info: { openid: 'oPayer' } }
    expect(code(await place('COMB-0001', {}, 'jsapi'))).toEqual([400, 'PARAM_ERROR'])
    const prepayId = String((await place('COMB-0001', payer, 'jsapi')).json['prepay_id'])
    const signed = (over: Partial<Record<string, string>> = {}) => {
      const args: Record<string, string> = {
        appId: 'wx1',
        timeStamp: '1767578400',
        nonceStr: 'n',
        package: `prepay_id=${prepayId}`,
      }
      const paySign = createSign('RSA-SHA256')
        .update(`${Object.values(args).join('\n')}\n`)
        .sign(merchantKeys.privatePem, 'base64')
      const query = new URLSearchParams({ ...args, signType: 'RSA', paySign, ...over } as Record<string, string>)
      return box.fetch(`http://pay.test/jsapi?${query.toString()}`)
    }
    expect((await signed()).headers.get('location')).toBe(`/cashier/COMB-0001?mchid=${platform}`)
    for (const wrong of [
      { appId: 'wx2' },
      { timeStamp: '1767578401' },
      { package: 'prepay_id=wx1' },
      { signType: 'MD5' },
    ])
      expect([wrong, (await signed(wrong)).status]).toEqual([wrong, 404])
    expect(await box.pay(platform, 'COMB-0001', 'success', 'oOther')).toMatchObject({ state: 'NOTPAY' })
    const h5 = { scene_info: { payer_client_ip: '203.0.113.7', h5_info: { type: 'iOS' } } }
    const others = [part(brand, 'PART-0003', 1), part(otherBrand, 'PART-0004', 2)]
    const address = String((await place('COMB-0002', { ...h5, sub_orders: others }, 'h5')).json['h5_url'])
    const back = 'https://shop.test/done?order=1'
    const opened = await box.fetch(`${address}&redirect_url=${encodeURIComponent(back)}`)
    const page = await box.fetch(`http://pay.test${opened.headers.get('location')}`)
    expect(await page.text()).toContain('分给 2 个商户')
    await box.pay(platform, 'COMB-0002')
    const after = await box.fetch(`http://pay.test${opened.headers.get('location')}`)
    expect(await after.text()).toContain('href="https://shop.test/done?order=1"')
    const crooked = await box.fetch(
      `http://pay.test/cashier/COMB-0002?mchid=${platform}&redirect_url=javascript:alert(1)`,
    )
    expect(await crooked.text()).not.toContain('javascript:')
  })
})

describe('what is refused', () => {
  test('fewer than two parts, more than ten, a part without what it needs, or fields that nobody knows', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => part(brand, `PART-${1000 + index}`, 1))
    expect(code(await place('COMB-0001', { sub_orders: many(1) }))).toEqual([400, 'PARAM_ERROR'])
    expect(code(await place('COMB-0001', { sub_orders: many(11) }))).toEqual([400, 'PARAM_ERROR'])
    const { attach: _attach, ...bare } = two[0]!
    expect(code(await place('COMB-0001', { sub_orders: [bare, two[1]] }))).toEqual([400, 'PARAM_ERROR'])
    expect((await place('COMB-0001', { sub_orders: [{ ...two[0], tip: 1 }, two[1]] })).json['detail']).toMatchObject({
      value: ['/sub_orders/0/tip'],
    })
    expect(code(await place('COMB-0001', { scene_info: undefined }))).toEqual([400, 'PARAM_ERROR'])
    const dear = [part(brand, 'PART-0001', 1_000_000_001), two[1]]
    expect(code(await place('COMB-0001', { sub_orders: dear }))).toEqual([400, 'PARAM_ERROR'])
    expect((await place('COMB-0001', { sub_orders: many(10) })).status).toBe(200)
  })

  test('parts of merchants that are not bound to the app, do not exist or may not take part; who may not start one', async () => {
    const own = { combine_appid: `wxown${platform}` }
    expect(code(await place('COMB-0001', own))).toEqual([400, 'APPID_MCHID_NOT_MATCH'])
    const nobody = [part('1999999999', 'PART-0001', 1), two[1]]
    expect(code(await place('COMB-0001', { sub_orders: nobody }))).toEqual([400, 'MCH_NOT_EXISTS'])
    const may = (mchid: string, permissions: ('pay' | 'combine_start' | 'combine_receive')[]) =>
      box.world.merchants.set(mchid, { ...box.world.merchants.get(mchid)!, permissions })
    may(otherBrand, ['pay', 'combine_start'])
    expect(code(await place('COMB-0001'))).toEqual([403, 'NO_AUTH'])
    may(otherBrand, ['pay', 'combine_receive'])
    may(platform, ['pay', 'combine_receive'])
    expect(code(await place('COMB-0001'))).toEqual([403, 'NO_AUTH'])
    may(platform, ['combine_start'])
    expect((await place('COMB-0001')).status).toBe(200)
    expect(code(await box.call(channel, 'POST', `${base}/native`, bodyOf('COMB-0002')))).toEqual([400, 'PARAM_ERROR'])
  })

  test('a repeat that differs; numbers of parts that are taken; and what is closed or paid', async () => {
    await place('COMB-0001')
    expect((await place('COMB-0001')).status).toBe(200)
    const unflagged = [{ ...two[0], settle_info: { profit_sharing: false } }, two[1]]
    expect(code(await place('COMB-0001', { sub_orders: unflagged }))).toEqual([403, 'OUT_TRADE_NO_USED'])
    expect(code(await place('COMB-0002'))).toEqual([403, 'OUT_TRADE_NO_USED'])
    const twins = [part(brand, 'PART-0009', 1), part(brand, 'PART-0009', 1)]
    expect(code(await place('COMB-0002', { sub_orders: twins }))).toEqual([403, 'OUT_TRADE_NO_USED'])
    expect((await query('COMB-0002')).status).toBe(404)
    await box.pay(platform, 'COMB-0001')
    expect(code(await place('COMB-0001'))).toEqual([400, 'INVALID_REQUEST'])
  })
})

describe('the ordinary calls', () => {
  test('do not see a part, unpaid or paid, by number or transaction, and cannot close it', async () => {
    await place('COMB-0001')
    const plain = '/v3/pay/transactions'
    const byNumber = () => box.call(brand, 'GET', `${plain}/out-trade-no/PART-0001?mchid=${brand}`)
    const shut = () => box.call(brand, 'POST', `${plain}/out-trade-no/PART-0001/close`, { mchid: brand })
    expect([code(await byNumber()), code(await shut())]).toEqual([
      [404, 'ORDER_NOT_EXIST'],
      [404, 'ORDER_NOT_EXIST'],
    ])
    await box.pay(platform, 'COMB-0001')
    const id = [...box.world.trades.values()][0]?.transactionId
    const byId = await box.call(brand, 'GET', `${plain}/id/${id}?mchid=${brand}`)
    expect([code(await byNumber()), code(byId)]).toEqual([
      [404, 'ORDER_NOT_EXIST'],
      [404, 'ORDER_NOT_EXIST'],
    ])
    expect(code(await query('COMB-0001', brand))).toEqual([404, 'ORDER_NOT_EXIST'])
  })
})

describe('closing', () => {
  test('takes exactly the parts of the order, in any order, and closes all of them', async () => {
    await place('COMB-0001')
    for (const parts of [
      [names[0]!, { mchid: otherBrand, out_trade_no: 'PART-0009' }],
      [names[0]!, names[0]!],
      [...names, { mchid: brand, out_trade_no: 'PART-0009' }],
    ])
      expect(code(await close('COMB-0001', parts))).toEqual([400, 'INVALID_REQUEST'])
    expect(code(await close('COMB-0001', names, { combine_appid: 'wx2' }))).toEqual([400, 'APPID_MCHID_NOT_MATCH'])
    expect(code(await close('COMB-0009', names))).toEqual([404, 'ORDER_NOT_EXIST'])
    const closed = await close('COMB-0001', [...names].reverse())
    expect([closed.status, closed.text]).toEqual([204, ''])
    expect((await close('COMB-0001', names)).status).toBe(204)
    expect([...box.world.trades.values()].map((one) => one.state)).toEqual(['CLOSED', 'CLOSED'])
    expect(await box.pay(platform, 'COMB-0001')).toMatchObject({ state: 'CLOSED' })
    expect(code(await place('COMB-0001'))).toEqual([400, 'ORDER_CLOSED'])
  })

  test('is too late after the payment; and comes by itself when its time is over', async () => {
    await place('COMB-0001')
    await box.pay(platform, 'COMB-0001')
    expect(code(await close('COMB-0001', names))).toEqual([400, 'INVALID_REQUEST'])
    const others = [part(brand, 'PART-0003', 1), part(otherBrand, 'PART-0004', 2)]
    await place('COMB-0002', { sub_orders: others })
    await box.clock.advance(7 * 86_400_000)
    const parts = (await query('COMB-0002')).json['sub_orders'] as Record<string, unknown>[]
    expect(parts.map((one) => one['trade_state'])).toEqual(['CLOSED', 'CLOSED'])
  })
})
