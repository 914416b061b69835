import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Actor, Edge, Tx } from './context.ts'
import { cookieLine, decodeSession, encodeSession } from './cookies.ts'
import { endpoint } from './endpoint.ts'
import { createHttpApp, serve, type HttpOptions } from './http.ts'
import type { Problem } from './errors.ts'
import { Secret, silentLog } from './log.ts'
import { openApiOf } from './openapi.ts'

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
      await new Promise((resolve) => setTimeout(resolve, 300))
      return 'done'
    },
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
    const slow = fetch(`http://127.0.0.1:${closing.port}/slow`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await closing.close(5000)
    expect(await (await slow).text()).toBe('done')
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
})
