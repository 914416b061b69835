import type { RouterContext } from 'koa-router'
import { isAnswer, reject, signer } from './gate.ts'
import type { Answer } from './gate.ts'
import { signerKey } from './platform-keys.ts'
import { signedHeaders } from './seal.ts'
import { note, takeFault } from './state.ts'
import type { Fault, Merchant, World } from './state.ts'

/** What a call does for the merchant that signed it; `raw` is the body in its exact bytes. */
export type Call = (merchant: Merchant, raw: Buffer, ctx: RouterContext) => Answer | Promise<Answer>
/** Answers a request of the API. */
export type Api = (ctx: RouterContext, run: Call) => Promise<void>

/** Paths that ask for a User-Agent before anything else (protocol sheet 1.1). */
const NAMED = /^\/v3\/(certificates|refund\/)/
/** How long a call that never answers is left open. */
const HANGING_MS = 60_000

const beforeKinds = ['cut_before', 'timeout_before', 'status429', 'status500_before', 'status502_before'] as const
const afterKinds = [
  'status500_after',
  'status502_after',
  'status429_after',
  'cut_after',
  'timeout_after',
  'truncated_after',
  'broken_response_signature',
] as const
const refusals: Partial<Record<Fault['kind'], Answer>> = {
  status429: reject(429, 'FREQUENCY_LIMITED', '频率限制'),
  status429_after: reject(429, 'FREQUENCY_LIMITED', '频率限制'),
  status500_before: reject(500, 'SYSTEM_ERROR', '系统错误'),
  status500_after: reject(500, 'SYSTEM_ERROR', '系统错误'),
  status502_before: reject(502, 'SERVICE_UNAVAILABLE', '服务不可用'),
  status502_after: reject(502, 'SERVICE_UNAVAILABLE', '服务不可用'),
}

/** Checks the signature, runs the call, signs what is 2xx, and breaks what the dials say. */
export function apiOf(world: World): Api {
  return async (ctx, run) => {
    const url = ctx.req.url ?? ''
    const fault = takeFault(world, beforeKinds, url)
    if (fault?.kind === 'cut_before') return cut(ctx)
    if (fault?.kind === 'timeout_before') return hang(world, ctx)
    const slow = takeFault(world, ['delay'], url)
    const [answer, merchant] = await decide(world, ctx, fault, run)
    const after = answer.status < 300 ? takeFault(world, afterKinds, url) : null
    const told = (after && refusals[after.kind]) ?? answer
    const [, mchid = null] = /mchid="(\d+)"/.exec(ctx.get('authorization')) ?? []
    const { method } = ctx
    note(world, { kind: 'call', mchid, method, url, status: told.status, fault: (after ?? fault)?.kind ?? null })
    // It is made and signed in the time that it takes.
    send(world, ctx, told, merchant)
    if (slow) await world.clock.sleep(slow.delayMs)
    if (after?.kind === 'cut_after') return cut(ctx)
    if (after?.kind === 'timeout_after') return hang(world, ctx)
    if (after?.kind === 'broken_response_signature') ctx.set('Wechatpay-Nonce', 'changed')
    if (after?.kind === 'truncated_after') truncate(ctx)
  }
}

/** The answer before it is signed, and the merchant whose call it was. */
async function decide(
  world: World,
  ctx: RouterContext,
  fault: Fault | null,
  run: Call,
): Promise<[Answer, Merchant | null]> {
  const url = ctx.req.url ?? ''
  const raw = ctx.state['raw'] as Buffer
  if (NAMED.test(url) && ctx.get('user-agent') === '')
    return [reject(400, 'INVALID_REQUEST', 'Http头缺少User-Agent'), null]
  const merchant = signer(world, { method: ctx.method, url, raw, authorization: ctx.get('authorization') })
  if (isAnswer(merchant)) return [merchant, null]
  const refusal = fault && refusals[fault.kind]
  if (refusal) return [refusal, null]
  if (signerKey(world, merchant, ctx.get('wechatpay-serial')) === null)
    return [reject(400, 'PARAM_ERROR', '平台证书序列号或微信支付公钥ID错误'), null]
  return [await run(merchant, raw, ctx), merchant]
}

/** Writes an answer; only 2xx carry a signature, and files none. */
function send(world: World, ctx: RouterContext, answer: Answer, merchant: Merchant | null): void {
  ctx.status = answer.status
  ctx.set('Request-ID', `${world.random(8).toString('hex').toUpperCase()}-0`)
  if (answer.file) {
    ctx.type = 'application/octet-stream'
    ctx.body = answer.file
    return
  }
  const body = answer.body === null ? '' : JSON.stringify(answer.body)
  const key = answer.status < 300 && merchant ? signerKey(world, merchant, ctx.get('wechatpay-serial')) : null
  if (key) ctx.set(signedHeaders(key, body, world.clock.wall() + world.skewMs, world.random))
  if (answer.status === 204) return
  ctx.type = 'application/json; charset=utf-8'
  ctx.body = body
}

/** Ends the connection without a word. */
function cut(ctx: RouterContext): void {
  ctx.respond = false
  ctx.res.destroy()
}

/** Leaves the caller waiting; where nobody waits, its time is up at once. */
async function hang(world: World, ctx: RouterContext): Promise<void> {
  await world.clock.sleep(HANGING_MS)
  cut(ctx)
}

/** Announces the whole body and ends the connection halfway. */
function truncate(ctx: RouterContext): void {
  const body = typeof ctx.body === 'string' ? Buffer.from(ctx.body) : Buffer.alloc(0)
  ctx.respond = false
  ctx.res.statusCode = ctx.status
  ctx.res.setHeader('content-length', Math.max(2, body.length))
  ctx.res.write(body.subarray(0, Math.floor(body.length / 2)), () => ctx.res.destroy())
}
