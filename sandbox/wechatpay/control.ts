import { randomUUID } from 'node:crypto'
import type Router from 'koa-router'
import type { RouterContext } from 'koa-router'
import { z } from 'zod'
import { buildNotice, mutations, postNotice } from './notices.ts'
import { outcomes, pay } from './pay.ts'
import { faultKinds, findTrade } from './state.ts'
import type { World } from './state.ts'

const merchantInput = z.strictObject({
  mchid: z.string().regex(/^\d{6,32}$/),
  appid: z.string().min(1).max(32),
  certSerial: z.string().min(1),
  publicKeyPem: z.string().includes('PUBLIC KEY'),
  apiV3Key: z.string().length(32),
  shortName: z.string().min(1),
})
const payInput = z.strictObject({
  mchid: z.string(),
  outTradeNo: z.string(),
  openid: z.string().min(1).max(128).default('oSandboxPayer0001'),
  outcome: z.enum(outcomes),
})
/** At most a year at once. */
export const clockInput = z.strictObject({
  advanceMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(366 * 86_400_000),
})
export const faultInput = z.strictObject({
  kind: z.enum(faultKinds),
  path: z.string().optional(),
  times: z.coerce.number().int().min(1).max(1_000_000).default(1),
  delayMs: z.coerce.number().int().min(0).max(600_000).default(0),
  copies: z.coerce.number().int().min(1).max(1000).default(2),
})
export const noticeInput = z.strictObject({
  mchid: z.string(),
  outTradeNo: z.string(),
  mutate: z.enum(mutations).optional(),
  copies: z.int().min(1).max(1000).default(1),
})

/** Reads a control call's body; null after answering 400. */
function read<T>(ctx: RouterContext, schema: z.ZodType<T>): T | null {
  let value: unknown
  try {
    value = JSON.parse((ctx.state['raw'] as Buffer).toString('utf8')) as unknown
  } catch {
    value = undefined
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  ctx.status = 400
  ctx.body = { error: z.prettifyError(parsed.error) }
  return null
}

/** The control side: tests and pages use it, the product never sees it. */
export function mountControl(router: Router, world: World): void {
  router.post('/__ctl/merchants', (ctx) => {
    const merchant = read(ctx, merchantInput)
    if (!merchant) return
    world.merchants.set(merchant.mchid, merchant)
    ctx.body = { mchid: merchant.mchid }
  })
  router.post('/__ctl/pay', (ctx) => {
    const input = read(ctx, payInput)
    if (!input) return
    const result = pay(world, input.mchid, input.outTradeNo, input.openid, input.outcome)
    ctx.status = result.found ? 200 : 404
    ctx.body = result
  })
  router.post('/__ctl/faults', (ctx) => {
    const input = read(ctx, faultInput)
    if (!input) return
    world.faults.push({ ...input, path: input.path ?? null })
    ctx.body = { faults: world.faults }
  })
  router.get('/__ctl/faults', (ctx) => {
    ctx.body = { faults: world.faults }
  })
  const clock = () => ({ nowMs: world.now(), aheadMs: world.clock.aheadMs() })
  router.get('/__ctl/clock', (ctx) => {
    ctx.body = clock()
  })
  router.post('/__ctl/clock', (ctx) => {
    const input = read(ctx, clockInput)
    if (!input) return
    world.clock.advance(input.advanceMs)
    ctx.body = clock()
  })
  router.delete('/__ctl/faults', (ctx) => {
    world.faults = []
    ctx.body = { faults: [] }
  })
  router.get('/__ctl/log', (ctx) => {
    ctx.body = world.log
  })
  router.post('/__ctl/notice', async (ctx) => {
    const input = read(ctx, noticeInput)
    if (!input) return
    const statuses = await sendNotice(world, input)
    ctx.status = statuses ? 200 : 404
    ctx.body = statuses ? { statuses } : { error: 'no paid order of this number' }
  })
}

/** Sends a notice of a paid order on demand, straight or crooked; the statuses received, null without such an order. */
export async function sendNotice(world: World, input: z.output<typeof noticeInput>): Promise<number[] | null> {
  const [merchant, trade] = [world.merchants.get(input.mchid), findTrade(world, input.mchid, input.outTradeNo)]
  if (!merchant || trade?.state !== 'SUCCESS') return null
  const notice = buildNotice(world, merchant, trade, randomUUID(), input.mutate)
  return Promise.all(Array.from({ length: input.copies }, () => postNotice(world, trade.notifyUrl, notice)))
}
