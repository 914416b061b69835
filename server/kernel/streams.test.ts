import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Edge } from './context.ts'
import { endpoint, type SendEvent } from './endpoint.ts'
import { createHttpApp, serve } from './http.ts'
import { silentLog, type RootLog } from './log.ts'

/** What each path tells its listener. */
const produced: Readonly<Record<string, (send: SendEvent, gone: AbortSignal) => Promise<void>>> = {
  '/brief': async (send) => {
    send('first', { n: 1 })
    send('last', { text: '两行\n' })
  },
  '/long': async (send, gone) => {
    send('first', {})
    await new Promise((resolve) => setTimeout(resolve, 20))
    send('second', {})
    if (!gone.aborted) await new Promise((resolve) => gone.addEventListener('abort', resolve))
  },
  '/failing': async (send) => {
    send('first', {})
    await new Promise((resolve) => setTimeout(resolve, 20))
    throw new Error('the database is away')
  },
  '/empty': async () => undefined,
}
const endpoints = Object.entries(produced).map(([path, produce]) =>
  endpoint({
    ...({ method: 'GET', path, may: 'home.read', scope: 'edge', output: 'stream' } as const),
    input: z.object({}),
    run: async (_edge, _input, http) => http.sse(produce),
  }),
)

const told: unknown[] = []
let server: Awaited<ReturnType<typeof serve>>
beforeAll(async () => {
  const log: RootLog = { ...silentLog(), error: (facts: unknown) => void told.push(facts) }
  const who = { kind: 'member', companyId: 'com_1', memberId: 'mem_1', roles: ['hr'] } as never
  const app = createHttpApp({
    endpoints,
    edgeFor: () => ({}) as Edge,
    authenticate: async () => who,
    origins: [],
    log,
  })
  server = await serve(app, 0, '127.0.0.1')
})
afterAll(() => server.close(1000))

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, init)

test('events come in their order, the last one with the end, and are neither kept nor packed', async () => {
  const answer = await ask('/brief', { headers: { 'accept-encoding': 'gzip' } })
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'content-security-policy': expect.any(String),
  })
  expect(answer.headers.get('content-encoding')).toBeNull()
  expect(await answer.text()).toBe('event: first\ndata: {"n":1}\n\nevent: last\ndata: {"text":"两行\\n"}\n\n')
  expect(await (await ask('/empty')).text()).toBe('')
})

test('an event is there when it is sent, though the stream goes on', async () => {
  const leaving = new AbortController()
  const reader = (await ask('/long', { signal: leaving.signal })).body!.getReader()
  let text = ''
  while (!text.includes('second')) text += Buffer.from((await reader.read()).value!).toString()
  expect(text).toBe('event: first\ndata: {}\n\nevent: second\ndata: {}\n\n')
  leaving.abort()
})

test('where producing fails the reader is cut off and the log knows why', async () => {
  await expect(ask('/failing').then((answer) => answer.text())).rejects.toThrow()
  expect(told).toMatchObject([{ err: { message: 'the database is away' } }])
})

test('who asks for the head alone gets it, and holds no stream', async () => {
  for (let asked = 0; asked < 20; asked += 1) {
    const answer = await ask('/long', { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  }
})
