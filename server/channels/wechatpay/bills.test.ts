import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { failureOf, startPayStage, type PayStage } from '../../testing/pay-stage.ts'

let stage: PayStage
const servers: Server[] = []
const DAY_MS = 86_400_000
const chinaDay = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10)

beforeAll(async () => {
  stage = await startPayStage()
  await stage.ctl('money-rules', { shareLatencyMs: 0, orderIntervalMs: 0, refundLatencyMs: 0 })
})
afterEach(() => stage.ctl('faults', {}, 'DELETE'))
afterAll(async () => {
  await stage.close()
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
})

/** Moves the sandbox to so many hours after midnight in China, of the next day. */
async function nextDayAt(hours: number): Promise<string> {
  const { nowMs } = (await stage.ctl('clock', {}, 'GET')) as { nowMs: number }
  const day = chinaDay(nowMs)
  const until = Date.parse(`${day}T00:00:00+08:00`) + DAY_MS + hours * 3_600_000
  await stage.ctl('clock', { advanceMs: until - nowMs })
  return day
}
test('bills of a day: too early, there, and none', async () => {
  const { pay, brand, second, platform } = stage
  await pay.addReceiver(brand, { account: platform.mchid, relation: 'SERVICE_PROVIDER' })
  const { transactionId, outTradeNo } = await stage.paid()
  await stage.ctl('clock', { advanceMs: 60_000 })
  const receivers = [{ account: platform.mchid, amount: fen(5_000), description: '服务费' }]
  const outOrderNo = stage.fresh('SHR')
  await pay.share(brand, pay.shareBody({ transactionId, outOrderNo, receivers, unfreezeRest: true }))
  await pay.queryShare(brand, transactionId, outOrderNo)
  const day = await nextDayAt(9.5)
  expect(await pay.fetchBill(brand, 'trade', day)).toEqual({ kind: 'creating' })
  expect(await pay.fetchBill(brand, 'fund_flow', day)).toEqual({ kind: 'creating' })
  await stage.ctl('clock', { advanceMs: 3_600_000 })
  for (const [kind, needle] of [
    ['trade', `\`${outTradeNo},`],
    ['fund_flow', `\`${transactionId},`],
    ['sharing', `\`${outOrderNo},`],
  ] as const) {
    const bill = await pay.fetchBill(brand, kind, day)
    if (bill.kind !== 'there') throw new Error(`${kind}: ${bill.kind}`)
    expect(bill.text).toContain(needle)
    expect(bill.text).toMatch(/^[^\uFEFF`]/)
    expect(await pay.fetchBill(second, kind, day)).toEqual({ kind: 'none' })
  }
  await stage.ctl('bill-form', { bom: true, crlf: true })
  const other = await pay.fetchBill(brand, 'trade', day)
  expect(other.kind === 'there' ? other.text.slice(0, 4) : other.kind).toBe('交易时间')
  expect(await failureOf(pay.fetchBill(brand, 'trade', '2020-01-01'))).toBe('refused INVALID_REQUEST')
  expect(await failureOf(pay.fetchBill(brand, 'trade', '2026-02-30'))).toBe('refused PARAM_ERROR')
})

/** Somebody in front of the sandbox: changes what comes back and passes everything else on. */
async function between(
  change: (path: string, answer: Response) => Promise<Response | null>,
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.headers.authorization === undefined ? 'open' : 'signed'} ${request.url}`)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    delete headers['host']
    delete headers['connection']
    void fetch(stage.sandbox.baseUrl + request.url, { method: request.method ?? 'GET', headers })
      .then(async (answer) => (await change(request.url ?? '', answer.clone())) ?? answer)
      .then(async (answer) => {
        const passed = Object.fromEntries([...answer.headers].filter(([name]) => /^wechatpay|^content-type/.test(name)))
        response.writeHead(answer.status, passed).end(Buffer.from(await answer.arrayBuffer()))
      })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** Goes to the place in between wherever the sandbox is named. */
const by =
  (url: string): typeof globalThis.fetch =>
  (at, init) =>
    fetch((at as string).replace(stage.sandbox.baseUrl, url), init)

/** A day with one payment, its bill ready. */
async function billedDay(): Promise<string> {
  await stage.paid()
  return nextDayAt(10)
}

test('a file that is not what was promised, or cannot be read, is unknown; an old address is renewed once', async () => {
  const { brand } = stage
  const day = await billedDay()
  const file = (path: string): boolean => path.startsWith('/v3/billdownload')
  const through = async (change: (answer: Response) => Promise<Response | null>) => {
    const { url, asked } = await between((path, answer) => (file(path) ? change(answer) : Promise.resolve(null)))
    // The address is the sandbox's own: through the place in between only with the origin swapped.
    const pay = stage.adapter({
      baseUrl: url,
      fetch: by(url),
      secondUrl: stage.sandbox.baseUrl,
    })
    return { work: pay.fetchBill(brand, 'trade', day), asked }
  }
  const zipped = await through(async (answer) => new Response(gzipSync(Buffer.from(await answer.arrayBuffer()))))
  expect(await zipped.work).toMatchObject({ kind: 'there' })
  const changed = await through(async (answer) => new Response(`${await answer.text()} `))
  expect(await failureOf(changed.work)).toBe('unknown BILL_HASH')
  const cut = await through(
    async (answer) => new Response(gzipSync(Buffer.from(await answer.arrayBuffer())).subarray(0, 40)),
  )
  expect(await failureOf(cut.work)).toBe('unknown BILL_HASH')
  let times = 0
  const late = await through(() =>
    Promise.resolve((times += 1) === 1 ? new Response('{"code":"INVALID_REQUEST"}', { status: 400 }) : null),
  )
  expect(await late.work).toMatchObject({ kind: 'there' })
  const always = await through(() => Promise.resolve(new Response('{"code":"INVALID_REQUEST"}', { status: 400 })))
  expect(await failureOf(always.work)).toBe('unknown BILL_ADDRESS_OLD')
  expect(always.asked.filter((line) => line.includes('/v3/bill/tradebill'))).toHaveLength(2)
})

test('our signature goes to no host but WeChat Pay’s', async () => {
  const { brand } = stage
  const day = await billedDay()
  const thief = await between(() => Promise.resolve(null))
  const pay = stage.adapter({ baseUrl: thief.url })
  expect(await failureOf(pay.fetchBill(brand, 'trade', day))).toBe('broken BILL_HOST')
  expect(thief.asked).toHaveLength(1)
  const both = stage.adapter({ baseUrl: thief.url, secondUrl: stage.sandbox.baseUrl })
  expect(await both.fetchBill(brand, 'trade', day)).toMatchObject({ kind: 'there' })
})

test('the sharing bill says INVALID_REQUEST while it is made: the day after, that is waiting', async () => {
  const { brand } = stage
  const now = Date.now()
  const today = chinaDay(now)
  const yesterday = chinaDay(now - DAY_MS)
  const fresh = await startPayStage()
  try {
    await fresh.ctl('bills', { kind: 'sharing', mchid: brand.mchid, day: yesterday, change: 'late', hours: 240 })
    expect(await fresh.pay.fetchBill(brand, 'sharing', yesterday)).toEqual({ kind: 'creating' })
    expect(await failureOf(fresh.pay.fetchBill(brand, 'sharing', today))).toBe('refused INVALID_REQUEST')
    expect(await failureOf(fresh.pay.fetchBill(brand, 'sharing', '2020-01-01'))).toBe('refused INVALID_REQUEST')
  } finally {
    await fresh.close()
  }
})

test('a file is read with a limit, packed or not, before it fills the memory', async () => {
  const { brand } = stage
  const day = await billedDay()
  const billLimit = 1024 * 1024
  for (const [file, expected] of [
    [gzipSync(Buffer.alloc(billLimit + 1)), 'unknown TOO_LARGE'],
    [Buffer.alloc(billLimit + 1), 'unknown TOO_LARGE'],
    [gzipSync(Buffer.alloc(billLimit)), 'unknown BILL_HASH'],
    [Buffer.alloc(billLimit), 'unknown BILL_HASH'],
  ] as const) {
    const { url } = await between((path) =>
      Promise.resolve(path.startsWith('/v3/billdownload') ? new Response(file) : null),
    )
    expect(await failureOf(stage.adapter({ fetch: by(url), billLimit }).fetchBill(brand, 'trade', day))).toBe(expected)
  }
})

test('all transfers of a day are read, page after page, each once', async () => {
  const { pay, brand, second } = stage
  const { nowMs } = (await stage.ctl('clock', {}, 'GET')) as { nowMs: number }
  const day = chinaDay(nowMs)
  expect(await pay.readIncome(brand, day)).toEqual([])
  for (let i = 1; i <= 205; i += 1)
    await stage.ctl('income', { mchid: brand.mchid, amount: i, remark: `ORD${i}`, accountNumber: '****6473' })
  const records = await pay.readIncome(brand, day)
  expect(records.map(({ amount }) => Number(amount)).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 205 }, (_, i) => i + 1),
  )
  expect(records[204]).toMatchObject({
    remark: 'ORD205',
    payerBank: '招商银行',
    payerName: '青禾制造有限公司',
    payerAccount: '****6473',
  })
  expect(Math.abs((records[0]?.arrivedAtMs ?? 0) - nowMs)).toBeLessThan(60_000)
  expect(await pay.readIncome(second, day)).toEqual([])
  expect(await pay.readIncome(brand, chinaDay(nowMs - DAY_MS))).toEqual([])
})
