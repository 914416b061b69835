import { get, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Edge, Tx } from './context.ts'
import { endpoint } from './endpoint.ts'
import { createHttpApp, serve } from './http.ts'
import { createLog } from './log.ts'

const row = `${'a line of a file, '.repeat(400)}\n`

/** Some lines, and then the database is gone. */
async function* breaking(code: string): AsyncGenerator<string> {
  for (let at = 0; at < 200; at += 1) yield row
  throw Object.assign(new Error('the database is gone'), { code, parameters: ['羲和'] })
}

async function* endless(): AsyncGenerator<string> {
  for (;;) yield row
}

const files: Readonly<Record<string, () => Readable>> = {
  broken: () => Readable.from(breaking('ER_LOCK')),
  'broken-line': () => Readable.from(breaking('ECONNRESET')),
  endless: () => Readable.from(endless()),
  whole: () => Readable.from([row, row]),
}

/** Told when the stream of an answer is closed. */
let closed = Promise.withResolvers<void>()
const endpoints = [
  endpoint({
    ...({ method: 'GET', path: '/files/:name', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: z.object({ name: z.string(), type: z.string() }),
    run: async (_edge, { name, type }, http) => {
      http.setHeader('Content-Type', type)
      const stream = files[name]!()
      stream.once('close', () => closed.resolve())
      return stream
    },
  }),
]

const lines: string[] = []
const inTx = (work: (tx: Tx) => Promise<unknown>) => work({} as Tx)
let server: Awaited<ReturnType<typeof serve>>
beforeAll(async () => {
  const app = createHttpApp({
    endpoints,
    // The endpoint above uses neither the database nor the ports.
    edgeFor: () => ({ tx: inTx, read: inTx }) as Edge,
    authenticate: async () => ({ kind: 'anybody' }),
    origins: [],
    log: createLog({ stream: { write: (line: string) => void lines.push(line) } }),
  })
  server = await serve(app, 0, '127.0.0.1')
})
afterAll(() => server.close(1000))

function ask(name: string, type: string, encoding: string): Promise<IncomingMessage> {
  closed = Promise.withResolvers()
  const path = `/files/${name}?type=${encodeURIComponent(type)}`
  const headers = { 'accept-encoding': encoding }
  return new Promise((resolve, reject) => {
    get({ port: server.port, host: '127.0.0.1', path, headers }, resolve).once('error', reject)
  })
}

/** How an answer ended: its whole text, or null when the line was cut. */
async function read(answer: IncomingMessage): Promise<string | null> {
  const body = answer.headers['content-encoding'] === 'gzip' ? answer.compose(createGunzip()) : answer
  const parts: Buffer[] = []
  try {
    for await (const part of body) parts.push(part as Buffer)
    return Buffer.concat(parts).toString('utf8')
  } catch {
    return null
  }
}

const faults = (): string[] => lines.filter((line) => line.includes('"level":"error"'))

describe('an answer that is streamed', () => {
  it.each([
    ['gzip', 'broken'],
    ['identity', 'broken'],
    ['gzip', 'broken-line'],
    ['identity', 'broken-line'],
  ])('is cut short when it fails half way, and the log tells it once (%s, %s)', async (encoding, name) => {
    lines.length = 0
    const answer = await ask(name, 'text/csv; charset=utf-8', encoding)
    expect(answer.headers['content-encoding']).toBe(encoding === 'gzip' ? 'gzip' : undefined)
    expect(await read(answer)).toBeNull()
    expect(faults()).toHaveLength(1)
    expect(faults()[0]).toContain('the database is gone')
    expect(lines.join('')).not.toContain('羲和')
  })

  it.each(['gzip', 'identity'])('is no fault when its reader leaves, and ends then (%s)', async (encoding) => {
    lines.length = 0
    const answer = await ask('endless', 'text/csv', encoding)
    answer.destroy()
    await closed.promise
    expect(await read(await ask('whole', 'text/csv', encoding))).toBe(row + row)
    expect(faults()).toEqual([])
  })

  it.each([
    ['text/csv', 'gzip'],
    ['text/html', 'gzip'],
    ['text/calendar', 'gzip'],
    ['application/json', 'gzip'],
    ['application/problem+json', 'gzip'],
    ['application/javascript', 'gzip'],
    ['image/svg+xml', 'gzip'],
    ['application/xml', 'gzip'],
    ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', undefined],
    ['application/zip', undefined],
    ['application/vnd.apple.pkpass', undefined],
    ['application/pdf', undefined],
    ['image/png', undefined],
  ])('of %s is sent as %s', async (type, encoding) => {
    const answer = await ask('whole', type, 'gzip')
    expect(answer.headers['content-encoding']).toBe(encoding)
    expect(await read(answer)).toBe(row + row)
  })
})
