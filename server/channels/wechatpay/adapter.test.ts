import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { startWechatPaySandbox } from '../../../sandbox/wechatpay/server.ts'
import type { WechatPaySandbox } from '../../../sandbox/wechatpay/server.ts'
import { NoticeRefused, OutsideError } from '../../kernel/outside.ts'
import type { PaymentWish, WechatPayNotice } from '../wechatpay-port.ts'
import { wechatPayAdapter } from './adapter.ts'
import type { MerchantCredentials } from './crypto.ts'
import type { WechatPayOptions } from './options.ts'

let sandbox: WechatPaySandbox
let listener: Server
let notifyUrl: string
let publicPem: string
let first: MerchantCredentials
let second: MerchantCredentials
let serial = 0
let clockMs = 0
const notices: WechatPayNotice[] = []
const refusals: string[] = []

function credentials(mchid: string, privateKeyPem: string, apiV3Key: string): MerchantCredentials {
  return { mchid, appid: 'wxsandbox0001', certSerial: `AA${mchid}`, privateKeyPem, apiV3Key }
}

const adapter = (changes: Partial<WechatPayOptions> = {}) =>
  wechatPayAdapter({
    baseUrl: sandbox.baseUrl,
    merchants: [first, second],
    platformKeys: { [sandbox.platformPublicKeyId]: sandbox.platformPublicKeyPem },
    notifyUrl,
    now: () => Date.now() + clockMs,
    random: randomBytes,
    ...changes,
  })

async function ctl(path: string, body: unknown, method: 'POST' | 'DELETE' = 'POST'): Promise<unknown> {
  const response = await fetch(`${sandbox.baseUrl}/__ctl/${path}`, { method, body: JSON.stringify(body) })
  expect(response.status).toBe(200)
  return response.json()
}

function order(changes: Partial<PaymentWish> = {}): PaymentWish {
  serial += 1
  return {
    merchant: { mchid: second.mchid, appid: second.appid },
    product: 'native',
    outTradeNo: `PAY${String(serial).padStart(10, '0')}`,
    description: '中秋福利卡',
    total: fen(123_456),
    expireAtMs: Date.now() + 3_600_000,
    profitSharing: true,
    ...changes,
  }
}

/** Places a Native order; its QR text. */
async function place(one: PaymentWish, through = adapter()): Promise<string> {
  const credential = await through.prepare(one.merchant, one.product, through.paymentBody(one))
  if (credential.kind !== 'native') throw new Error(credential.kind)
  return credential.codeUrl
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutsideError)) throw new Error(`no OutsideError: ${String(error)}`)
  return `${error.outcome} ${error.code}`
}

const pay = (one: PaymentWish, outcome = 'success'): Promise<unknown> =>
  ctl('pay', { mchid: one.merchant.mchid, outTradeNo: one.outTradeNo, outcome })

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !holds(); i += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(holds()).toBe(true)
}

beforeAll(async () => {
  sandbox = await startWechatPaySandbox({ noticeRetryScale: 0.001 })
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  publicPem = pair.publicKey
  first = credentials('1900000001', pair.privateKey, 'a'.repeat(32))
  second = credentials('1900000002', pair.privateKey, 'b'.repeat(32))
  listener = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      adapter()
        .openNotice(request.headers as Record<string, string | undefined>, Buffer.concat(chunks))
        .then(
          (notice) => {
            notices.push(notice)
            response.writeHead(204).end()
          },
          (error: unknown) => {
            refusals.push(error instanceof NoticeRefused ? error.code : String(error))
            response.writeHead(401).end('{"code":"FAIL","message":"refused"}')
          },
        )
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  notifyUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/notices/wechat-pay`
  for (const { mchid, appid, certSerial, apiV3Key } of [first, second]) {
    await ctl('merchants', { mchid, appid, certSerial, apiV3Key, publicKeyPem: publicPem, shortName: '好味食品' })
  }
})
afterEach(async () => {
  await ctl('faults', {}, 'DELETE')
  notices.length = 0
  refusals.length = 0
  clockMs = 0
})
afterAll(async () => {
  await sandbox.close()
  await new Promise((resolve) => listener.close(resolve))
})

test('an order is prepared, paid, announced and queried', async () => {
  const one = order()
  const codeUrl = await place(one)
  expect(codeUrl).toMatch(/^weixin:\/\/wxpay\/bizpayurl\?pr=/)
  expect(await adapter().query(one.merchant, one.outTradeNo)).toMatchObject({
    state: 'NOTPAY',
    transactionId: null,
    successAtMs: null,
    total: 123_456,
  })
  await pay(one)
  await until(() => notices.length === 1)
  const trade = await adapter().query(one.merchant, one.outTradeNo)
  expect(trade).toMatchObject({ state: 'SUCCESS', bankType: 'OTHERS', total: 123_456, outTradeNo: one.outTradeNo })
  expect(notices[0]).toMatchObject({ eventType: 'TRANSACTION.SUCCESS', trades: [trade], refund: null, share: null })
  expect(await failure(adapter().close(one.merchant, one.outTradeNo))).toBe('refused INVALID_REQUEST')
  expect(await failure(place(one))).toBe('refused INVALID_REQUEST')
})

test('failed attempts leave the order unpaid', async () => {
  const one = order()
  await place(one)
  for (const outcome of ['bank_limit', 'no_money', 'cancel', 'risk']) await pay(one, outcome)
  expect(await adapter().query(one.merchant, one.outTradeNo)).toMatchObject({ state: 'NOTPAY' })
})

test('the same parameters give a fresh code and the old one dies; others are refused', async () => {
  const one = order()
  const before = await place(one)
  const after = await place(one)
  expect(after).not.toBe(before)
  const scan = (codeUrl: string): Promise<Response> =>
    fetch(`${sandbox.baseUrl}/scan?code_url=${encodeURIComponent(codeUrl)}`)
  expect((await scan(before)).status).toBe(404)
  const html = await (await scan(after)).text()
  for (const text of ['沙箱', '好味食品', '¥1234.56', '银行限额', '余额不足', '取消']) expect(html).toContain(text)
  expect(await failure(place({ ...one, total: fen(1) }))).toBe('refused OUT_TRADE_NO_USED')
})

test('closing can be repeated, ends the order and burns an unknown number', async () => {
  const [one, never] = [order(), order()]
  await place(one)
  await adapter().close(one.merchant, one.outTradeNo)
  await adapter().close(one.merchant, one.outTradeNo)
  expect(await adapter().query(one.merchant, one.outTradeNo)).toMatchObject({ state: 'CLOSED' })
  expect(await failure(place(one))).toBe('refused ORDER_CLOSED')
  expect(await adapter().query(never.merchant, never.outTradeNo)).toBeNull()
  await adapter().close(never.merchant, never.outTradeNo)
  expect(await failure(place(never))).toBe('refused ORDER_CLOSED')
})

test('an answer that was lost or cannot be trusted is unknown, and a query tells the truth', async () => {
  const causes = [
    ['cut_after', 'unknown NETWORK'],
    ['status500_after', 'unknown SYSTEM_ERROR'],
    ['broken_response_signature', 'unknown RESPONSE_SIGNATURE'],
  ]
  for (const [kind, expected] of causes) {
    const one = order()
    await ctl('faults', { kind, path: '/native' })
    expect(await failure(place(one))).toBe(expected)
    expect(await adapter().query(one.merchant, one.outTradeNo)).toMatchObject({ state: 'NOTPAY' })
  }
  const none = order()
  await ctl('faults', { kind: 'status500_before', path: '/native' })
  expect(await failure(place(none))).toBe('unknown SYSTEM_ERROR')
  expect(await adapter().query(none.merchant, none.outTradeNo)).toBeNull()
  await ctl('faults', { kind: 'status429' })
  expect(await failure(place(none))).toBe('busy FREQUENCY_LIMITED')
})

test('no answer in time is unknown', async () => {
  const slow: typeof globalThis.fetch = (_url, init) =>
    new Promise((_resolve, fail) => {
      init?.signal?.addEventListener('abort', () => fail(init.signal?.reason as Error))
    })
  expect(await failure(place(order(), adapter({ fetch: slow, timeoutMs: 20 })))).toBe('unknown TIMEOUT')
})

test('wrong keys, clock, serial or merchant are broken', async () => {
  const other = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const using = (changes: Partial<MerchantCredentials>) => adapter({ merchants: [{ ...second, ...changes }] })
  expect(await failure(place(order(), using({ privateKeyPem: other.privateKey })))).toBe('broken SIGN_ERROR')
  expect(await failure(place(order(), using({ certSerial: 'BB' })))).toBe('broken SIGN_ERROR')
  const wrongApp = order({ merchant: { mchid: second.mchid, appid: 'wxother' } })
  expect(await failure(place(wrongApp))).toBe('broken APPID_MCHID_NOT_MATCH')
  const stranger = order({ merchant: { mchid: '1', appid: 'wx' } })
  expect(await failure(place(stranger))).toBe('broken MERCHANT_UNKNOWN')
  // Some seconds over the five minutes: the header is cut to whole ones, and the call takes its time.
  clockMs = 310_000
  expect(await failure(place(order()))).toBe('broken SIGN_ERROR')
})

test('what breaks the published limits is refused', async () => {
  for (const changes of [{ description: '福'.repeat(128) }, { outTradeNo: 'short' }, { total: fen(0) }]) {
    expect(await failure(place(order(changes)))).toBe('refused PARAM_ERROR')
  }
})

test('a crafted notice is refused with its reason; a true one about another thing is opened as it was told', async () => {
  const one = order()
  await place(one)
  await pay(one)
  await until(() => notices.length === 1)
  notices.length = 0
  const send = (mutate?: string, copies = 1): Promise<unknown> =>
    ctl('notice', { mchid: second.mchid, outTradeNo: one.outTradeNo, ...(mutate ? { mutate } : {}), copies })
  const expected = [
    ['signature', 'signature_wrong'],
    ['probe', 'signature_wrong'],
    ['body', 'signature_wrong'],
    ['stale', 'stale'],
    ['serial', 'serial_unknown'],
    ['cipher', 'cipher_wrong'],
  ]
  for (const [mutate, code] of expected) {
    expect(await send(mutate)).toEqual({ statuses: [401] })
    expect(refusals.splice(0)).toEqual([code])
  }
  expect(notices).toEqual([])
  for (const mutate of ['amount', 'merchant', 'unknown_order']) expect(await send(mutate)).toEqual({ statuses: [204] })
  expect(notices.map((notice) => notice.trades[0]?.total)).toEqual([123_457, 123_456, 123_456])
  expect(notices[1]?.trades[0]?.mchid).not.toBe(second.mchid)
  expect(notices[2]?.trades[0]?.outTradeNo).toMatch(/^NONE/)
  expect(await send(undefined, 20)).toEqual({ statuses: Array.from({ length: 20 }, () => 204) })
  expect(new Set(notices.slice(3).map((notice) => notice.id)).size).toBe(1)
})

test('a notice without headers, or with ones that cannot be read, is refused', async () => {
  const headers = {
    'wechatpay-timestamp': 'soon',
    'wechatpay-nonce': 'n',
    'wechatpay-signature': 's',
    'wechatpay-serial': sandbox.platformPublicKeyId,
  }
  await expect(adapter().openNotice({}, Buffer.from('{}'))).rejects.toThrow('signature_missing')
  await expect(adapter().openNotice(headers, Buffer.from('{}'))).rejects.toThrow('malformed')
  const inherited = { ...headers, 'wechatpay-timestamp': String(Math.floor(Date.now() / 1000)) }
  await expect(
    adapter().openNotice({ ...inherited, 'wechatpay-serial': 'constructor' }, Buffer.from('{}')),
  ).rejects.toThrow('serial_unknown')
})

test('notices can be probed, aged, repeated, delayed and lost', async () => {
  const paid = async (fault: Record<string, unknown>): Promise<PaymentWish> => {
    const one = order()
    await place(one)
    await ctl('faults', fault)
    await pay(one)
    return one
  }
  await paid({ kind: 'notice_wrong_signature_probe' })
  await until(() => notices.length === 1)
  expect(refusals.splice(0)).toEqual(['signature_wrong'])
  await paid({ kind: 'notice_stale' })
  await until(() => notices.length === 2)
  expect(refusals.splice(0)).toEqual(['stale'])
  await paid({ kind: 'notice_repeat', copies: 5 })
  await until(() => notices.length === 7)
  await paid({ kind: 'notice_delay', delayMs: 100 })
  expect(notices.length).toBe(7)
  await until(() => notices.length === 8)
  const lost = await paid({ kind: 'notice_lose' })
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(notices.length).toBe(8)
  expect(await adapter().query(lost.merchant, lost.outTradeNo)).toMatchObject({ state: 'SUCCESS' })
})
