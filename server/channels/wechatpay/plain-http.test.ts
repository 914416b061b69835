import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getGlobalDispatcher, ProxyAgent, setGlobalDispatcher } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readLimited } from '../../kernel/read-limited.ts'
import { sendHttp, type HttpRequest } from './plain-http.ts'

let server: Server
let base = ''
beforeAll(async () => {
  server = createServer((request, response) => {
    request.setEncoding('utf8')
    let text = ''
    request.on('data', (part: string) => (text += part))
    request.on('end', () => {
      if (request.url === '/silent') return
      if (request.url === '/half') {
        response.writeHead(200, { 'content-length': 100 })
        return void response.write('half', () => response.destroy())
      }
      if (request.url === '/slow') return void response.writeHead(200).write('beginning')
      if (request.url === '/away') return void response.writeHead(302, { location: `${base}/` }).end()
      if (request.url === '/large') return void response.end(Buffer.alloc(200_000))
      response.setHeader('X-Twice', ['one', 'two'])
      response.end(JSON.stringify([request.method, request.headers['x-asked'], text]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const wish = (more: Partial<HttpRequest> = {}): HttpRequest => {
  const signal = AbortSignal.timeout(2_000)
  return { method: 'POST', headers: { 'x-asked': 'yes' }, redirect: 'manual', signal, body: 'Grüße 你好', ...more }
}
const textOf = async (path: string, more?: Partial<HttpRequest>): Promise<string> =>
  (await readLimited(await sendHttp(base + path, wish(more)), 1_000, 'it')).toString('utf8')

test('what is sent arrives, and what is answered is read whatever the case of a header', async () => {
  const answer = await sendHttp(`${base}/`, wish())
  expect([answer.status, answer.headers.get('x-TWICE'), answer.headers.get('absent')]).toEqual([200, 'one, two', null])
  expect(JSON.parse((await readLimited(answer, 1_000, 'it')).toString())).toEqual(['POST', 'yes', 'Grüße 你好'])
})

test('nobody is followed elsewhere', async () => {
  const answer = await sendHttp(`${base}/away`, wish())
  expect([answer.status, answer.headers.get('location')]).toEqual([302, `${base}/`])
})

test('where the process goes out by a proxy this does too, as `fetch` does', async () => {
  const before = getGlobalDispatcher()
  const proxy = new ProxyAgent({ uri: base, proxyTunnel: false })
  setGlobalDispatcher(proxy)
  try {
    const answer = await sendHttp('http://pay.fulika.test/', wish())
    expect(JSON.parse((await readLimited(answer, 1_000, 'it')).toString())).toEqual(['POST', 'yes', 'Grüße 你好'])
  } finally {
    setGlobalDispatcher(before)
    await proxy.close()
  }
})

test('time counts until the whole answer is there', async () => {
  for (const path of ['/silent', '/slow'])
    await expect(textOf(path, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('half an answer is none', async () => {
  await expect(textOf('/half')).rejects.toThrow()
})

test('where nobody listens the error says so', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  await expect(sendHttp(`http://127.0.0.1:${port}/`, wish())).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
})

test('an answer that grows too large is left, and the next call goes on', async () => {
  await expect(textOf('/large')).rejects.toMatchObject({ code: 'TOO_LARGE' })
  await expect(textOf('/')).resolves.toContain('POST')
})
