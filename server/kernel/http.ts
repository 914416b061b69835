import { randomUUID } from 'node:crypto'
import { IncomingMessage, ServerResponse, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { can } from '../../contract/abilities.ts'
import type { Lang } from '../../contract/error-codes.ts'
import { bareLane, childOf } from './bare-lane.ts'
import type { Actor, Edge } from './context.ts'
import { cookieLine, readCookies } from './cookies.ts'
import type { Endpoint, Http } from './endpoint.ts'
import { AppError, refuse, sayLimit, toAppError, toProblem } from './errors.ts'
import type { RootLog } from './log.ts'
import { createHttpMetrics, type HttpMetrics } from './metrics.ts'
import { networkOf, plainAddress } from './network.ts'
import type { House } from './house.ts'
import { packText } from './pack-text.ts'
import { pagePolicy } from './page-policy.ts'
import { rateLimit, type Rate } from './rate.ts'
import { routesOf } from './routes.ts'
import { countStreams, type Streams } from './streams.ts'

export interface Credentials {
  readonly method: string
  /** The path that is asked for: it decides whose session counts. */
  readonly path: string
  /** Path and query as they came: what a program signs. */
  readonly url: string
  readonly cookies: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string>>
  /** The body's bytes, within the endpoint's limit: only for whoever is known by a signature over them. */
  readonly readBody: () => Promise<Buffer>
}

export interface HttpOptions {
  readonly endpoints: readonly Endpoint[]
  readonly edgeFor: (actor: Actor, log: RootLog, requestId: string) => Edge
  readonly authenticate: (credentials: Credentials) => Promise<Actor>
  /** Origins whose pages may write with a session cookie. */
  readonly origins: readonly string[]
  readonly log: RootLog
  readonly ready?: () => Promise<boolean>
  readonly trustProxy?: boolean
  readonly rate?: { readonly points: number; readonly seconds: number }
  readonly metrics?: HttpMetrics
  /** How long a stream of events lasts before its listener must ask again. */
  readonly streamMs?: number
  /** Whose JS-SDK the storefront's pages load. */
  readonly wechat?: House['wechat']
  /** Serves the built pages for whatever no endpoint answers. */
  readonly pages?: Koa.Middleware
}

/**
 * Requests of one address without a sign-in, in a window. A factory of 10,000 opens its cards at lunch behind one address,
 * so whoever is signed in is counted by who they are, and at a fifth of this.
 */
const defaultRate = { points: 6000, seconds: 60 }
const SIGNED_IN_POINTS = 5
/** How many times as much an address may ask of an endpoint for crowds: 2,000 people at a wall ask for some pages each. */
const CROWD = 10
const STREAM_MS = 10 * 60_000
/** Lines that may wait to be taken up: 2,000 phones that scan one wall together must not be turned away for seconds. */
const BACKLOG = 4096
/** JSON bodies are forms typed by people; files are raw and state their own limit. */
const defaultLimitBytes = 256 * 1024

/** The whole web side as one Koa app, derived from the endpoint records. */
export function createHttpApp(options: HttpOptions): Koa {
  // The nearest proxy adds the address that it saw at the end; whatever stands before it the caller may have written.
  const app = new Koa({ proxy: options.trustProxy ?? false, maxIpsCount: 1 })
  const metrics = options.metrics ?? createHttpMetrics()
  const rate = options.rate ?? defaultRate
  const guards = {
    asked: rateLimit(rate),
    crowd: rateLimit({ ...rate, points: rate.points * CROWD }),
    streams: countStreams(options.streamMs ?? STREAM_MS),
  }
  const { routes, methodsAt } = routesOf(options.endpoints, (ctx, one) => answer(ctx, one, options, guards))
  app.use((ctx, next) => around(ctx, next, options.log, metrics))
  app.use(pagePolicy(options.wechat ?? null))
  packText(app, options.log)
  app.use((ctx, next) => probes(ctx, next, options, metrics))
  app.use(routes)
  app.use(async (ctx, next) => {
    const methods = methodsAt(ctx.path, ctx.method)
    if (methods.length > 0) {
      ctx.set('Allow', methods.join(', '))
      refuse('method_not_allowed')
    }
    if (options.pages !== undefined && (ctx.method === 'GET' || ctx.method === 'HEAD')) await options.pages(ctx, next)
    if (ctx.status === 404 && !ctx.body) refuse('not_found')
  })
  const { endpoints, edgeFor, log, trustProxy = false } = options
  const lane = { endpoints, edgeFor, log, metrics, rate: guards.asked, trustProxy, limitBytes: defaultLimitBytes }
  takeBare(app, bareLane(lane))
  return app
}

/** Lets the lane look at each request before Koa does. */
function takeBare(app: Koa, isTaken: ReturnType<typeof bareLane>): void {
  const callback = app.callback.bind(app)
  app.callback = () => {
    const rest = callback()
    return async (request, response) => {
      const plain = request instanceof IncomingMessage && response instanceof ServerResponse
      if (!plain || !isTaken(request, response)) await rest(request, response)
    }
  }
}

/** Listens; `close` takes no new request, lets the running ones finish, and cuts what is left after the limit. */
export async function serve(
  app: Koa,
  port: number,
  host?: string,
): Promise<{ port: number; close: (limitMs?: number) => Promise<void> }> {
  const server = await new Promise<Server>((resolve, reject) => {
    const listening: Server = app.listen({ port, host, backlog: BACKLOG }, () => resolve(listening))
    listening.once('error', reject)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: (limitMs = 10_000) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), limitMs)
        // A kept-alive connection becomes idle only after its answer: look again until all are gone.
        const idle = setInterval(() => server.closeIdleConnections(), 50)
        server.close(() => {
          clearTimeout(cut)
          clearInterval(idle)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

/** Request id, log line, metrics, and every error as a problem. */
async function around(ctx: Koa.Context, next: Koa.Next, log: RootLog, metrics: HttpMetrics): Promise<void> {
  const given = ctx.get('x-request-id')
  const requestId = /^[\w.-]{8,64}$/.test(given) ? given : randomUUID()
  const started = performance.now()
  ctx.state['requestId'] = requestId
  ctx.set('X-Request-Id', requestId)
  try {
    await next()
  } catch (error) {
    const known = toAppError(error)
    const problem = toProblem(known, langOf(ctx), requestId)
    if (problem.status >= 500) log.error({ requestId, code: problem.code, err: known.cause ?? known }, 'request failed')
    if (known.more.retryAfterMs !== undefined) ctx.set('Retry-After', String(Math.ceil(known.more.retryAfterMs / 1000)))
    else if (problem.status === 503) ctx.set('Retry-After', '1')
    ctx.remove('Content-Disposition')
    ctx.set('Cache-Control', 'no-store')
    ctx.status = problem.status
    ctx.body = JSON.stringify(problem)
    ctx.set('Content-Type', 'application/problem+json; charset=utf-8')
  }
  const seconds = (performance.now() - started) / 1000
  const route = String(ctx.state['route'] ?? 'other')
  metrics.record(ctx.method, route, ctx.status, seconds)
  log.plain({ requestId, method: ctx.method, route, status: ctx.status, ms: Math.round(seconds * 1000) }, 'request')
}

async function probes(ctx: Koa.Context, next: Koa.Next, options: HttpOptions, metrics: HttpMetrics): Promise<void> {
  if (ctx.method !== 'GET') return next()
  if (ctx.path === '/healthz') ctx.body = { ok: true }
  else if (ctx.path === '/readyz') {
    if (options.ready !== undefined && !(await options.ready())) refuse('busy')
    ctx.body = { ok: true }
  } else if (ctx.path === '/metrics') {
    ctx.body = await metrics.registry.metrics()
    ctx.set('Content-Type', metrics.registry.contentType)
  } else await next()
}

interface Guards {
  readonly asked: Rate
  readonly crowd: Rate
  readonly streams: Streams
}

/**
 * One request of one endpoint. Who asks is settled before a byte of the body is read, unless they are known by a
 * signature over it.
 */
async function answer(ctx: Koa.Context, one: Endpoint, options: HttpOptions, guards: Guards): Promise<void> {
  ctx.state['route'] = one.path
  const requestId = String(ctx.state['requestId'])
  const headers = headersOf(ctx)
  checkOrigin(ctx, one, options.origins)
  const readRaw = readOnce(ctx, one.limitBytes ?? defaultLimitBytes)
  const ip = networkOf(ctx.ip)
  const actor = await actorOf(ctx, one, headers, readRaw, options, guards.asked)
  const known = actorKey(actor)
  const who = known ?? `ip:${ip}`
  const rate = one.crowd === true ? guards.crowd : guards.asked
  if (isNotice(one)) await rate.mustHaveLeft(who)
  else await rate.spend(who, known === null ? 1 : SIGNED_IN_POINTS)
  if (!can(actor.kind, 'roles' in actor ? actor.roles : [], one.may))
    refuse(actor.kind === 'anybody' ? 'unauthenticated' : 'forbidden')
  const idempotencyKey = keyOf(headers, one)
  const raw = one.body === 'json' || one.body === 'raw' ? await readRaw() : null
  const json = one.body === 'json' ? parseJson(ctx, raw) : {}
  const params = ctx['params'] as Record<string, string>
  const query = queryOf(ctx, one, headers)
  const facts = {
    params,
    query,
    headers,
    raw,
    idempotencyKey,
    lang: langOf(ctx),
    requestId,
    ip,
    clientIp: plainAddress(ctx.ip),
  }
  const http = httpOf(ctx, facts, guards.streams, who)
  const edge = options.edgeFor(actor, childOf(options.log, requestId), requestId)
  const handled = one.handle(edge, { ...query, ...json, ...params }, http)
  const result = await (isNotice(one) ? handled.catch((error: unknown) => countRefused(rate, who, error)) : handled)
  ctx.set('Cache-Control', ctx.response.get('Cache-Control') || 'no-store')
  if (result !== undefined) ctx.body = one.output === 'stream' ? result : JSON.stringify(result)
  if (result !== undefined && one.output !== 'stream') ctx.type = 'application/json'
  else if (result === undefined && !ctx.body && ctx.status === 404) ctx.status = 204
}

/**
 * Who asks. Behind one address stand many tills, each counted by itself; so the address pays for signatures that do not
 * hold, and none of it is looked at once it has spent all.
 */
async function actorOf(
  ctx: Koa.Context,
  one: Endpoint,
  headers: Readonly<Record<string, string>>,
  readRaw: () => Promise<Buffer>,
  options: HttpOptions,
  rate: Rate,
): Promise<Actor> {
  const { method, path, originalUrl: url } = ctx
  const credentials = { method, path, url, cookies: readCookies(headers['cookie']), headers, readBody: readRaw }
  if (one.signed !== true) return options.authenticate(credentials)
  const who = `ip:${networkOf(ctx.ip)}`
  await rate.mustHaveLeft(who)
  return options.authenticate(credentials).catch((error: unknown) => countRefused(rate, who, error))
}

/**
 * A provider tells of thousands of payments a second from few addresses, and each notice is judged by its signature: the
 * address pays only for what is refused.
 */
const isNotice = (one: Endpoint): boolean => one.may === 'notice' && one.method === 'POST'

async function countRefused(rate: Rate, who: string, error: unknown): Promise<never> {
  if (toProblem(toAppError(error), 'en', '').status < 500) await rate.spend(who, 1)
  throw error
}

type HttpFacts = Pick<
  Http,
  'params' | 'query' | 'headers' | 'raw' | 'idempotencyKey' | 'lang' | 'requestId' | 'ip' | 'clientIp'
>

function httpOf(ctx: Koa.Context, facts: HttpFacts, streams: Streams, listener: string): Http {
  return {
    ...facts,
    setCookie: (name, value, more) => {
      ctx.append('Set-Cookie', cookieLine(name, value, { secure: ctx.secure, ...more }))
    },
    setHeader: (name, value) => ctx.set(name, value),
    redirect: (url) => ctx.redirect(url),
    sse: (produce) => streams.open(ctx, listener, produce),
  }
}

/**
 * A write that says from which page it comes must come from ours, and so must each that carries cookies: a foreign page
 * can neither use a session nor begin one. Notices are judged by signature instead.
 */
function checkOrigin(ctx: Koa.Context, one: Endpoint, origins: readonly string[]): void {
  if (one.method === 'GET' || one.may === 'notice') return
  if (ctx.get('cookie') === '' && ctx.get('origin') === '') return
  if (!origins.includes(ctx.get('origin'))) refuse('origin_refused')
}

/** The query, and what headers bring in its place. What belongs in a header is refused in an address. */
function queryOf(ctx: Koa.Context, one: Endpoint, headers: Readonly<Record<string, string>>): Record<string, string> {
  const query = Object.fromEntries(new URLSearchParams(ctx.querystring))
  for (const [header, field] of Object.entries(one.headerInputs ?? {})) {
    const detail = { zh: `请放在 ${header} 请求头里。`, en: `Send it in the header ${header}.` }
    if (Object.hasOwn(query, field)) refuse('malformed_request', { field, detail })
    const given = headers[header]
    if (given === undefined) continue
    try {
      query[field] = decodeURIComponent(given)
    } catch (cause) {
      refuse('malformed_request', { field, cause })
    }
  }
  return query
}

function keyOf(headers: Readonly<Record<string, string>>, one: Endpoint): string | null {
  const key = headers['idempotency-key'] ?? null
  if (key !== null && !/^[\x21-\x7e]{1,128}$/.test(key)) refuse('idempotency_key_missing')
  if (key === null && one.idempotent === true && one.method !== 'GET') refuse('idempotency_key_missing')
  return key
}

/** The body, read when it is first asked for. */
function readOnce(ctx: Koa.Context, limitBytes: number): () => Promise<Buffer> {
  let reading: Promise<Buffer> | undefined
  return () => (reading ??= readBody(ctx, limitBytes))
}

/** Refuses by the stated length before reading, and by the counted length while reading. */
function readBody(ctx: Koa.Context, limitBytes: number): Promise<Buffer> {
  const tooLarge = (): AppError => {
    ctx.set('Connection', 'close')
    ctx.req.resume()
    return new AppError('payload_too_large', { detail: sayLimit(limitBytes) })
  }
  if (Number(ctx.get('content-length')) > limitBytes) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= limitBytes) return void chunks.push(chunk)
      ctx.req.off('data', take)
      chunks.length = 0
      reject(tooLarge())
    }
    ctx.req.on('data', take)
    ctx.req.once('end', () => resolve(Buffer.concat(chunks)))
    ctx.req.once('error', (cause) => reject(new AppError('malformed_request', { cause })))
  })
}

function parseJson(ctx: Koa.Context, raw: Buffer | null): object {
  if (raw === null || raw.length === 0) return {}
  if (!ctx.is('json', '+json')) refuse('unsupported_media_type')
  let value: unknown
  try {
    value = JSON.parse(raw.toString('utf8'))
  } catch (cause) {
    refuse('malformed_request', { detail: { zh: '不是 JSON。', en: 'This is not JSON.' }, cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse('malformed_request', { detail: { zh: '应为 JSON 对象。', en: 'A JSON object is expected.' } })
  return value
}

function actorKey(actor: Actor): string | null {
  switch (actor.kind) {
    case 'member':
      return `member:${actor.memberId}`
    case 'employee':
      return `person:${actor.personId}`
    case 'buyer':
      return `buyer:${actor.buyerId}`
    case 'clerk':
      return `clerk:${actor.clerkId}`
    case 'terminal':
      return `terminal:${actor.terminalId}`
    case 'operator':
      return `operator:${actor.operatorId}`
    case 'system':
    case 'anybody':
      return null
  }
}

function headersOf(ctx: Koa.Context): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(ctx.req.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  return headers
}

/** The `lang` cookie decides, then Accept-Language; Chinese when neither says. */
function langOf(ctx: Koa.Context): Lang {
  const chosen = readCookies(ctx.get('cookie')).get('lang')
  if (chosen === 'zh' || chosen === 'en') return chosen
  return ctx.acceptsLanguages('zh', 'en') === 'en' ? 'en' : 'zh'
}
