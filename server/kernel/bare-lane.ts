import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Lang } from '../../contract/error-codes.ts'
import type { Actor, Edge } from './context.ts'
import type { Endpoint, Http } from './endpoint.ts'
import { AppError, sayLimit, toAppError, toProblem } from './errors.ts'
import type { RootLog } from './log.ts'
import type { HttpMetrics } from './metrics.ts'
import { networkOf, plainAddress } from './network.ts'
import type { Rate } from './rate.ts'

/** What the lane takes from the web side around it. */
export interface BareLane {
  readonly endpoints: readonly Endpoint[]
  readonly edgeFor: (actor: Actor, log: RootLog, requestId: string) => Edge
  readonly log: RootLog
  readonly metrics: HttpMetrics
  readonly rate: Rate
  readonly trustProxy: boolean
  readonly limitBytes: number
}

const anybody: Actor = { kind: 'anybody' }

/**
 * Answers `bare` endpoints ahead of everything that is there for browsers: a provider tells of thousands of payments a
 * second, each judged by its signature, and reads a status. The address pays for what is refused alone. A request's log
 * line, metrics and problem are those of every other. False: the request is not for this lane.
 */
export function bareLane(lane: BareLane): (request: IncomingMessage, response: ServerResponse) => boolean {
  const known = new Map(lane.endpoints.filter((one) => one.bare === true).map((one) => [one.path, one]))
  return (request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const one = known.get(path)
    if (one === undefined || request.method !== one.method) return false
    void answer(lane, one, query, request, response)
    return true
  }
}

async function answer(
  lane: BareLane,
  one: Endpoint,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now()
  const given = String(request.headers['x-request-id'] ?? '')
  const requestId = /^[\w.-]{8,64}$/.test(given) ? given : randomUUID()
  const headers: Record<string, string> = { 'X-Request-Id': requestId, 'Cache-Control': 'no-store' }
  const ip = addressOf(request, lane.trustProxy)
  const who = `ip:${networkOf(ip)}`
  let [status, body] = [204, '']
  try {
    await lane.rate.mustHaveLeft(who)
    const facts = { raw: await readBody(request, one.limitBytes ?? lane.limitBytes), requestId, ip }
    const edge = lane.edgeFor(anybody, childOf(lane.log, requestId), requestId)
    await one.handle(edge, Object.fromEntries(new URLSearchParams(query)), httpOf(request, facts))
  } catch (error) {
    const known = toAppError(error)
    const problem = toProblem(known, langOf(request), requestId)
    if (problem.status >= 500)
      lane.log.error({ requestId, code: problem.code, err: known.cause ?? known }, 'request failed')
    else if (problem.status !== 429) await lane.rate.spend(who, 1).catch(() => undefined)
    const retryMs = known.more.retryAfterMs ?? (problem.status === 503 ? 1000 : undefined)
    if (retryMs !== undefined) headers['Retry-After'] = String(Math.ceil(retryMs / 1000))
    if (problem.status === 413) headers['Connection'] = 'close'
    headers['Content-Type'] = 'application/problem+json; charset=utf-8'
    status = problem.status
    body = JSON.stringify(problem)
  }
  if (body !== '') headers['Content-Length'] = String(Buffer.byteLength(body))
  response.writeHead(status, headers).end(body)
  const seconds = (performance.now() - started) / 1000
  lane.metrics.record(one.method, one.path, status, seconds)
  const line = { requestId, method: one.method, route: one.path, status, ms: Math.round(seconds * 1000) }
  lane.log.plain(line, 'request')
}

/** Programs call here, not browsers: the first language that they name decides; Chinese when they name none. */
const langOf = (request: IncomingMessage): Lang =>
  /^\s*en\b/i.test(request.headers['accept-language'] ?? '') ? 'en' : 'zh'

/** The nearest proxy adds the address that it saw at the end; whatever stands before it the caller may have written. */
function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? String(request.headers['x-forwarded-for'] ?? '') : ''
  return forwarded.split(',').at(-1)?.trim() || (request.socket.remoteAddress ?? '')
}

function httpOf(request: IncomingMessage, facts: { raw: Buffer; requestId: string; ip: string }): Http {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  return {
    ...facts,
    ip: networkOf(facts.ip),
    clientIp: plainAddress(facts.ip),
    headers,
    params: {},
    query: {},
    idempotencyKey: null,
    lang: langOf(request),
    setCookie: notHere,
    setHeader: notHere,
    redirect: notHere,
    sse: notHere,
  }
}

const notHere = (): never => {
  throw new Error('a bare endpoint answers with its status alone')
}

/** Refuses by the stated length before reading, and by the counted length while reading. */
function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const tooLarge = (): AppError => {
    request.resume()
    return new AppError('payload_too_large', { detail: sayLimit(limitBytes) })
  }
  if (Number(request.headers['content-length']) > limitBytes) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= limitBytes) return void chunks.push(chunk)
      request.off('data', take)
      reject(tooLarge())
    }
    request.on('data', take)
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.once('error', (cause) => reject(new AppError('malformed_request', { cause })))
  })
}

/** The log with the request's id on each line, made with its first line: most requests say nothing. */
export function childOf(log: RootLog, requestId: string): RootLog {
  let made: RootLog | undefined
  const child = (): RootLog => (made ??= log.child({ requestId }))
  return {
    plain: (fields, message) => child().plain(fields, message),
    debug: (fields, message) => child().debug(fields, message),
    info: (fields, message) => child().info(fields, message),
    warn: (fields, message) => child().warn(fields, message),
    error: (fields, message) => child().error(fields, message),
    child: (fields) => child().child(fields),
  }
}
