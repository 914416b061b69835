import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from './kernel/context.ts'
import { createHttpApp, serve } from './kernel/http.ts'
import { silentLog } from './kernel/log.ts'
import { pagesOf } from './pages.ts'

const built = ['console', 'pack', 'shop', 'ops', 'till']
let server: Awaited<ReturnType<typeof serve>>
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-pages-'))
  const root = join(folder, 'dist')
  for (const name of ['assets', ...built]) mkdirSync(join(root, name), { recursive: true })
  for (const name of built) writeFileSync(join(root, name, 'index.html'), `<p>${name}</p>`)
  writeFileSync(join(root, 'assets/page-1a2B.js'), 'let page')
  writeFileSync(join(root, 'assets/.hidden'), 'hidden')
  writeFileSync(join(folder, 'secret.json'), 'secret')
  const app = createHttpApp({
    endpoints: [],
    edgeFor: () => ({}) as Edge,
    authenticate: async () => ({ kind: 'anybody' }),
    origins: [],
    log: silentLog(),
    pages: pagesOf(root),
  })
  server = await serve(app, 0, '127.0.0.1')
})
afterAll(() => server.close(1_000))

interface Got {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Asks for a path as it is written: `fetch` would tidy it first. */
function get(path: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request({ port: server.port, path }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      answer.once('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }))
    })
    sent.once('error', reject)
    sent.end()
  })
}

test('pages are served with a policy of what they may load, in no frame of another site, and are asked for anew', async () => {
  for (const path of ['/console/', '/console/campaigns/x', '/pack/', '/shop/buy/x', '/ops', '/till/enter/x']) {
    const { status, headers, text } = await get(path)
    expect([status, headers['cache-control'], text]).toEqual([200, 'no-cache', `<p>${path.split('/')[1]}</p>`])
    const policy = String(headers['content-security-policy'])
    for (const part of ["script-src 'self'", "object-src 'none'", "frame-ancestors 'self'", "base-uri 'self'"])
      expect(policy).toContain(part)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  }
  const asset = await get('/assets/page-1a2B.js')
  expect([asset.status, asset.text]).toEqual([200, 'let page'])
  expect(asset.headers['cache-control']).toContain('immutable')
})

test('only the till may use the camera, and nobody listens', async () => {
  const policies = await Promise.all(
    ['console', 'pack', 'ops', 'till'].map(async (page) => (await get(`/${page}/`)).headers['permissions-policy']),
  )
  expect(policies).toEqual([
    'camera=(), geolocation=(), microphone=()',
    'camera=(), geolocation=(self), microphone=()',
    'camera=(), geolocation=(), microphone=()',
    'camera=(self), geolocation=(), microphone=()',
  ])
})

test.each([
  '/assets/../../secret.json',
  '/assets/../console/index.html',
  '/assets/..%2f..%2fsecret.json',
  '/assets/%2e%2e/%2e%2e/secret.json',
  '/assets/..\\..\\secret.json',
  '/assets/.hidden',
  '/assets/',
  '/assets/page-1a2B.js%00',
  '/assets//etc/passwd',
  '/assets/../../../../../../../etc/passwd',
  '/assets/../../nothing.json',
  '/secret.json',
])('%s is not there, whether or not such a file is', async (path) => {
  const { status, text } = await get(path)
  expect(status).toBe(404)
  expect(text).not.toMatch(/secret$|hidden|root:/)
})

test('a buyer’s cards are shown by the pages of the card pack; a path that only begins like a page’s is none', async () => {
  expect((await get('/mine/cards/x')).text).toBe('<p>pack</p>')
  for (const path of ['/minecraft', '/shopping', '/constructor/x', '/__proto__'])
    expect((await get(path)).status).toBe(404)
})
