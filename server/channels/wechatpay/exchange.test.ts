import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { failureOf, startPayStage, type PayStage } from '../../testing/pay-stage.ts'

let stage: PayStage
const servers: Server[] = []

beforeAll(async () => {
  stage = await startPayStage()
})
afterEach(() => stage.ctl('faults', {}, 'DELETE'))
afterAll(async () => {
  await stage.close()
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
})

/** A host that is not WeChat Pay; what was asked of it. */
async function host(answer: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    answer(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
/** Where nobody listens any more. */
async function nowhere(): Promise<string> {
  const { url } = await host(() => undefined)
  const server = servers.pop()
  await new Promise((resolve) => server?.close(resolve))
  return url
}
const calls = async (): Promise<number> => {
  const log = (await stage.ctl('log', {}, 'GET')) as unknown as { kind: string; method?: string }[]
  return log.filter(({ kind, method }) => kind === 'call' && method === 'POST').length
}

test('where the first host gives no answer the second one is asked, once, with the same bytes', async () => {
  const both = stage.adapter({ secondUrl: stage.sandbox.baseUrl })
  const one = stage.wish()
  const body = both.paymentBody(one)
  for (const kind of ['cut_before', 'cut_after', 'truncated_after']) {
    await stage.ctl('faults', { kind, path: '/native' })
    expect(await both.prepare(one.merchant, 'native', body)).toMatchObject({ kind: 'native' })
  }
  await stage.ctl('faults', { kind: 'cut_before', path: '/native', times: 2 })
  expect(await failureOf(both.prepare(one.merchant, 'native', body))).toBe('unknown NETWORK')
  expect(await stage.pay.query(one.merchant, one.outTradeNo)).toMatchObject({ total: one.total })
  await stage.ctl('faults', { kind: 'cut_after', path: '/native' })
  expect(await failureOf(stage.pay.prepare(one.merchant, 'native', body))).toBe('unknown NETWORK')
})

test('a refund over two hosts is one refund', async () => {
  const both = stage.adapter({ secondUrl: stage.sandbox.baseUrl })
  const { transactionId } = await stage.paid()
  const wish = { transactionId, outRefundNo: stage.fresh('REF'), reason: '退', refund: fen(700), total: fen(100_000) }
  await stage.ctl('faults', { kind: 'cut_after', path: '/refund/' })
  expect(await both.refund(stage.brand, both.refundBody(wish))).toMatchObject({ refund: 700 })
  const next = { ...wish, outRefundNo: stage.fresh('REF'), refund: fen(99_301) }
  await stage.ctl('clock', { advanceMs: 60_000 })
  expect(await failureOf(both.refund(stage.brand, both.refundBody(next)))).toBe('refused INVALID_REQUEST')
})

test('an answer is an answer: the second host is not asked after it', async () => {
  const other = await host((_request, response) => void response.writeHead(500).end())
  const both = stage.adapter({ secondUrl: other.url })
  const one = stage.wish()
  const before = await calls()
  for (const [kind, expected] of [
    ['status500_before', 'unknown SYSTEM_ERROR'],
    ['status429', 'busy FREQUENCY_LIMITED'],
    ['broken_response_signature', 'unknown RESPONSE_SIGNATURE'],
  ] as const) {
    await stage.ctl('faults', { kind, path: '/native' })
    expect(await failureOf(both.prepare(one.merchant, 'native', both.paymentBody(one)))).toBe(expected)
  }
  expect(other.asked).toEqual([])
  expect((await calls()) - before).toBe(3)
})

test('what the first host may have done is not undone by a refusal of the second', async () => {
  const limited = await host((_request, response) => void response.writeHead(429).end('{"code":"FREQUENCY_LIMITED"}'))
  const refusing = await host((_request, response) => void response.writeHead(400).end('{"code":"INVALID_REQUEST"}'))
  const one = stage.wish()
  const through = (baseUrl: string, secondUrl: string) => {
    const both = stage.adapter({ baseUrl, secondUrl })
    return failureOf(both.prepare(one.merchant, 'native', both.paymentBody(one)))
  }
  for (const [second, code, sure] of [
    [limited.url, 'FREQUENCY_LIMITED', 'busy'],
    [refusing.url, 'INVALID_REQUEST', 'refused'],
  ] as const) {
    await stage.ctl('faults', { kind: 'cut_after', path: '/native' })
    expect(await through(stage.sandbox.baseUrl, second)).toBe(`unknown ${code}`)
    expect(await through(await nowhere(), second)).toBe(`${sure} ${code}`)
  }
  await stage.ctl('faults', { kind: 'cut_after', path: one.outTradeNo })
  const both = stage.adapter({ secondUrl: refusing.url })
  expect(await failureOf(both.query(one.merchant, one.outTradeNo))).toBe('refused INVALID_REQUEST')
})

test('each request is signed afresh: the second host would not take an old one', async () => {
  const first = await host((request) => request.socket.destroy())
  const second = await host((_request, response) => void response.writeHead(500).end())
  const both = stage.adapter({ baseUrl: first.url, secondUrl: second.url })
  await failureOf(both.query(stage.brand, 'N1'))
  const signature = (line = ''): string => /signature="(.*?)"/.exec(line)?.[1] ?? ''
  expect(signature(first.asked[0])).not.toBe('')
  expect(signature(first.asked[0])).not.toBe(signature(second.asked[0]))
})

test('no answer is followed elsewhere, read without end, or believed unsigned', async () => {
  const target = await host((_request, response) => void response.end('{}'))
  const moved = await host((_request, response) => void response.writeHead(302, { location: target.url }).end())
  const endless = await host((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      response.once('drain', more)
    }
    more()
  })
  const unsigned = await host((_request, response) => void response.end('{"code_url":"weixin://x"}'))
  const one = stage.wish()
  const through = (baseUrl: string) => {
    const other = stage.adapter({ baseUrl })
    return failureOf(other.prepare(one.merchant, 'native', other.paymentBody(one)))
  }
  expect(await through(moved.url)).toBe('unknown HTTP_302')
  expect(target.asked).toEqual([])
  expect(await through(endless.url)).toBe('unknown TOO_LARGE')
  expect(await through(unsigned.url)).toBe('unknown RESPONSE_SIGNATURE')
})

test('a query that was answered with a wrong signature is made again, once', async () => {
  const one = stage.wish()
  await stage.place(one)
  const path = one.outTradeNo
  await stage.ctl('faults', { kind: 'broken_response_signature', path })
  expect(await stage.pay.query(one.merchant, one.outTradeNo)).toMatchObject({ state: 'NOTPAY' })
  await stage.ctl('faults', { kind: 'broken_response_signature', path, times: 2 })
  expect(await failureOf(stage.pay.query(one.merchant, one.outTradeNo))).toBe('unknown RESPONSE_SIGNATURE')
})
