import type { Context } from 'koa'
import Router from 'koa-router'
import { readBody } from '../wecom/body.ts'
import { fakeId } from '../wecom/state.ts'
import { note, type WechatApp, type WechatState } from './state.ts'

/** What an API answers; without errcode it is one of those that leave it out on success. */
export type Answer = Readonly<Record<string, unknown>>

/** A call with its query and, where it is POST, its JSON. */
export interface Call {
  readonly state: WechatState
  readonly ctx: Context
  readonly query: (name: string) => string
  readonly body: Readonly<Record<string, unknown>>
}
export interface AppCall extends Call {
  readonly app: WechatApp
}
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly run: (call: Call) => Answer
}

const MOST_BODY = 1024 * 1024

/** The APIs of WeChat: HTTP 200 whatever happens, the wrong method 43001 or 43002, a body that is no JSON 47001. */
export function routerOf(state: WechatState, routes: readonly Route[]): Router {
  const router = new Router()
  for (const { method, path, run } of routes) {
    const query = (ctx: Context) => (name: string) => {
      const value = ctx.query[name]
      return typeof value === 'string' ? value : ''
    }
    const say = (ctx: Context, appid: string, said: Answer) => {
      const errcode = said['errcode']
      note(state, path.slice(1), appid || null, typeof errcode === 'number' ? errcode : 0)
      answer(ctx, said)
    }
    if (method === 'GET') {
      router.get(path, (ctx) => say(ctx, query(ctx)('appid'), run({ state, ctx, query: query(ctx), body: {} })))
      router.post(path, (ctx) => say(ctx, '', { errcode: 43001 }))
    } else {
      router.post(path, async (ctx) => {
        const body = jsonOf((await readBody(ctx, MOST_BODY)).toString('utf8'))
        if (typeof body === 'number') return say(ctx, '', { errcode: body })
        return say(
          ctx,
          typeof body['appid'] === 'string' ? body['appid'] : '',
          run({ state, ctx, query: query(ctx), body }),
        )
      })
      router.get(path, (ctx) => say(ctx, '', { errcode: 43002 }))
    }
  }
  return router
}

/** The JSON of a body, or why not: 44002 empty, 40033 letters written as escapes, 47001 no JSON object. */
function jsonOf(text: string): Readonly<Record<string, unknown>> | number {
  if (text === '') return 44002
  if (/(?<!\\)(?:\\\\)*\\u(?!00[01])[0-9a-f]{4}/i.test(text)) return 40033
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : 47001
  } catch {
    return 47001
  }
}

/** An API for whoever holds the token of an app: in the query, never in the body. */
export function appRoute(method: Route['method'], path: string, run: (call: AppCall) => Answer): Route {
  return {
    method,
    path,
    run: (call) => {
      const value = call.query('access_token')
      if (value === '') return { errcode: 41001 }
      const token = call.state.tokens.get(value)
      const app = token && call.state.apps.get(token.appid)
      if (!token || !app) return { errcode: 40001 }
      if (token.killed) return { errcode: 40014 }
      if (token.untilMs <= call.state.now()) return { errcode: 42001 }
      return refusalOf(call, app) ?? run({ ...call, app })
    },
  }
}

/** Why an app may not call at all: from an address that it did not list, or with a frozen secret. */
export function refusalOf({ ctx }: Pick<Call, 'ctx'>, app: WechatApp): Answer | null {
  const address = (ctx.req.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  if (app.trustedIps !== null && !app.trustedIps.includes(address)) return { errcode: 40164 }
  return app.frozen ? { errcode: 40243 } : null
}

/** The app of an id and a secret, or the errcode. */
export function appBySecret(call: Call, appid: string, secret: string): WechatApp | number {
  if (appid === '') return 41002
  if (secret === '') return 41004
  const app = call.state.apps.get(appid)
  if (!app) return 40013
  return app.secret === secret ? app : 40125
}

/** Answers as WeChat does: status 200, and in every error an errmsg with the id under which it can be looked up. */
export function answer(ctx: Context, said: Answer): void {
  const { errcode, detail, ...rest } = said
  const rid = `rid: ${fakeId('RID', 8)}`
  const errmsg =
    errcode === 0 ? 'ok' : `sandbox error ${String(errcode)}${typeof detail === 'string' ? ` ${detail}` : ''}, ${rid}`
  ctx.status = 200
  ctx.type = 'application/json; charset=utf-8'
  ctx.body = jsonWith(errcode === undefined ? rest : { errcode, errmsg, ...rest })
}

/** JSON in which a whole number of any size stands bare. */
function jsonWith(said: Answer): string {
  const text = JSON.stringify(said, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  return text.replace(/"(\d+)n"/g, '$1')
}
