import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Actor, Edge, Tx } from './context.ts'
import { cookieLine, decodeSession, encodeSession } from './cookies.ts'
import { endpoint, searchHeader } from './endpoint.ts'
import { createHttpApp, serve, type HttpOptions } from './http.ts'
import { refuse, type Problem } from './errors.ts'
import { Secret, silentLog } from './log.ts'
import { openApiOf } from './openapi.ts'

/** Told when the slow request has begun. */
const slow = { begun: (): void => undefined }
const endpoints = [
  endpoint({
    ...({ method: 'GET', path: '/things/:id', may: 'public', scope: 'read' } as const),
    input: z.object({ id: z.string() }),
    output: z.object({ id: z.string() }),
    run: async (_tx, { id }) => ({ id, secret: 'kept' }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/campaigns', may: 'campaign.create', scope: 'tx', body: 'json' } as const),
    idempotent: true,
    limitBytes: 100,
    input: z.object({ name: z.string() }),
    output: z.object({ name: z.string() }),
    run: async (_tx, input) => input,
  }),
  endpoint({
    ...({ method: 'GET', path: '/slow', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: z.object({}),
    run: async () => {
      slow.begun()
      await new Promise((resolve) => setTimeout(resolve, 300))
      return 'done'
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/events', may: 'home.read', scope: 'edge', output: 'stream' } as const),
    input: z.object({}),
    run: async (_edge, _input, http) => {
      http.sse(async (send, gone) => {
        send('hello', {})
        await new Promise((resolve) => gone.addEventListener('abort', resolve))
      })
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/people', may: 'public', scope: 'read', headerInputs: searchHeader } as const),
    input: z.object({ query: z.string().optional() }),
    output: z.object({ found: z.string().nullable() }),
    run: async (_tx, { query }) => ({ found: query ?? null }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/notify', may: 'notice', scope: 'edge', output: 'stream', body: 'raw' } as const),
    bare: true,
    limitBytes: 100,
    input: z.object({}),
    run: async (_edge, _input, http) => {
      if (http.raw?.toString() === 'crooked') refuse('notice_refused')
      if (http.raw?.toString() === 'broken') throw new Error('ours')
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/cookie', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: z.object({}),
    run: async (_edge, _input, http) => http.setCookie('fulika_x', 'a;b', { path: '/hr', maxAgeMs: 1000 }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/broken-file', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: z.object({}),
    run: async (_edge, _input, http) => {
      http.setHeader('Content-Disposition', 'attachment; filename="people.xlsx"')
      throw new Error('half way')
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/signed', may: 'pos.use', scope: 'edge', body: 'json', signed: true } as const),
    limitBytes: 100,
    input: z.looseObject({}),
    output: z.looseObject({}),
    run: async (_edge, input) => input,
  }),
  endpoint({
    ...({ method: 'GET', path: '/broken', may: 'public', scope: 'edge' } as const),
    input: z.object({}),
    output: z.object({}),
    run: async () => {
      throw new Error('password is hunter2')
    },
  }),
]

// The endpoints above use neither the database nor the ports.
const inTx = (work: (tx: Tx) => Promise<unknown>) => work({} as Tx)
const edge = { tx: inTx, read: inTx } as Edge

function actorOf(role: string | undefined): Actor {
  if (role === undefined) return { kind: 'anybody' }
  return { kind: 'member', companyId: 'com_1', memberId: `mem_${role}`, roles: [role] } as unknown as Actor
}

function open(more: Partial<HttpOptions> = {}): ReturnType<typeof serve> {
  const app = createHttpApp({
    endpoints,
    edgeFor: () => edge,
    authenticate: async ({ cookies, headers }) => actorOf(cookies.get('role') ?? headers['x-role']),
    origins: ['https://fulika.test'],
    log: silentLog(),
    ...more,
  })
  return serve(app, 0, '127.0.0.1')
}

let base = ''
let server: Awaited<ReturnType<typeof serve>>
beforeAll(async () => {
  server = await open()
  base = `http://127.0.0.1:${server.port}`
})
afterAll(() => server.close(1000))

function post(body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${base}/campaigns`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k1', ...headers },
  })
}

describe('http', () => {
  it('strips what the output does not name and echoes the request id', async () => {
    const answer = await fetch(`${base}/things/7`, { headers: { 'x-request-id': 'request-0001' } })
    expect(await answer.json()).toEqual({ id: '7' })
    expect(answer.headers.get('x-request-id')).toBe('request-0001')
    expect(answer.headers.get('content-security-policy')).toContain("img-src 'self' data: blob:")
  })

  it('tells 401, 403, 404 and 405 apart', async () => {
    expect((await post('{"name":"a"}', {})).status).toBe(401)
    expect((await post('{"name":"a"}', { 'x-role': 'finance' })).status).toBe(403)
    expect((await fetch(`${base}/nowhere`)).status).toBe(404)
    const wrong = await fetch(`${base}/things/7`, { method: 'DELETE' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'HEAD, GET'])
  })

  it('speaks Chinese first and English on request', async () => {
    const chinese = await fetch(`${base}/nowhere`)
    expect(chinese.headers.get('content-type')).toContain('application/problem+json')
    expect(await chinese.json()).toMatchObject({ code: 'not_found', title: expect.stringContaining('找不到') })
    const english = await fetch(`${base}/nowhere`, { headers: { 'accept-language': 'en' } })
    expect(await english.json()).toMatchObject({ title: expect.stringContaining('Not found') })
  })

  it('runs a good write and refuses bad ones', async () => {
    const hr = { 'x-role': 'hr' }
    expect((await post('{"name":"a"}', hr)).status).toBe(200)
    expect((await post('{"name":', hr)).status).toBe(422)
    const fault = (await (await post('{"name":5}', hr)).json()) as Problem
    expect([fault.code, fault.field, fault.detail]).toEqual(['malformed_request', 'name', undefined])
    expect(await (await post('5', hr)).json()).toMatchObject({ detail: '应为 JSON 对象。' })
    const english = await post('5', { ...hr, 'accept-language': 'en' })
    expect(await english.json()).toMatchObject({ detail: 'A JSON object is expected.' })
    expect((await post('a', { ...hr, 'content-type': 'text/plain' })).status).toBe(415)
    expect(await (await post('{}', { ...hr, 'idempotency-key': '' })).json()).toMatchObject({
      code: 'idempotency_key_missing',
    })
    expect((await post('x'.repeat(200), hr)).status).toBe(413)
  })

  it('refuses a body over the limit while it still streams', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { 'x-role': 'hr', 'idempotency-key': 'k', 'content-type': 'application/json' }
      const sent = request(`${base}/campaigns`, { method: 'POST', headers }, (answer) => {
        resolve(answer.statusCode)
        sent.destroy()
      })
      sent.once('error', reject)
      sent.write('x'.repeat(5000))
    })
    expect(status).toBe(413)
  })

  it('takes a write with a cookie only from our own pages', async () => {
    const cookie = 'role=hr'
    expect(await (await post('{"name":"a"}', { cookie })).json()).toMatchObject({ code: 'origin_refused' })
    expect((await post('{"name":"a"}', { cookie, origin: 'https://evil.test' })).status).toBe(403)
    expect((await post('{"name":"a"}', { cookie, origin: 'https://fulika.test' })).status).toBe(200)
  })

  it('takes no write from a foreign page, with or without a cookie', async () => {
    const evil = await post('{"name":"a"}', { 'x-role': 'hr', origin: 'https://evil.test' })
    expect([evil.status, ((await evil.json()) as Problem).code]).toEqual([403, 'origin_refused'])
    expect((await post('{"name":"a"}', { 'x-role': 'hr', origin: 'null' })).status).toBe(403)
    expect((await post('{"name":"a"}', { 'x-role': 'hr', origin: 'https://fulika.test' })).status).toBe(200)
  })

  it('reads a search from its header, and refuses it in an address', async () => {
    const search = (text: string) => fetch(`${base}/people`, { headers: { 'x-search': text } })
    expect(await (await search(encodeURIComponent('张三'))).json()).toEqual({ found: '张三' })
    expect(await (await fetch(`${base}/people`)).json()).toEqual({ found: null })
    expect(await (await search('%E5%BC')).json()).toMatchObject({ code: 'malformed_request', field: 'query' })
    const inAddress = await fetch(`${base}/people?query=13800000000`)
    expect(await inAddress.json()).toMatchObject({ code: 'malformed_request', field: 'query' })
  })

  it('keeps no answer in a cache and makes no file of a refusal', async () => {
    const headers = { 'x-role': 'hr' }
    const events = await fetch(`${base}/events`, { headers })
    const answers = [
      events,
      await fetch(`${base}/things/1`),
      await fetch(`${base}/nowhere`),
      await fetch(`${base}/broken`),
    ]
    expect(answers.map((answer) => answer.headers.get('cache-control'))).toEqual(answers.map(() => 'no-store'))
    await events.body?.cancel()
    const broken = await fetch(`${base}/broken-file`)
    expect([broken.status, broken.headers.get('content-disposition')]).toEqual([500, null])
  })

  it('keeps a number of streams open for a person and no more, and takes a new one for one that ended', async () => {
    const leaving = new AbortController()
    const stream = (role: string) => fetch(`${base}/events`, { headers: { 'x-role': role }, signal: leaving.signal })
    const many = await Promise.all(Array.from({ length: 14 }, () => stream('hr')))
    expect(many.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([...Array(12).fill(200), 429, 429])
    expect((await stream('finance')).status).toBe(200)
    const first = many.find((answer) => answer.status === 200)
    await first?.body?.cancel()
    await expect.poll(async () => (await stream('hr')).status).toBe(200)
    leaving.abort()
  })

  it('ends a stream after a while, so that who listens is asked for again', async () => {
    const short = await open({ streamMs: 200 })
    const answer = await fetch(`http://127.0.0.1:${short.port}/events`, { headers: { 'x-role': 'hr' } })
    expect(await answer.text()).toContain('event: hello')
    await short.close(1000)
  })

  it('knows an address by what the nearest proxy says, not by what the caller says', async () => {
    const small = await open({ rate: { points: 1, seconds: 60 }, trustProxy: true })
    const from = (line: string) =>
      fetch(`http://127.0.0.1:${small.port}/things/1`, { headers: { 'x-forwarded-for': line } })
    expect((await from('198.51.100.1, 203.0.113.9')).status).toBe(200)
    expect((await from('198.51.100.2, 203.0.113.9')).status).toBe(429)
    expect((await from('198.51.100.1, 203.0.113.8')).status).toBe(200)
    await small.close(1000)
  })

  it('gives cookies that scripts cannot read, foreign writes do not carry, and https keeps to itself', async () => {
    const behindProxy = await open({ trustProxy: true })
    const from = async (port: number) =>
      (await fetch(`http://127.0.0.1:${port}/cookie`, { headers: { 'x-forwarded-proto': 'https' } })).headers.get(
        'set-cookie',
      )
    const line = 'fulika_x=a%3Bb; Path=/hr; Max-Age=1; HttpOnly; SameSite=Lax'
    expect(await from(behindProxy.port)).toBe(`${line}; Secure`)
    expect(await from(server.port), 'a caller cannot pretend to be a proxy').toBe(line)
    await behindProxy.close(1000)
  })

  it('lets a provider tell of as much as it has to tell, and counts what is refused', async () => {
    const small = await open({ rate: { points: 2, seconds: 60 } })
    const tell = async (body: string) =>
      (await fetch(`http://127.0.0.1:${small.port}/notify`, { method: 'POST', body })).status
    for (let i = 0; i < 5; i += 1) expect(await tell('true')).toBe(204)
    for (let i = 0; i < 3; i += 1) expect(await tell('broken')).toBe(500)
    expect([await tell('crooked'), await tell('true'), await tell('crooked')]).toEqual([401, 204, 401])
    expect([await tell('crooked'), await tell('true')]).toEqual([429, 429])
    await small.close(1000)
  })

  it('answers a provider by status alone: its id, its limit, its problem, its proxy', async () => {
    const at = (path: string, more: RequestInit = {}) => fetch(`${base}${path}`, { method: 'POST', ...more })
    const plain = await at('/notify?a=1', { body: 'true', headers: { 'x-request-id': 'my-own-id-1' } })
    expect([plain.status, plain.headers.get('x-request-id'), await plain.text()]).toEqual([204, 'my-own-id-1', ''])
    const large = await at('/notify', { body: 'x'.repeat(101) })
    expect([large.status, large.headers.get('connection')]).toEqual([413, 'close'])
    const crooked = await at('/notify', { body: 'crooked' })
    expect(crooked.headers.get('content-type')).toContain('application/problem+json')
    expect(await crooked.json()).toMatchObject({ code: 'notice_refused', status: 401 })
    const broken = await (await at('/notify', { body: 'broken' })).text()
    expect(broken).toContain('internal')
    expect(broken).not.toContain('ours')
    expect((await fetch(`${base}/notify`)).status).toBe(405)
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('route="/notify"')
    const small = await open({ rate: { points: 1, seconds: 60 }, trustProxy: true })
    const from = async (line: string) => {
      const headers = { 'x-forwarded-for': line }
      return (await fetch(`http://127.0.0.1:${small.port}/notify`, { method: 'POST', body: 'crooked', headers })).status
    }
    expect([await from('198.51.100.1, 203.0.113.9'), await from('198.51.100.2, 203.0.113.9')]).toEqual([401, 429])
    expect(await from('198.51.100.1, 203.0.113.8')).toBe(401)
    await small.close(1000)
  })

  it('counts refused requests too', async () => {
    const small = await open({ rate: { points: 1, seconds: 60 } })
    const ask = () => fetch(`http://127.0.0.1:${small.port}/events`)
    expect([(await ask()).status, (await ask()).status]).toEqual([401, 429])
    await small.close(1000)
  })

  it('answers no path that only looks like one of its own', async () => {
    for (const path of ['/things/%2e%2e/events', '//things/1', '/%74hings/1', '/things/1/%2e']) {
      const status = await new Promise((resolve, reject) => {
        const sent = request({ port: server.port, path }, (answer) => resolve(answer.resume().statusCode))
        sent.once('error', reject)
        sent.end()
      })
      expect([404, 400], path).toContain(status)
    }
  })

  it('shows nothing of an unknown error', async () => {
    const answer = await fetch(`${base}/broken`)
    const text = await answer.text()
    expect(answer.status).toBe(500)
    expect(text).not.toMatch(/hunter2|\.ts|stack/)
  })

  it('answers probes and metrics', async () => {
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('route="/things/:id"')
    const unready = await open({ ready: async () => false })
    expect((await fetch(`http://127.0.0.1:${unready.port}/readyz`)).status).toBe(503)
    await unready.close(1000)
  })

  it('hands the bytes of a signed request to who judges it, once; the address pays for what is refused alone', async () => {
    const terminal = { kind: 'terminal', terminalId: 'trm_1' } as unknown as Actor
    const judge: HttpOptions['authenticate'] = async ({ method, url, headers, readBody }) => {
      const body = (await readBody()).toString('utf8')
      return headers['x-signed'] === `${method} ${url} ${body}` ? terminal : refuse('pos_signature_invalid')
    }
    const small = await open({ rate: { points: 10, seconds: 60 }, authenticate: judge })
    const ask = (body: string, signed: string) =>
      fetch(`http://127.0.0.1:${small.port}/signed?a=%20`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'x-signed': signed },
      })
    const good = await ask('{ "b":1}', 'POST /signed?a=%20 { "b":1}')
    expect([good.status, await good.json()]).toEqual([200, { a: ' ', b: 1 }])
    const large = `{"b":"${'x'.repeat(100)}"}`
    expect((await ask(large, `POST /signed?a=%20 ${large}`)).status).toBe(413)
    const told = []
    for (let guess = 0; guess < 11; guess += 1) told.push((await ask('{}', 'x')).status)
    expect(told).toEqual([...Array.from({ length: 9 }, () => 401), 429, 429])
    await small.close(1000)
  })

  it('limits the rate with Retry-After', async () => {
    const small = await open({ rate: { points: 1, seconds: 60 } })
    const address = `http://127.0.0.1:${small.port}/things/1`
    expect((await fetch(address)).status).toBe(200)
    const second = await fetch(address)
    expect([second.status, Number(second.headers.get('retry-after')) > 0]).toEqual([429, true])
    await small.close(1000)
  })

  it('finishes a slow request while it closes', async () => {
    const closing = await open()
    const begun = new Promise<void>((resolve) => (slow.begun = resolve))
    const answer = fetch(`http://127.0.0.1:${closing.port}/slow`)
    await begun
    await closing.close(5000)
    expect(await (await answer).text()).toBe('done')
  })
})

describe('cookies and documents', () => {
  it('opens only a session that we signed and that is not over', () => {
    const key = new Secret('k'.repeat(32))
    const text = encodeSession({ kind: 'member', ids: { memberId: 'mem_1' }, expiresAtMs: 1000 }, key)
    expect(decodeSession(text, key, 999)?.ids).toEqual({ memberId: 'mem_1' })
    expect(decodeSession(text, key, 1000)).toBeNull()
    expect(decodeSession(`x${text}`, key, 1)).toBeNull()
    expect(decodeSession(text, new Secret('other'), 1)).toBeNull()
    expect(cookieLine('s', text)).toContain('HttpOnly; SameSite=Lax')
    expect(JSON.stringify({ key }) + String(key)).toBe('{"key":"***"}***')
  })

  it('describes every endpoint', () => {
    expect(Object.keys((openApiOf(endpoints) as { paths: object }).paths)).toContain('/things/{id}')
  })

  it('names how signed requests are signed, where they are', () => {
    const document = openApiOf(endpoints) as {
      paths: Record<string, Record<string, { security?: unknown }>>
      components: { securitySchemes: Record<string, { scheme: string }> }
    }
    expect(document.paths['/signed']?.['post']?.security).toEqual([{ terminal: [] }])
    expect(document.paths['/campaigns']?.['post']?.security).toBeUndefined()
    expect(document.components.securitySchemes['terminal']?.scheme).toBe('FULIKA-HMAC-SHA256')
  })
})
