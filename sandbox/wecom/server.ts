import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Koa, { type Context, type Next } from 'koa'
import Router from 'koa-router'
import { ZodError } from 'zod'
import { answer, apiRoutes } from './api.ts'
import { readBody } from './body.ts'
import { asForm, clockForm, controlOf, type WecomControl } from './control.ts'
import { signInRoutes } from './signin.ts'
import { emptyState, type WecomState } from './state.ts'

export interface WecomSandbox {
  readonly baseUrl: string
  readonly control: WecomControl
  close(): Promise<void>
}

/** Starts a WeCom in memory: API, sign-in pages, phone page and control surface on one address. */
export async function startWecomSandbox(
  options: { port?: number; now?: () => number; host?: string } = {},
): Promise<WecomSandbox> {
  if (process.env['NODE_ENV'] === 'production') throw new Error('the sandbox does not start in production')
  const state = emptyState(options.now ?? Date.now)
  const control = controlOf(state)
  const app = new Koa()
  app.use((ctx, next) => faults(state, ctx, next))
  for (const router of [apiRoutes(state), signInRoutes(state), controlRoutes(control)]) app.use(router.routes())
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
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function faults(state: WecomState, ctx: Context, next: Next): Promise<void> {
  const fault = state.faults.find(
    (each) => each.left > 0 && [ctx.path, ctx.path.replace('/cgi-bin/', '')].includes(each.path),
  )
  if (!fault || ctx.path.startsWith('/__ctl/')) return next()
  fault.left -= 1
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
      ctx.respond = false
      ctx.req.socket.destroy()
  }
}

function controlRoutes(control: WecomControl): Router {
  const router = new Router({ prefix: '/__ctl' })
  const change = (path: string, run: (body: never) => void) =>
    router.post(path, async (ctx) => {
      const raw = await readBody(ctx, 64 * 1024 * 1024)
      try {
        run((raw.length === 0 ? {} : JSON.parse(raw.toString('utf8'))) as never)
        ctx.body = { ok: true }
      } catch (error) {
        if (!(error instanceof ZodError) && !(error instanceof SyntaxError)) throw error
        ctx.status = 400
        ctx.body = { ok: false, error: error instanceof ZodError ? error.issues.slice(0, 20) : 'not json' }
      }
    })
  const show = (ctx: Context, value: unknown) => {
    ctx.status = value === null ? 404 : 200
    ctx.body = value === null ? { ok: false } : value
  }
  change('/corps', (body) => control.upsertCorp(body))
  change('/faults', (body) => control.addFault(body))
  change('/expire-tokens', () => control.expireTokens())
  change('/clock', (body) => control.advance(clockForm.parse(body).advanceMs))
  change('/as', (body) => {
    const { corpId, userid } = asForm.parse(body)
    control.actAs(corpId, userid)
  })
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
