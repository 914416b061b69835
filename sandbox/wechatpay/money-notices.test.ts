import { createDecipheriv, createHash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { MINUTE, startMoneyWorld, type MoneyWorld } from '../testing/money.ts'
import { brand, channel, type HeardNotice, notifyUrl, platform, signedBy } from '../testing/pay-box.ts'

const REFUNDS = '/v3/refund/domestic/refunds'
let m: MoneyWorld
beforeEach(async () => {
  m = await startMoneyWorld()
  for (const account of [channel, platform]) await m.add(brand, account)
})

/** Opens a notice: signed by WeChat Pay, and for this merchant. */
function open(notice: HeardNotice, mchid: string): [Envelope, Record<string, unknown>] {
  const headers = new Headers(notice.headers)
  expect(signedBy((name) => headers.get(name), notice.body, m.world.key.publicPem)).toBe(true)
  expect([headers.get('wechatpay-serial'), notice.mchid]).toEqual([m.world.key.id, mchid])
  return [JSON.parse(notice.body) as Envelope, notice.plain]
}
interface Envelope {
  readonly id: string
  readonly event_type: string
}
const told = (): HeardNotice[] => m.heard.filter((one) => one.url !== notifyUrl)
const about = (part: string): HeardNotice[] => m.heard.filter((one) => one.url.includes(part))

async function refunded(no: string, more: Record<string, unknown> = {}): Promise<string> {
  const id = await m.paid(brand, 10_000)
  const amount = { refund: 4000, total: 10_000, currency: 'CNY' }
  const body = { transaction_id: id, out_refund_no: no, amount, notify_url: 'http://house.local/refunds', ...more }
  expect((await m.call(brand, 'POST', REFUNDS, body)).status).toBe(200)
  await m.wait(1)
  return id
}
async function shared(): Promise<string> {
  const id = await m.paid(brand, 10_000)
  await m.wait(MINUTE)
  const receivers = [channel, platform].map((account) => ({
    type: 'MERCHANT_ID',
    account,
    amount: 500,
    description: '推广',
  }))
  const body = { transaction_id: id, out_order_no: 'S1', receivers, unfreeze_unsplit: true }
  expect((await m.call(brand, 'POST', '/v3/profitsharing/orders', body)).status).toBe(200)
  await m.wait(1)
  return id
}

test('a refund that ends is told to its own address, as each end says', async () => {
  const ends = { success: 'SUCCESS', closed: 'CLOSED', abnormal: 'ABNORMAL' }
  for (const [outcome, status] of Object.entries(ends)) {
    await m.ctl('money-outcomes', { of: 'refund', outcome })
    const id = await refunded(`R-${outcome}`)
    const letters = about('/refunds')
    expect(letters).toHaveLength(1)
    const [envelope, plain] = open(letters[0]!, brand)
    expect(envelope).toMatchObject({ event_type: `REFUND.${status}`, resource: { original_type: 'refund' } })
    expect(plain).toMatchObject({
      mchid: brand,
      transaction_id: id,
      out_refund_no: `R-${outcome}`,
      refund_status: status,
      user_received_account: '支付用户零钱',
      amount: { total: 10_000, refund: 4000, payer_total: 10_000, payer_refund: 4000 },
    })
    expect('success_time' in plain).toBe(status === 'SUCCESS')
    m.heard.length = 0
  }
})

test('a refund under way is not told, and an abnormal one is told again once it went elsewhere', async () => {
  await m.ctl('money-outcomes', { of: 'refund', outcome: 'abnormal' })
  await refunded('R1')
  const refundId = m.world.money.refunds.get(`${brand} R1`)?.refundId ?? ''
  const body = { out_refund_no: 'R1', type: 'MERCHANT_BANK_CARD' }
  await m.call(brand, 'POST', `${REFUNDS}/${refundId}/apply-abnormal-refund`, body)
  await m.wait(1)
  const events = about('/refunds').map((one) => open(one, brand)[0].event_type)
  expect(events).toEqual(['REFUND.ABNORMAL', 'REFUND.SUCCESS'])
})

test('a notice that is not taken comes again with the same id, 15 times at the most', async () => {
  m.answers.push(500, 500)
  await m.ctl('faults', { kind: 'notice_lose', path: notifyUrl })
  await refunded('R1')
  expect(about('/refunds')).toHaveLength(1)
  await m.wait(15_000)
  await m.wait(15_000)
  await m.wait(86_400_000)
  const ids = about('/refunds').map((one) => open(one, brand)[0].id)
  expect([ids.length, new Set(ids).size]).toEqual([3, 1])
  await m.ctl('faults', { kind: 'notice_lose', path: notifyUrl })
  m.answers.push(...Array.from({ length: 99 }, () => 503))
  m.heard.length = 0
  await refunded('R2')
  await m.wait(2 * 86_400_000)
  expect(about('/refunds')).toHaveLength(16)
})

test('without an address a refund is told in the old form to the console, encrypted under the MD5 of the older key', async () => {
  await refunded('R1', { notify_url: undefined })
  expect(told()).toEqual([])
  const apiV2Key = 'v'.repeat(32)
  await m.ctl('money-rules', { mchid: brand, refundNotifyUrl: 'http://house.local/console', apiV2Key })
  await refunded('R2', { notify_url: undefined })
  const [letter] = about('/console')
  const headers = new Headers(letter?.headers)
  expect(headers.get('content-type')).toBe('text/xml')
  expect([...headers.keys()].filter((name) => name.startsWith('wechatpay-'))).toEqual([])
  const info = /<req_info><!\[CDATA\[(.+?)\]\]>/.exec(letter?.body ?? '')?.[1] ?? ''
  const secret = createHash('md5').update(apiV2Key).digest('hex')
  const decipher = createDecipheriv('aes-256-ecb', Buffer.from(secret), null)
  const plain = Buffer.concat([decipher.update(Buffer.from(info, 'base64')), decipher.final()]).toString('utf8')
  expect(plain).toContain('<out_refund_no><![CDATA[R2]]></out_refund_no>')
  expect(plain).toContain('<refund_status><![CDATA[SUCCESS]]></refund_status>')
  expect(plain).toContain('<refund_fee><![CDATA[4000]]></refund_fee>')
})

test('shares are told to receivers that named an address, under their own key, and never to who shared', async () => {
  await m.ctl('money-rules', { mchid: brand, shareNotifyUrl: 'http://brand.local/' })
  await m.ctl('money-rules', { mchid: channel, shareNotifyUrl: 'http://channel.local/' })
  const id = await shared()
  expect(told().map((one) => one.url)).toEqual(['http://channel.local/'])
  const [envelope, plain] = open(about('channel')[0]!, channel)
  expect(envelope).toMatchObject({
    event_type: 'PROFITSHARING.SUCCESS',
    summary: '分账',
    resource: { original_type: 'profitsharing' },
  })
  expect(plain).toMatchObject({
    mchid: channel,
    transaction_id: id,
    out_order_no: 'S1',
    receiver: { type: 'MERCHANT_ID', account: channel, amount: 500, description: '推广' },
    success_time: '2026-01-05T10:01:00+08:00',
  })
  expect(() => open(about('channel')[0]!, brand)).toThrow()
})

test('a person is told nothing, and without the older key neither is the console', async () => {
  await m.ctl('money-rules', { shareNotifyUrl: 'http://anybody.local/', refundNotifyUrl: 'http://console.local/' })
  await m.add(brand, platform, 'PERSONAL_OPENID')
  const id = await m.paid(brand, 10_000)
  await m.wait(MINUTE)
  const receivers = [{ type: 'PERSONAL_OPENID', account: platform, amount: 500, description: '推广' }]
  const body = { appid: 'wx1', transaction_id: id, out_order_no: 'S1', receivers, unfreeze_unsplit: true }
  expect((await m.call(brand, 'POST', '/v3/profitsharing/orders', body)).status).toBe(200)
  await m.wait(1)
  expect(m.world.money.balances.get(`person ${platform}`)).toBe(500)
  await refunded('R1', { notify_url: undefined })
  expect(told()).toEqual([])
})

test('a failed receiver is told nothing, and a receiver nobody knows here neither', async () => {
  await m.ctl('money-rules', { shareNotifyUrl: 'http://anybody.local/' })
  m.world.merchants.delete(platform)
  await m.ctl('money-outcomes', { of: 'receiver', account: channel, failReason: 'NO_AUTH' })
  await shared()
  expect(about('anybody')).toEqual([])
})

test('a return is told to the receiver, which learns who shared', async () => {
  await m.ctl('money-rules', { mchid: channel, shareNotifyUrl: 'http://channel.local/', acceptReturns: true })
  await m.ctl('money-rules', { mchid: brand, shareNotifyUrl: 'http://brand.local/' })
  await shared()
  m.heard.length = 0
  const body = { out_order_no: 'S1', out_return_no: 'B1', return_mchid: channel, amount: 200, description: '退款' }
  expect((await m.call(brand, 'POST', '/v3/profitsharing/return-orders', body)).status).toBe(200)
  await m.wait(1)
  expect(m.heard.map((one) => one.url)).toEqual(['http://channel.local/'])
  const [envelope, plain] = open(m.heard[0]!, channel)
  expect(envelope).toMatchObject({ event_type: 'PROFITSHARING.RETURN', summary: '分账回退' })
  expect(plain).toMatchObject({ mchid: channel, receiver: { account: brand, amount: 200 } })
})
