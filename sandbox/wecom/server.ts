import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Koa, { type Context, type Next } from 'koa'
import Router from 'koa-router'
import { ZodError } from 'zod'
import { answer, apiRoutes } from './api.ts'
import { readBody } from './body.ts'
import { asForm, clockForm, controlOf, type WecomControl } from './control.ts'
import { deskRoutes } from './desk.ts'
import { phoneRoutes } from './phone.ts'
import { signInRoutes } from './signin.ts'
import { callFaults, emptyState, takeFault, type WecomState } from './state.ts'
import type { Neighbours, Place } from '../look/page.ts'

export interface WecomSandbox {
  readonly baseUrl: string
  readonly control: WecomControl
  close(): Promise<void>
}

/** How the sandbox starts. `neighbours` may be filled in later, once the other half listens. */
export interface WecomSandboxOptions {
  readonly port?: number
  readonly now?: () => number
  readonly host?: string
  readonly neighbours?: Neighbours
}

/** Starts a WeCom in memory: API, sign-in pages, phones, dials and control surface on one address. */
export async function startWecomSandbox(options: WecomSandboxOptions = {}): Promise<WecomSandbox> {
  if (process.env['NODE_ENV'] === 'production') throw new Error('the sandbox does not start in production')
  const state = emptyState(options.now ?? Date.now)
  const control = controlOf(state)
  const place: Place = { side: 'wecom', neighbours: options.neighbours ?? {} }
  const app = new Koa()
  app.use((ctx, next) => faults(state, ctx, next))
  const pages = [signInRoutes(state, place), phoneRoutes(state, place), deskRoutes(state, control, place)]
  for (const router of [apiRoutes(state), ...pages, controlRoutes(control, state)]) app.use(router.routes())
  app.on('error', (error: Error) => {
    if (!('code' in error) || error.code !== 'ECONNRESET') console.error(error)
  })
  const handle = app.callback()
  const server = createServer((request, response) => void handle(request, response))
  const host = options.host ?? '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://${host}:${port}`,
    control,
    close: () =>
      new Promise((resolve) => {
        state.clock.stop()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function faults(state: WecomState, ctx: Context, next: Next): Promise<void> {
  const kinds = callFaults.filter((kind) => kind !== 'message_lose')
  const fault = ctx.path.startsWith('/__ctl/') ? null : takeFault(state, kinds, ctx.path)
  if (!fault) return next()
  switch (fault.kind) {
    case 'delay':
      await next()
      await sleep(fault.delayMs)
      return
    case 'status500_before':
      ctx.status = 500
      return
    case 'errcode':
      return answer(ctx, { errcode: fault.errcode })
    case 'status500_after':
      await next()
      ctx.status = 500
      ctx.body = 'sandbox fault'
      return
    case 'cut_after':
      await next()
      return cut(ctx)
    case 'cut_before':
      return cut(ctx)
    default:
      return next()
  }
}

function cut(ctx: Context): void {
  ctx.respond = false
  ctx.req.socket.destroy()
}

function controlRoutes(control: WecomControl, state: WecomState): Router {
  const router = new Router({ prefix: '/__ctl' })
  const change = (path: string, run: (body: never) => unknown) =>
    router.post(path, async (ctx) => {
      const raw = await readBody(ctx, 64 * 1024 * 1024)
      try {
        const answered = await run((raw.length === 0 ? {} : JSON.parse(raw.toString('utf8'))) as never)
        ctx.body = { ok: true, ...(typeof answered === 'object' ? answered : {}) }
      } catch (error) {
        const known = error instanceof ZodError || error instanceof SyntaxError || error instanceof RangeError
        if (!known) throw error
        ctx.status = 400
        ctx.body = { ok: false, error: error instanceof ZodError ? error.issues.slice(0, 20) : error.message }
      }
    })
  const show = (ctx: Context, value: unknown) => {
    ctx.status = value === null ? 404 : 200
    ctx.body = value === null ? { ok: false } : value
  }
  change('/corps', (body) => control.upsertCorp(body))
  change('/faults', (body) => control.addFault(body))
  change('/expire-tokens', () => control.expireTokens())
  change('/clock', (body) => {
    control.advance(clockForm.parse(body).advanceMs)
    return { nowMs: state.now(), aheadMs: state.clock.aheadMs() }
  })
  change('/callback', async (body) => {
    const refusal = await control.saveCallback(body)
    if (refusal !== null) throw new RangeError(refusal)
  })
  change('/callback/events', (body) => {
    if (control.sendEvent(body) === null) throw new RangeError('no such member, or no callback address')
  })
  change('/as', (body) => {
    const { corpId, userid } = asForm.parse(body)
    control.actAs(corpId, userid)
  })
  router.get('/clock', (ctx) => show(ctx, { nowMs: state.now(), aheadMs: state.clock.aheadMs() }))
  router.get('/faults', (ctx) => show(ctx, { faults: state.faults }))
  router.get('/callback/events/:corpId', (ctx) => show(ctx, control.deliveries(ctx.params['corpId'] ?? '')))
  router.delete('/faults', (ctx) => {
    control.clearFaults()
    ctx.body = { ok: true }
  })
  router.get('/inbox/:corpId/:userid', (ctx) =>
    show(ctx, control.inbox(ctx.params['corpId'] ?? '', ctx.params['userid'] ?? '')),
  )
  router.get('/stats/:corpId', (ctx) => show(ctx, control.stats(ctx.params['corpId'] ?? '')))
  return router
}
