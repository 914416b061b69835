import { createHash, createSign, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { wechatPayInProcess } from './testing/in-process.ts'
import { makePlatformKey } from './wechatpay/seal.ts'

const START_MS = Date.UTC(2026, 0, 5, 2)
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const platformKey = makePlatformKey('PUB_KEY_ID_1')

/** The same chance every time. */
function chance(): (bytes: number) => Buffer {
  let count = 0
  return (bytes) =>
    createHash('shake256', { outputLength: bytes })
      .update(String((count += 1)))
      .digest()
}

async function aStory(): Promise<string[]> {
  const told: string[] = []
  const heard: Promise<Response>[] = []
  const box = wechatPayInProcess(START_MS, {
    platformKey,
    random: chance(),
    post: async (url, init) => {
      const { headers, body } = init
      told.push(`${box.clock.now()} ${url} ${JSON.stringify(headers)} ${body}`)
      // A merchant that asks back before it answers.
      heard.push(call('GET', '/v3/pay/transactions/out-trade-no/ORDER-0001?mchid=1900000001'))
      await heard.at(-1)
      return new Response(null, { status: heard.length === 1 ? 500 : 204 })
    },
  })
  const call = (method: string, path: string, value?: unknown): Promise<Response> => {
    const body = value === undefined ? '' : JSON.stringify(value)
    const seconds = Math.floor(box.clock.wall() / 1000)
    const text = `${method}\n${path}\n${seconds}\nN1\n${body}\n`
    const signature = createSign('RSA-SHA256').update(text).sign(pair.privateKey, 'base64')
    const authorization = `WECHATPAY2-SHA256-RSA2048 signature="${signature}",mchid="1900000001",nonce_str="N1",timestamp="${seconds}",serial_no="AA"`
    return box.fetch(`http://pay.test${path}`, { method, headers: { authorization }, ...(body ? { body } : {}) })
  }
  const ctl = (path: string, value: unknown) =>
    box.fetch(`http://pay.test/__ctl/${path}`, { method: 'POST', body: JSON.stringify(value) })
  const publicKeyPem = pair.publicKey.export({ type: 'spki', format: 'pem' })
  const merchant = { mchid: '1900000001', appid: 'wx1', certSerial: 'AA', publicKeyPem, shortName: '好味' }
  expect((await ctl('merchants', { ...merchant, apiV3Key: 'k'.repeat(32) })).status).toBe(200)
  const answer = await call('POST', '/v3/pay/transactions/native', {
    appid: 'wx1',
    mchid: '1900000001',
    description: '福利卡',
    out_trade_no: 'ORDER-0001',
    notify_url: 'https://merchant.test/notice',
    amount: { total: 100 },
  })
  told.push(`${answer.status} ${await answer.text()} ${answer.headers.get('wechatpay-signature')}`)
  await ctl('pay', { mchid: '1900000001', outTradeNo: 'ORDER-0001', outcome: 'success' })
  expect(told).toHaveLength(1)
  await box.clock.advance(86_400_000)
  for (const one of heard) told.push(await (await one).text())
  return told
}

test('a world in one process tells the same story every time, to the byte, and only while its clock is moved', async () => {
  const [first, second] = [await aStory(), await aStory()]
  expect(first).toHaveLength(5)
  expect(first[0]).toMatch(/^200 /)
  expect(first[1]).toMatch(new RegExp(`^${START_MS} https://merchant.test/notice `))
  expect(first[2]).toMatch(new RegExp(`^${START_MS + 15_000} https://merchant.test/notice `))
  expect(JSON.parse(first[3] ?? '')).toMatchObject({ trade_state: 'SUCCESS' })
  expect(second).toEqual(first)
})

test('what is cut, halved or never answered fails in one process as it does over a network, and nobody waits', async () => {
  const box = wechatPayInProcess(START_MS)
  const ctl = (path: string, value: unknown) =>
    box.fetch(`http://pay.test/__ctl/${path}`, { method: 'POST', body: JSON.stringify(value) })
  for (const kind of ['cut_before', 'timeout_before']) {
    await ctl('faults', { kind })
    await expect(box.fetch('http://pay.test/v3/pay/transactions/native', { method: 'POST' })).rejects.toThrow(TypeError)
  }
  expect((await box.fetch(new URL('http://pay.test/v3/nothing'))).status).toBe(404)
  await expect(box.fetch('http://pay.test/', { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
})
