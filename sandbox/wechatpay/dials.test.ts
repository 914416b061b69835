import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startMerchant, type TestMerchant } from '../testing/merchant.ts'
import { brand, notifyUrl, openPayBox, signedBy, type HeardNotice, type PayBox } from '../testing/pay-box.ts'
import { payDials } from './dials.ts'
import { faultKinds } from './state.ts'

let shop: TestMerchant
beforeEach(async () => {
  shop = await startMerchant()
})
afterEach(() => shop.close())

const queryOf = (no: string, mchid = '1900000001') => `/v3/pay/transactions/out-trade-no/${no}?mchid=${mchid}`
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !holds(); i += 1) await sleep(10)
  expect(holds()).toBe(true)
}
const form = (path: string, fields: Record<string, string>) =>
  fetch(shop.sandbox.baseUrl + path, { method: 'POST', body: new URLSearchParams(fields) })

test('the page has a dial for every kind of fault, once', () => {
  const dials = payDials.flatMap((group) => group.dials.map((dial) => dial.kind))
  expect([...dials].sort()).toEqual([...faultKinds].sort())
})

/** The box, and its orders under numbers that count up. */
async function aShop() {
  const box = await openPayBox()
  let serial = 0
  const order = async (): Promise<string> => {
    const no = `ORDER-${String((serial += 1)).padStart(4, '0')}`
    const body = { appid: 'wx1', mchid: brand, description: '福利卡', out_trade_no: no, notify_url: notifyUrl }
    const { status } = await box.call(brand, 'POST', '/v3/pay/transactions/native', { ...body, amount: { total: 100 } })
    expect(status).toBe(200)
    return no
  }
  const told = () => box.heard.map((one) => one.plain['out_trade_no'])
  return { box, order, told, query: (no: string) => box.call(brand, 'GET', queryOf(no, brand)) }
}
/** How a notice looked to a merchant when it came. */
function looks(box: PayBox, { headers, body, atMs }: HeardNotice) {
  const get = (name: string) => new Headers(headers).get(name)
  return {
    signed: signedBy(get, body, box.world.key.publicPem),
    probe: get('Wechatpay-Signature')!.startsWith('WECHATPAY/SIGNTEST/'),
    ageMs: atMs - Number(get('Wechatpay-Timestamp')) * 1000,
  }
}

test('notices that are reordered come the newest first, and none is lost when too few come', async () => {
  const { box, order, told } = await aShop()
  const [first, second, third] = [await order(), await order(), await order()]
  await box.ctl('faults', { kind: 'notice_reorder', times: 2 })
  await box.pay(brand, first)
  expect(told()).toEqual([])
  await box.pay(brand, second)
  expect(told()).toEqual([second, first])
  await box.ctl('faults', { kind: 'notice_reorder', times: 2 })
  await box.pay(brand, third)
  expect(told()).toHaveLength(2)
  await box.ctl('clock', { advanceMs: 10_000 })
  expect(told()).toEqual([second, first, third])
})

test('a lost notice never comes, however far the clock is moved', async () => {
  const { box, order, told, query } = await aShop()
  await box.ctl('faults', { kind: 'notice_lose' })
  const no = await order()
  await box.pay(brand, no)
  await box.ctl('clock', { advanceMs: 86_400_000 })
  expect(told()).toEqual([])
  expect((await query(no)).json).toMatchObject({ trade_state: 'SUCCESS' })
})

test('crooked notices are followed by a straight one', async () => {
  const { box, order } = await aShop()
  for (const kind of ['notice_wrong_signature', 'notice_wrong_signature_probe', 'notice_stale']) {
    await box.ctl('faults', { kind })
    box.heard.length = 0
    box.answers.push(401)
    await box.pay(brand, await order())
    await box.ctl('clock', { advanceMs: 15_000 })
    const [crooked, straight, ...more] = box.heard.map((one) => looks(box, one))
    expect(more).toEqual([])
    expect([kind, crooked?.signed, crooked?.probe, crooked!.ageMs > 300_000]).toEqual([
      kind,
      kind === 'notice_stale',
      kind === 'notice_wrong_signature_probe',
      kind === 'notice_stale',
    ])
    expect([kind, straight?.signed, straight!.ageMs < 1_000]).toEqual([kind, true, true])
  }
})

test('the clock brings a retry forward and closes orders', async () => {
  const { box, order, told, query } = await aShop()
  const [open, paid] = [await order(), await order()]
  box.answers.push(500)
  await box.pay(brand, paid)
  expect(told()).toEqual([paid])
  await box.ctl('clock', { advanceMs: 7 * 86_400_000 })
  expect(told()).toEqual([paid, paid])
  expect((await query(open)).json).toMatchObject({ trade_state: 'CLOSED' })
})

test('a clock that is moved on the page leaves signatures fresh', async () => {
  const no = await shop.order()
  await form('/clock', { advanceMs: String(7 * 86_400_000) })
  const answer = await shop.call('GET', queryOf(no))
  expect([answer.status, ((await answer.json()) as { trade_state: string }).trade_state]).toEqual([200, 'CLOSED'])
  const age = Date.now() / 1000 - Number(answer.headers.get('wechatpay-timestamp'))
  expect(Math.abs(age)).toBeLessThan(60)
  expect(await shop.ctl('clock')).toMatchObject({ aheadMs: 7 * 86_400_000 })
})

test('calls are slow, refused, lost before and after their effect', async () => {
  const place = (no: string) =>
    shop.call('POST', '/v3/pay/transactions/native', {
      appid: 'wx1',
      mchid: '1900000001',
      description: 'x',
      out_trade_no: no,
      notify_url: 'http://127.0.0.1:9/n',
      amount: { total: 1 },
    })
  const there = async (no: string) => (await shop.call('GET', queryOf(no))).status
  await shop.ctl('faults', { kind: 'delay', path: '/native', delayMs: 300 })
  const began = performance.now()
  expect((await place('SLOW-0001')).status).toBe(200)
  expect(performance.now() - began).toBeGreaterThan(290)
  await shop.ctl('faults', { kind: 'cut_before', path: '/native' })
  await expect(place('CUT-00001')).rejects.toThrow()
  expect(await there('CUT-00001')).toBe(404)
  await shop.ctl('faults', { kind: 'cut_after', path: '/native' })
  await expect(place('CUT-00002')).rejects.toThrow()
  expect(await there('CUT-00002')).toBe(200)
  await shop.ctl('faults', { kind: 'truncated_after', path: '/native' })
  const half = await place('CUT-00003')
  expect([half.status, Number(half.headers.get('content-length')) > 20]).toEqual([200, true])
  await expect(half.text()).rejects.toThrow()
  expect(await there('CUT-00003')).toBe(200)
  await shop.ctl('faults', { kind: 'status429', path: '/native', times: 2 })
  expect([(await place('BUSY-0001')).status, (await place('BUSY-0001')).status]).toEqual([429, 429])
  expect((await place('BUSY-0001')).status).toBe(200)
})

test('dials are turned on the page: on, listed, cleared; nonsense is told and changes nothing', async () => {
  const on = await form('/dials', { kind: 'status429', path: '/native', times: '3' })
  expect(await on.text()).toContain('正在生效')
  expect(await shop.ctl('faults')).toEqual({
    faults: [{ kind: 'status429', path: '/native', times: 3, delayMs: 0, copies: 2 }],
  })
  for (const wrong of [{ kind: 'no_such' }, { kind: 'delay', times: '0' }, { kind: 'delay', delayMs: '-1' }]) {
    expect(await (await form('/dials', wrong as Record<string, string>)).text()).toContain('填写有误')
  }
  expect(await (await form('/clock', { advanceMs: '-1' })).text()).toContain('填写有误')
  expect(await shop.ctl('faults')).toMatchObject({ faults: { length: 1 } })
  await form('/dials/clear', {})
  expect(await shop.ctl('faults')).toEqual({ faults: [] })
})

test('a notice is sent again by hand, straight or crooked', async () => {
  const no = await shop.order()
  const again = (fields: object) =>
    form('/dials/notice', { order: `1900000001 ${no}`, copies: '1', mutate: '', ...fields })
  expect(await (await again({})).text()).toContain('没有这笔已付的订单')
  await shop.pay(no)
  await until(() => shop.seen.length === 1)
  expect(await (await again({ copies: '3' })).text()).toContain('通知已发出 3 份，福利卡回答：204')
  await again({ mutate: 'signature' })
  expect(shop.seen.map((one) => one.signed)).toEqual([true, true, true, true, false])
  expect(await (await again({ mutate: 'nonsense' })).text()).toContain('填写有误')
})
