import type { Context } from 'koa'
import Router from 'koa-router'
import { z } from 'zod'
import { readBody } from './body.ts'
import { sendMessage } from './send.ts'
import { corpOf, digest, fakeId, takeFault, today, type Corp, type WecomState } from './state.ts'

const TOKEN_LIFE_S = 7_200
const WRONG_SECRETS_ALLOWED = 10
const BLOCK_MS = 3_600_000
const CALLS_PER_MINUTE = 10_000
const CALLS_PER_HOUR = 150_000
const MOST_WRONG_LOOKUPS = 0.2
const lookupForm = z.looseObject({ mobile: z.string().min(5).max(32) })

/** The routes below /cgi-bin. */
export function apiRoutes(state: WecomState): Router {
  const router = new Router({ prefix: '/cgi-bin' })
  router.get('/gettoken', (ctx) => answer(ctx, getToken(state, queryOf(ctx, 'corpid'), queryOf(ctx, 'corpsecret'))))
  router.post('/message/send', async (ctx) => {
    const raw = await readBody(ctx, 1024 * 1024)
    const corp = authorised(state, ctx)
    if (typeof corp === 'number') return answer(ctx, { errcode: corp })
    const lose = takeFault(state, ['message_lose'], ctx.path) !== null
    answer(ctx, sendMessage(corp, raw, state.now(), lose))
  })
  router.post('/user/getuserid', async (ctx) => {
    const raw = await readBody(ctx, 64 * 1024)
    const corp = authorised(state, ctx)
    answer(ctx, typeof corp === 'number' ? { errcode: corp } : lookUp(state, corp, raw))
  })
  router.get('/auth/getuserinfo', (ctx) => {
    const corp = authorised(state, ctx)
    answer(ctx, typeof corp === 'number' ? { errcode: corp } : exchange(state, corp, queryOf(ctx, 'code')))
  })
  for (const path of ['/message/send', '/user/getuserid']) router.get(path, (ctx) => answer(ctx, { errcode: 43002 }))
  for (const path of ['/gettoken', '/auth/getuserinfo']) router.post(path, (ctx) => answer(ctx, { errcode: 43001 }))
  return router
}

/** Answers as WeCom does: status 200 whatever happened, and an errmsg that must not be parsed. */
export function answer(ctx: Context, body: Readonly<Record<string, unknown>> & { readonly errcode: number }): void {
  const hint = digest(`${Math.random()}`).slice(0, 16)
  const errmsg = body.errcode === 0 ? 'ok' : `sandbox error ${body.errcode}, hint: [${hint}], from ip: 127.0.0.1`
  ctx.status = 200
  ctx.type = 'application/json; charset=utf-8'
  ctx.body = JSON.stringify({ errmsg, ...body })
}

function queryOf(ctx: Context, name: string): string {
  const value = ctx.query[name]
  return typeof value === 'string' ? value : ''
}

function getToken(state: WecomState, corpId: string, secret: string) {
  const now = state.now()
  const corp = corpOf(state, corpId)
  if (corp) corp.stats.gettoken += 1
  if (corpId === '') return { errcode: 41002 }
  if (secret === '') return { errcode: 41004 }
  if (now < state.wrongSecrets.blockedUntilMs) return { errcode: 45009 }
  if (!corp || corp.secret !== secret) {
    state.wrongSecrets.count += 1
    if (state.wrongSecrets.count >= WRONG_SECRETS_ALLOWED) {
      state.wrongSecrets.count = 0
      state.wrongSecrets.blockedUntilMs = now + BLOCK_MS
    }
    return { errcode: corp ? 40001 : 40013 }
  }
  if (!corp.token || now >= corp.token.expiresAtMs) {
    corp.token = { value: fakeId('TOKEN', 32), expiresAtMs: now + TOKEN_LIFE_S * 1_000 }
    state.tokens.set(corp.token.value, { corpId: corp.corpId, expiresAtMs: corp.token.expiresAtMs })
  }
  const expiresIn = Math.max(1, Math.floor((corp.token.expiresAtMs - now) / 1_000))
  return { errcode: 0, access_token: corp.token.value, expires_in: expiresIn }
}

/** The company of the token in the query, or the errcode. The base limits are counted here, not for messages. */
function authorised(state: WecomState, ctx: Context): Corp | number {
  const value = queryOf(ctx, 'access_token')
  if (value === '') return 41001
  const token = state.tokens.get(value)
  const corp = token ? corpOf(state, token.corpId) : undefined
  if (!token || !corp) return 40014
  if (state.now() >= token.expiresAtMs) return 42001
  if (ctx.path.endsWith('/user/getuserid') && overLimit(corp, ctx.path, state.now())) return 45009
  return corp
}

function overLimit(corp: Corp, path: string, nowMs: number): boolean {
  const [minute, hour] = [Math.floor(nowMs / 60_000), Math.floor(nowMs / 3_600_000)]
  const calls = corp.calls.get(path) ?? { minute, inMinute: 0, hour, inHour: 0 }
  corp.calls.set(path, calls)
  if (calls.minute !== minute) Object.assign(calls, { minute, inMinute: 0 })
  if (calls.hour !== hour) Object.assign(calls, { hour, inHour: 0 })
  calls.inMinute += 1
  calls.inHour += 1
  return calls.inMinute > CALLS_PER_MINUTE || calls.inHour > CALLS_PER_HOUR
}

function lookUp(state: WecomState, corp: Corp, raw: Buffer) {
  const day = today(corp, state.now())
  if (day.lookupErrors > corp.accountLimit * MOST_WRONG_LOOKUPS) return { errcode: 45009 }
  const parsed = lookupForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40035 }
  corp.stats.lookups += 1
  const member = corp.byMobile.get(parsed.data.mobile)
  if (member?.visible) return { errcode: 0, userid: member.userid }
  day.lookupErrors += 1
  corp.stats.lookupErrors += 1
  return { errcode: 46004 }
}

function exchange(state: WecomState, corp: Corp, value: string) {
  const code = state.codes.get(value)
  if (!code || code.corpId !== corp.corpId) return { errcode: 40029 }
  if (code.used) return { errcode: 42022 }
  if (state.now() >= code.expiresAtMs) return { errcode: 42003 }
  code.used = true
  corp.stats.codesExchanged += 1
  if (code.userid === null) return { errcode: 0, openid: `o${digest(`${corp.corpId}:outsider`).slice(0, 27)}` }
  return { errcode: 0, userid: code.userid }
}

function readJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch {
    return undefined
  }
}
