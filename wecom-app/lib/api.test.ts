import { afterEach, expect, test, vi } from 'vitest'
import { ApiProblem, get, isMissing, keptKey, readProblem, send, signedOut, toApiProblem, withQuery } from './api.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  signedOut.value = false
})

/** The browser's edge, as far as api.ts touches it: each call takes the next answer. */
function answers(...list: (Response | Error)[]): Request[] {
  const seen: Request[] = []
  vi.stubGlobal('document', { documentElement: { lang: 'zh-CN' } })
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const { credentials: _, ...rest } = init
    seen.push(new Request(`http://here.test${path}`, rest))
    const next = list.shift() ?? new Error('more calls than answers')
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next)
  })
  return seen
}
const problem = (status: number, code: string): Response =>
  new Response(JSON.stringify({ code, title: 'what to do', requestId: 'r-12345678' }), { status })

test('a problem is read with all it says', () => {
  const body = JSON.stringify({
    code: 'malformed_request',
    title: '改正字段',
    field: 'rows.0',
    row: 7,
    requestId: 'abc',
  })
  const read = readProblem(422, body, 'from-header')
  expect(read).toBeInstanceOf(ApiProblem)
  expect(read).toMatchObject({ status: 422, code: 'malformed_request', title: '改正字段', field: 'rows.0', row: 7 })
  expect(read.requestId).toBe('abc')
})

test('what is not a problem still becomes one, with words to show', () => {
  vi.stubGlobal('document', { documentElement: { lang: 'zh-CN' } })
  for (const body of ['', '<html>', 'null', '[]', '{"code":5,"row":"x"}'])
    expect(readProblem(502, body, 'r-1')).toMatchObject({
      code: 'http_502',
      title: '连接不上服务器',
      row: null,
      requestId: 'r-1',
    })
  expect(toApiProblem(new TypeError('x'))).toMatchObject({ status: 0, code: 'network' })
  vi.stubGlobal('document', { documentElement: { lang: 'en' } })
  expect(toApiProblem(new TypeError('x')).message).toBe('The server cannot be reached')
})

test('an address that names nothing, or is mistyped, is told from a field that is wrong', () => {
  const read = (status: number, facts: object): boolean => isMissing(readProblem(status, JSON.stringify(facts), null))
  expect(read(404, { code: 'not_found', title: 't' })).toBe(true)
  expect(read(422, { code: 'malformed_request', title: 't', field: 'id' })).toBe(true)
  expect(read(422, { code: 'malformed_request', title: 't', field: 'faceFen' })).toBe(false)
  expect(isMissing(null)).toBe(false)
})

test('a query leaves out what is not given and keeps false and 0', () => {
  expect(withQuery('/a', { x: null, y: undefined, z: '' })).toBe('/a')
  expect(withQuery('/a', { faulty: false, after: 0, name: '张 三' })).toBe(
    '/a?faulty=false&after=0&name=%E5%BC%A0+%E4%B8%89',
  )
})

test('a lost write with a key is repeated with the same key, and the next intent has another', async () => {
  const key = keptKey()
  const seen = answers(new TypeError('lost'), Response.json({ id: 1 }), Response.json({ id: 2 }))
  expect(await send('POST', '/x', { a: 1 }, key)).toEqual({ id: 1 })
  await send('POST', '/x', { a: 1 }, key)
  const keys = seen.map((request) => request.headers.get('idempotency-key'))
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
  expect(keys[1]).toBe(keys[0])
  expect(keys[2]).not.toBe(keys[0])
})

test('a fault of the server keeps the key for the next try; a refusal ends it', async () => {
  const key = keptKey()
  const seen = answers(problem(500, 'internal'), problem(409, 'state_conflict'), Response.json({}))
  await expect(send('POST', '/x', {}, key)).rejects.toMatchObject({ code: 'internal' })
  await expect(send('POST', '/x', {}, key)).rejects.toMatchObject({ code: 'state_conflict', requestId: 'r-12345678' })
  await send('POST', '/x', {}, key)
  const keys = seen.map((request) => request.headers.get('idempotency-key'))
  expect(keys[1]).toBe(keys[0])
  expect(keys[2]).not.toBe(keys[1])
})

test('what was corrected after a lost answer has a key of its own; the same content has the key that it had', async () => {
  const key = keptKey()
  const lost = (): Error => new TypeError('lost')
  const seen = answers(lost(), lost(), lost(), problem(409, 'state_conflict'), Response.json({}), Response.json({}))
  await expect(send('POST', '/x', { number: '1' }, key)).rejects.toMatchObject({ status: 0 })
  await expect(send('POST', '/x', { number: '2' }, key)).rejects.toMatchObject({ status: 409 })
  await send('POST', '/x', { number: '1' }, key)
  await send('POST', '/y', { number: '1' }, key)
  const [first, , , corrected, again, elsewhere] = seen.map((request) => request.headers.get('idempotency-key'))
  expect(corrected).not.toBe(first)
  expect(again).toBe(first)
  expect([first, corrected]).not.toContain(elsewhere)
})

test('a write without a key is never repeated', async () => {
  const seen = answers(new TypeError('lost'), Response.json({}))
  await expect(send('PATCH', '/x', {})).rejects.toMatchObject({ status: 0 })
  expect(seen).toHaveLength(1)
})

test('reading stops when it is called off, and says when nobody is signed in', async () => {
  answers(problem(401, 'unauthenticated'))
  await expect(get('/x')).rejects.toMatchObject({ status: 401 })
  expect(signedOut.value).toBe(true)
})

test('an answer without a body is nothing', async () => {
  answers(new Response(null, { status: 204 }))
  expect(await send('POST', '/x', {})).toBeUndefined()
})
