import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { OutsideError } from '../../kernel/outside.ts'
import { webhookAdapter, type WebhookOptions } from './adapter.ts'
import { isPublicAddress } from './public-address.ts'

const NOW = Date.UTC(2026, 10, 23, 8)
const message = { secret: 'k', eventId: 'whd_1', event: 'redemption.captured', body: '{"id":"whd_1","amountFen":1}' }
let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function listen(handle: RequestListener): Promise<string> {
  server = createServer(handle)
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=1`
}

const open = (more: Partial<WebhookOptions> = {}) => webhookAdapter({ anywhere: true, now: () => NOW, ...more })
const failure = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(OutsideError)
  const { outcome, code } = error as OutsideError
  return [outcome, code]
}
const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

describe('what is sent', () => {
  test('the body byte for byte, signed over time stamp and body, with the id of the event', async () => {
    const got: { url?: string; headers?: IncomingMessage['headers']; body?: string } = {}
    const url = await listen((request, response) => {
      void bodyOf(request).then((body) => {
        Object.assign(got, { url: request.url, headers: request.headers, body })
        response.writeHead(204).end()
      })
    })
    expect(await open().send({ ...message, url })).toEqual({ status: 204 })
    expect([got.url, got.body]).toEqual(['/hook?a=1', message.body])
    const seconds = String(NOW / 1000)
    expect(got.headers).toMatchObject({
      'fulika-event-id': 'whd_1',
      'fulika-event': 'redemption.captured',
      'fulika-timestamp': seconds,
      'fulika-signature': `v1=${createHmac('sha256', 'k').update(`${seconds}.${message.body}`).digest('hex')}`,
    })
  })

  test('a redirect is an answer: it is not followed', async () => {
    let asked = 0
    const url = await listen((_request, response) => {
      asked += 1
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect(await open().send({ ...message, url })).toEqual({ status: 302 })
    expect(asked).toBe(1)
  })
})

describe('answers that are none', () => {
  test('silence, a cut line and nobody there are unknown; an endless answer is cut and its status counts', async () => {
    const silent = await listen(() => undefined)
    expect(await failure(open({ timeoutMs: 50 }).send({ ...message, url: silent }))).toEqual(['unknown', 'TIMEOUT'])
    server?.closeAllConnections()
    server?.close()
    expect(await failure(open().send({ ...message, url: silent }))).toEqual(['unknown', 'NETWORK'])
    const cut = await listen((request) => request.socket.destroy())
    expect(await failure(open().send({ ...message, url: cut }))).toEqual(['unknown', 'NETWORK'])
    server?.close()
    let ended = false
    const endless = await listen((_request, response) => {
      response.writeHead(200)
      const more = setInterval(() => response.write('x'.repeat(4096)), 1)
      response.on('close', () => {
        clearInterval(more)
        ended = true
      })
    })
    expect(await open().send({ ...message, url: endless })).toEqual({ status: 200 })
    await expect.poll(() => ended).toBe(true)
  })
})

describe('where a merchant may send us', () => {
  const production = (address: string, family = 4) =>
    open({ anywhere: false, timeoutMs: 50, resolve: async () => [{ address, family }] })

  test('in production https alone, and only to the public internet, by name or by number', async () => {
    for (const url of ['http://erp.example.com/', 'http://1.1.1.1/'])
      expect([url, await failure(production('1.1.1.1').send({ ...message, url }))]).toEqual([
        url,
        ['refused', 'NOT_HTTPS'],
      ])
    for (const url of ['https://127.0.0.1/', 'https://2130706433/', 'https://[::1]/', 'https://[::ffff:10.0.0.1]/'])
      expect([url, await failure(production('1.1.1.1').send({ ...message, url }))]).toEqual([
        url,
        ['refused', 'NOT_PUBLIC'],
      ])
    for (const address of ['10.1.2.3', '169.254.169.254', '127.0.0.1', '::1', 'fd00::1', 'fe80::1']) {
      const sent = production(address, address.includes(':') ? 6 : 4).send({
        ...message,
        url: 'https://erp.example.com/',
      })
      expect([address, await failure(sent)]).toEqual([address, ['refused', 'NOT_PUBLIC']])
    }
  })

  test('one private address among public ones is enough to refuse; a name that leads nowhere is unknown', async () => {
    const both = async () => [
      { address: '1.1.1.1', family: 4 },
      { address: '192.168.1.1', family: 4 },
    ]
    const url = 'https://erp.example.com/'
    expect(await failure(open({ anywhere: false, resolve: both }).send({ ...message, url }))).toEqual([
      'refused',
      'NOT_PUBLIC',
    ])
    expect(await failure(open({ resolve: async () => [] }).send({ ...message, url }))).toEqual(['unknown', 'NAME'])
  })

  test('the time runs while the name is looked for', async () => {
    const never = () => new Promise<never>(() => undefined)
    const url = 'https://erp.example.com/'
    expect(await failure(open({ timeoutMs: 50, resolve: never }).send({ ...message, url }))).toEqual([
      'unknown',
      'TIMEOUT',
    ])
  })

  test('the connection goes to what was looked at, whatever the name says a moment later', async () => {
    const url = await listen((request, response) =>
      response.writeHead(request.headers.host === 'erp.invalid' ? 500 : 200).end(),
    )
    const port = new URL(url).port
    const sent = open({ resolve: async () => [{ address: '127.0.0.1', family: 4 }] })
    expect(await sent.send({ ...message, url: `http://erp.invalid:${port}/` })).toEqual({ status: 200 })
  })

  test('which addresses are public', () => {
    for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])
      expect([address, isPublicAddress(address)]).toEqual([address, true])
    const others = [
      '0.0.0.0',
      '10.0.0.1',
      '100.64.0.1',
      '127.1.2.3',
      '169.254.1.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
    ]
    const more = [
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      'fc00::1',
      'fe80::1',
      '64:ff9b::a00:1',
      '2001::1',
    ]
    for (const address of [...others, ...more, '2002:a00:1::', '2001:db8::1', '::ffff:10.0.0.1', 'erp.example.com', ''])
      expect([address, isPublicAddress(address)]).toEqual([address, false])
  })
})
