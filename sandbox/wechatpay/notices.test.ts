import { beforeEach, describe, expect, test } from 'vitest'
import { brand, notifyUrl, openPayBox, otherBrand, platform, signedBy } from '../testing/pay-box.ts'
import type { HeardNotice, PayBox } from '../testing/pay-box.ts'

let box: PayBox
beforeEach(async () => {
  box = await openPayBox()
})

const place = (no: string) =>
  box.call(brand, 'POST', '/v3/pay/transactions/native', {
    appid: 'wx1',
    mchid: brand,
    description: '福利卡',
    out_trade_no: no,
    notify_url: notifyUrl,
    amount: { total: 100 },
  })
const combine = (no: string) =>
  box.call(platform, 'POST', '/v3/combine-transactions/native', {
    combine_appid: 'wx1',
    combine_mchid: platform,
    combine_out_trade_no: no,
    sub_orders: [brand, otherBrand].map((mchid, index) => ({
      mchid,
      out_trade_no: `${no}-${index}`,
      description: '福利卡',
      attach: 'a',
      amount: { total_amount: 100, currency: 'CNY' },
    })),
    scene_info: { payer_client_ip: '203.0.113.7' },
    notify_url: notifyUrl,
  })
const fault = (kind: string, more: object = {}) => box.ctl('faults', { kind, ...more })
const signed = (one: HeardNotice | undefined): boolean =>
  signedBy((name) => one?.headers[name] ?? null, one?.body ?? '', box.world.key.publicPem)
const ageOf = (one: HeardNotice) => one.atMs - Number(one.headers['Wechatpay-Timestamp']) * 1000

/** What is crooked about a notice, told by its kind. */
const crooked: Record<string, (one: HeardNotice) => unknown> = {
  notice_wrong_signature: (one) => [signed(one), false],
  notice_wrong_signature_probe: (one) => [one.headers['Wechatpay-Signature']?.startsWith('WECHATPAY/SIGNTEST/'), true],
  notice_stale: (one) => [
    [signed(one), ageOf(one) >= 300_000],
    [true, true],
  ],
  notice_serial: (one) => [one.headers['Wechatpay-Serial'], 'PUB_KEY_ID_UNKNOWN'],
  notice_cipher: (one) => [
    [signed(one), one.mchid],
    [true, null],
  ],
  notice_body: (one) => [
    [signed(one), one.body.endsWith(' ')],
    [false, true],
  ],
  notice_merchant: (one) => [
    [signed(one), mine(one, 'mchid')],
    [true, '1900000999'],
  ],
  notice_appid: (one) => [
    [signed(one), mine(one, 'appid')],
    [true, 'wxsomebodyelses'],
  ],
  notice_amount: (one) => [
    [signed(one), amountOf(one)],
    [true, 101],
  ],
  notice_unknown_order: (one) => [
    [signed(one), String(mine(one, 'out_trade_no')).slice(0, 4)],
    [true, 'NONE'],
  ],
  notice_event: (one) => [
    [signed(one), one.eventType],
    [true, 'TRANSACTION.UNHEARD_OF'],
  ],
  notice_profitsharing: (one) => [
    [signed(one), one.eventType, one.originalType],
    [true, 'TRANSACTION.SUCCESS', 'profitsharing'],
  ],
  notice_xml: (one) => [
    [one.body.slice(0, 5), one.headers['content-type']],
    ['<xml>', 'text/xml'],
  ],
}
const mine = (one: HeardNotice, name: string) => one.plain[name] ?? one.plain[`combine_${name}`]
function amountOf(one: HeardNotice): unknown {
  const [part] = (one.plain['sub_orders'] as Record<string, unknown>[] | undefined) ?? [one.plain]
  const amount = part?.['amount'] as Record<string, number>
  return amount['total'] ?? amount['total_amount']
}

describe.each(['single', 'combined'])('a notice of a %s payment', (which) => {
  const orderAndPay = async () => {
    if (which === 'single') await place('ORDER-0001')
    else await combine('ORDER-0001')
    await box.pay(which === 'single' ? brand : platform, 'ORDER-0001')
  }

  test('is signed, can be read by who ordered, and is told once', async () => {
    await orderAndPay()
    await box.clock.advance(86_400_000)
    expect(box.heard.map((one) => [one.url, signed(one), one.mchid, amountOf(one)])).toEqual([
      [notifyUrl, true, which === 'single' ? brand : platform, 100],
    ])
  })

  test.each(Object.keys(crooked))('%s: crooked once, then straight', async (kind) => {
    await fault(kind)
    box.answers.push(401)
    await orderAndPay()
    const [got, wanted] = crooked[kind]!(box.heard[0]!) as [unknown, unknown]
    expect(got).toEqual(wanted)
    expect(box.heard).toHaveLength(1)
    await box.clock.advance(15_000)
    expect(box.heard).toHaveLength(2)
    const straight = box.heard[1]!
    expect([signed(straight), straight.eventType, mine(straight, 'out_trade_no'), amountOf(straight)]).toEqual([
      true,
      'TRANSACTION.SUCCESS',
      'ORDER-0001',
      100,
    ])
    for (const kindOfOther of Object.keys(crooked)) {
      const [seen, bad] = crooked[kindOfOther]!(straight) as [unknown, unknown]
      expect([kindOfOther, seen]).not.toEqual([kindOfOther, bad])
    }
  })

  test('comes before the order was answered, where the dial says so, and the order is paid then', async () => {
    await fault('notice_early')
    const answer = which === 'single' ? await place('ORDER-0001') : await combine('ORDER-0001')
    expect([answer.status, box.heard.length, mine(box.heard[0]!, 'out_trade_no')]).toEqual([200, 1, 'ORDER-0001'])
    expect([...box.world.trades.values()].every((one) => one.state === 'SUCCESS')).toBe(true)
    await box.clock.advance(86_400_000)
    expect(box.heard).toHaveLength(1)
  })
})

test('tries come at the published times until 200 or 204, sixteen in all, with one id; other answers are not enough', async () => {
  await place('ORDER-0001')
  box.answers.push(...Array.from({ length: 16 }, (_, index) => [500, 301, 201, 401][index % 4]!))
  const startMs = box.clock.now()
  await box.pay(brand, 'ORDER-0001')
  await box.clock.advance(7 * 86_400_000)
  const seconds = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600]
  const times = seconds.reduce((all, wait) => [...all, (all.at(-1) ?? 0) + wait], [0])
  expect(box.heard.map((one) => (one.atMs - startMs) / 1000)).toEqual(times)
  expect(times.at(-1)).toBe(24 * 3600 + 4 * 60)
  expect(new Set(box.heard.map((one) => (JSON.parse(one.body) as { id: string }).id)).size).toBe(1)
  expect((JSON.parse(box.heard[0]!.body) as { id: string }).id).toHaveLength(36)
  for (const [no, enough] of [
    ['ORDER-0200', 200],
    ['ORDER-0204', 204],
  ] as const) {
    await place(no)
    box.heard.length = 0
    box.answers.push(500, enough)
    await box.pay(brand, no)
    await box.clock.advance(86_400_000)
    expect(box.heard).toHaveLength(2)
  }
})

test('twenty at once, some one after the other, late, or never', async () => {
  await fault('notice_repeat', { copies: 20 })
  await place('ORDER-0001')
  await box.pay(brand, 'ORDER-0001')
  expect([box.heard.length, new Set(box.heard.map((one) => one.body)).size]).toEqual([20, 1])
  box.heard.length = 0
  await fault('notice_again', { copies: 3 })
  await place('ORDER-0002')
  await box.pay(brand, 'ORDER-0002')
  expect(box.heard.map((one) => one.plain['out_trade_no'])).toEqual(Array.from({ length: 4 }, () => 'ORDER-0002'))
  box.heard.length = 0
  await fault('notice_delay', { delayMs: 600_000 })
  await place('ORDER-0003')
  await box.pay(brand, 'ORDER-0003')
  await box.clock.advance(599_999)
  expect(box.heard).toEqual([])
  await box.clock.advance(1)
  expect(box.heard).toHaveLength(1)
  await fault('notice_lose')
  await place('ORDER-0004')
  await box.pay(brand, 'ORDER-0004')
  await box.clock.advance(7 * 86_400_000)
  expect(box.heard).toHaveLength(1)
})

test('a refund is told before its payment, and two refunds the later one first, where the dial says so', async () => {
  const refund = (no: string) =>
    box.call(brand, 'POST', '/v3/refund/domestic/refunds', {
      out_trade_no: 'ORDER-0001',
      out_refund_no: no,
      notify_url: notifyUrl,
      amount: { refund: 10, total: 100, currency: 'CNY' },
    })
  await fault('notice_reorder', { times: 2 })
  await place('ORDER-0001')
  await box.pay(brand, 'ORDER-0001')
  await refund('REFUND-1')
  await box.clock.advance(5_000)
  expect(box.heard.map((one) => one.eventType)).toEqual(['REFUND.SUCCESS', 'TRANSACTION.SUCCESS'])
  await box.clock.advance(60_000)
  box.heard.length = 0
  await fault('notice_reorder', { times: 2 })
  await box.ctl('money-rules', { refundIntervalMs: 0 })
  for (const no of ['REFUND-2', 'REFUND-3']) await refund(no)
  await box.clock.advance(5_000)
  expect(box.heard.map((one) => one.plain['out_refund_no'])).toEqual(['REFUND-3', 'REFUND-2'])
})
