import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Koa from 'koa'
import Router from 'koa-router'
import type { RouterContext } from 'koa-router'
import { mountBank } from '../bank/bank.ts'
import { startClock } from '../clock.ts'
import type { Neighbours, Place } from '../look/page.ts'
import { mountCashier } from './cashier.ts'
import { mountControl } from './control.ts'
import { mountDesk } from './desk.ts'
import { isAnswer, reject, signer } from './gate.ts'
import type { Answer } from './gate.ts'
import { closeTrade, createNative, queryTrade } from './orders.ts'
import { makePlatformKey, signedHeaders } from './seal.ts'
import type { PlatformKey } from './seal.ts'
import { note, takeFault } from './state.ts'
import type { Merchant, World } from './state.ts'

const BODY_LIMIT = 1024 * 1024

/** How the sandbox starts. */
export interface SandboxOptions {
  readonly port?: number
  readonly host?: string
  readonly now?: () => number
  /** Shrinks the published waits between tries of a notice: 0.001 makes 15 s into 15 ms. */
  readonly noticeRetryScale?: number
  /** A key to keep over restarts; else a fresh one. */
  readonly platformKey?: PlatformKey
  /** May be filled in later, once the other half listens. */
  readonly neighbours?: Neighbours
}

/** A running sandbox. */
export interface WechatPaySandbox {
  readonly baseUrl: string
  readonly platformPublicKeyPem: string
  readonly platformPublicKeyId: string
  close(): Promise<void>
}

/** Starts WeChat Pay as a local server over real HTTP, with a cashier page, a small bank and fault dials. */
export async function startWechatPaySandbox(options: SandboxOptions = {}): Promise<WechatPaySandbox> {
  const clock = startClock(options.now ?? Date.now)
  const world: World = {
    clock,
    now: () => clock.now(),
    key: options.platformKey ?? makePlatformKey('PUB_KEY_ID_0100000000000000000000000001'),
    noticeRetryScale: options.noticeRetryScale ?? 1,
    merchants: new Map(),
    trades: new Map(),
    burned: new Set(),
    log: [],
    faults: [],
    held: [],
  }
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    const raw = await readRaw(ctx.req)
    if (raw === null) return ctx.throw(413)
    ctx.state['raw'] = raw
    return next()
  })
  const router = new Router()
  mountApi(router, world)
  mountControl(router, world)
  const place: Place = { side: 'pay', neighbours: options.neighbours ?? {} }
  mountCashier(router, world, place)
  mountBank(router, world.now, place)
  mountDesk(router, world, place)
  app.use(router.routes())
  app.use(emptyRefusals(router))
  const handle = app.callback()
  const server = createServer((request, response) => void handle(request, response))
  const host = options.host ?? '127.0.0.1'
  await new Promise<void>((resolve, fail) => {
    server.once('error', fail)
    server.listen(options.port ?? 0, host, resolve)
  })
  const baseUrl = `http://${host}:${(server.address() as AddressInfo).port}`
  return {
    baseUrl,
    platformPublicKeyPem: world.key.publicPem,
    platformPublicKeyId: world.key.id,
    close: async () => {
      clock.stop()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function readRaw(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > BODY_LIMIT) return null
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** Checks the signature, runs the call, signs what is 2xx, and breaks what the dials say. */
async function answerApi(
  world: World,
  ctx: RouterContext,
  run: (merchant: Merchant, raw: Buffer) => Answer,
): Promise<void> {
  const raw = ctx.state['raw'] as Buffer
  const url = ctx.req.url ?? ''
  const authorization = ctx.get('authorization')
  if (takeFault(world, ['cut_before'], url)) return cut(ctx)
  const slow = takeFault(world, ['delay'], url)
  const merchant = signer(world, { method: ctx.method, url, raw, authorization })
  let answer = isAnswer(merchant) ? merchant : before(world, url)
  answer ??= isAnswer(merchant) ? null : run(merchant, raw)
  const took = answer !== null && answer.status < 300
  const after = took ? takeFault(world, ['status500_after', 'cut_after', 'broken_response_signature'], url) : null
  note(world, { kind: 'call', method: ctx.method, url, status: answer?.status ?? 0, fault: after?.kind ?? null })
  if (slow) await sleep(slow.delayMs)
  if (after?.kind === 'cut_after') return cut(ctx)
  if (after?.kind === 'status500_after') answer = reject(500, 'SYSTEM_ERROR', '系统错误')
  if (!answer) return
  const body = answer.body === null ? '' : JSON.stringify(answer.body)
  ctx.status = answer.status
  if (answer.status < 300) ctx.set(signedHeaders(world.key, body, world.clock.wall()))
  if (after?.kind === 'broken_response_signature') ctx.set('Wechatpay-Nonce', 'changed')
  ctx.set('Request-ID', `${Date.now().toString(16).toUpperCase()}-0`)
  if (answer.status === 204) return
  ctx.type = 'application/json; charset=utf-8'
  ctx.body = body
}

function cut(ctx: RouterContext): void {
  ctx.respond = false
  ctx.req.socket.destroy()
}

function before(world: World, url: string): Answer | null {
  const fault = takeFault(world, ['status500_before', 'status429'], url)
  if (!fault) return null
  return fault.kind === 'status429'
    ? reject(429, 'FREQUENCY_LIMITED', '频率限制')
    : reject(500, 'SYSTEM_ERROR', '系统错误')
}

function mountApi(router: Router, world: World): void {
  const base = '/v3/pay/transactions'
  const mchid = (ctx: RouterContext): string => String(ctx.query['mchid'] ?? '')
  router.post(`${base}/native`, (ctx) => answerApi(world, ctx, (merchant, raw) => createNative(world, merchant, raw)))
  router.get(`${base}/out-trade-no/:no`, (ctx) =>
    answerApi(world, ctx, (merchant) => queryTrade(world, merchant, 'number', ctx.params['no'] ?? '', mchid(ctx))),
  )
  router.get(`${base}/id/:id`, (ctx) =>
    answerApi(world, ctx, (merchant) => queryTrade(world, merchant, 'id', ctx.params['id'] ?? '', mchid(ctx))),
  )
  router.post(`${base}/out-trade-no/:no/close`, (ctx) =>
    answerApi(world, ctx, (merchant, raw) => closeTrade(world, merchant, ctx.params['no'] ?? '', raw)),
  )
}

/** Unknown paths are 404 and wrong methods 405, both without a body, as WeChat Pay answers them. */
function emptyRefusals(router: Router): Koa.Middleware {
  return (ctx) => {
    const known = router.match(ctx.path, ctx.method).path.length > 0
    ctx.status = known ? 405 : 404
    ctx.type = ''
    ctx.res.end()
    ctx.respond = false
  }
}
