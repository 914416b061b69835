import type { Context, Next } from 'koa'
import Router from 'koa-router'
import { readBody } from './body.ts'
import { digest, type App, type Corp, type TokenOwner, type WecomState } from './state.ts'
import { holderOf, readToken } from './tokens.ts'

const MOST_BODY = 1024 * 1024
/** The log keeps at least as many of the newest calls. */
const MOST_LOGGED = 100_000

/** What an API answers; without errcode it is one of the old calls that leave it out on success. With `bytes`, a file. */
export type Answer = Readonly<Record<string, unknown>>

/** One call of an API. */
export interface Call {
  readonly state: WecomState
  readonly ctx: Context
  readonly raw: Buffer
}
/** A call with the token of an app. */
export interface AppCall extends Call {
  readonly corp: Corp
  readonly app: App
}
/** A call with the token of an app, or of the contact-sync secret, which has no app. */
export interface DirectoryCall extends Call {
  readonly corp: Corp
  readonly app: App | null
}
/** A call with the token of a suite or of a provider. */
export interface OwnerCall extends Call {
  readonly owner: TokenOwner
}

/** One API below /cgi-bin, with the check of its token inside. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly mostBytes: number
  readonly run: (call: Call) => Answer | Promise<Answer>
}

interface RouteOptions {
  /** Whether calls count towards the base limits; all do but those that send messages. */
  readonly counted?: boolean
  readonly mostBytes?: number
}
type Method = ApiRoute['method']
type Run<C extends Call> = (call: C) => Answer | Promise<Answer>

/** An API without a token. */
export function openRoute(method: Method, path: string, run: Run<Call>): ApiRoute {
  return { method, path, mostBytes: MOST_BODY, run }
}

/** An API for apps; the contact-sync secret gets 48002, and suites and providers 40014. */
export function appRoute(method: Method, path: string, run: Run<AppCall>, options: RouteOptions = {}): ApiRoute {
  return directoryRoute(
    method,
    path,
    (call) => (call.app ? run({ ...call, app: call.app }) : { errcode: 48002 }),
    options,
  )
}

/** An API for apps and for the contact-sync secret; `app` is null for the latter. */
export function directoryRoute(
  method: Method,
  path: string,
  run: Run<DirectoryCall>,
  options: RouteOptions = {},
): ApiRoute {
  const checked = (call: Call) => {
    const held = authorised(call, options.counted ?? true)
    return typeof held === 'number' ? { errcode: held } : run({ ...call, ...held })
  }
  return { method, path, mostBytes: options.mostBytes ?? MOST_BODY, run: checked }
}

/** An API for a suite (`suite_access_token`) or a provider (`provider_access_token`). */
export function ownerRoute(kind: 'suite' | 'provider', method: Method, path: string, run: Run<OwnerCall>): ApiRoute {
  const codes = kind === 'suite' ? { unknown: 40082, dead: 42009 } : { unknown: 40014, dead: 42001 }
  const checked = (call: Call) => {
    const value = queryOf(call.ctx, `${kind}_access_token`)
    const owner = readToken(call.state, value)
    if (owner === 'unknown' || owner === 'dead') return { errcode: value === '' ? 41001 : codes[owner] }
    return owner.kind === kind ? run({ ...call, owner }) : { errcode: codes.unknown }
  }
  return { method, path, mostBytes: MOST_BODY, run: checked }
}

/** The routes below /cgi-bin; a call with the wrong method gets 43001 or 43002. */
export function routerOf(state: WecomState, routes: readonly ApiRoute[]): Router {
  const router = new Router({ prefix: '/cgi-bin' })
  for (const { method, path, mostBytes, run } of routes) {
    const handle = async (ctx: Context) => {
      const raw = method === 'POST' ? await readBody(ctx, mostBytes) : Buffer.alloc(0)
      const said = escapes(ctx, raw) ? { errcode: 40033 } : await run({ state, ctx, raw })
      note(state, ctx, said)
      answer(ctx, said)
    }
    if (method === 'GET') router.get(path, handle).post(path, (ctx) => answer(ctx, { errcode: 43001 }))
    else router.post(path, handle).get(path, (ctx) => answer(ctx, { errcode: 43002 }))
  }
  return router
}

/** Whether a JSON body writes letters as backslash-u escapes, where WeCom wants UTF-8 (protocol sheet 0). */
function escapes(ctx: Context, raw: Buffer): boolean {
  if (ctx.is('multipart/*')) return false
  return /(?<!\\)(?:\\\\)*\\u(?!00[01])[0-9a-f]{4}/i.test(raw.toString('utf8'))
}

/** Writes a call into the log: which API, for whom, how it ended, and nothing that is secret or personal. */
function note(state: WecomState, ctx: Context, said: Answer): void {
  const owner = readToken(state, queryOf(ctx, 'access_token'))
  const held = typeof owner === 'string' ? null : holderOf(state, owner)
  const errcode = said['errcode']
  state.calls.push({
    atMs: state.now(),
    api: ctx.path.replace('/cgi-bin/', ''),
    corpId: held?.corp.corpId ?? null,
    agentId: held?.app?.agentId ?? null,
    errcode: typeof errcode === 'number' ? errcode : 0,
  })
  if (state.calls.length > 2 * MOST_LOGGED) state.calls.splice(0, MOST_LOGGED)
}

/** Answers as WeCom does: status 200 whatever happened, and an errmsg that must not be parsed. Bytes go as they are. */
export function answer(ctx: Context, body: Answer): void {
  ctx.status = 200
  if (Buffer.isBuffer(body['bytes'])) return answerFile(ctx, body, body['bytes'])
  const hint = `hint: [${digest(`${Math.random()}`).slice(0, 16)}], from ip: ${addressOf(ctx)}`
  const code = body['errcode']
  const errmsg =
    code === 0 ? 'ok' : `sandbox error ${String(code)}, ${hint}, more info at https://open.work.weixin.qq.com/`
  ctx.type = 'application/json; charset=utf-8'
  ctx.body = JSON.stringify(code === undefined ? body : { errmsg, ...body })
}

function answerFile(ctx: Context, { mime, name }: Answer, bytes: Buffer): void {
  ctx.set('content-type', String(mime))
  ctx.set('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(String(name))}`)
  ctx.body = bytes
}

/** One value of the query, or nothing. */
export function queryOf(ctx: Context, name: string): string {
  const value = ctx.query[name]
  return typeof value === 'string' ? value : ''
}

/** The address that a call comes from. */
export function addressOf(ctx: Context): string {
  return (ctx.req.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}

/** The JSON of a body; undefined when it is none. */
export function readJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Counts the calls of one API and company that are under way; above the limit 45033 (protocol sheet 9). */
export async function parallel(state: WecomState, ctx: Context, next: Next): Promise<void> {
  const owner = ctx.path.startsWith('/cgi-bin/') ? readToken(state, queryOf(ctx, 'access_token')) : 'unknown'
  if (owner === 'dead' || owner === 'unknown' || owner.kind === 'suite') return next()
  const key = `${owner.corpId.toLowerCase()} ${ctx.path}`
  const before = state.underWay.get(key) ?? 0
  if (before >= state.settings.parallelCalls) return answer(ctx, { errcode: 45033 })
  state.underWay.set(key, before + 1)
  try {
    await next()
  } finally {
    const left = (state.underWay.get(key) ?? 1) - 1
    if (left > 0) state.underWay.set(key, left)
    else state.underWay.delete(key)
  }
}

/** Who holds the token in the query, or the errcode. */
function authorised({ state, ctx }: Call, counted: boolean): { corp: Corp; app: App | null } | number {
  const value = queryOf(ctx, 'access_token')
  if (value === '') return 41001
  const owner = readToken(state, value)
  if (owner === 'unknown') return 40014
  if (owner === 'dead') return 42001
  const held = holderOf(state, owner)
  if (!held) return 40014
  if (held.app && !held.app.on) return 50003
  if (held.app && !trusts(state, held.app, addressOf(ctx))) return 60020
  if (counted && overLimit(state, held.corp, ctx.path)) return 45009
  return { ...held }
}

function trusts(state: WecomState, app: App, address: string): boolean {
  return !state.settings.trustedIps || app.trustedIps.includes(address)
}

function overLimit({ settings, now }: WecomState, corp: Corp, path: string): boolean {
  const [minute, hour] = [Math.floor(now() / 60_000), Math.floor(now() / 3_600_000)]
  const calls = corp.calls.get(path) ?? { minute, inMinute: 0, hour, inHour: 0 }
  corp.calls.set(path, calls)
  if (calls.minute !== minute) Object.assign(calls, { minute, inMinute: 0 })
  if (calls.hour !== hour) Object.assign(calls, { hour, inHour: 0 })
  calls.inMinute += 1
  calls.inHour += 1
  return calls.inMinute > settings.callsPerMinute || calls.inHour > settings.callsPerHour
}
