import type Router from 'koa-router'
import { z } from 'zod'
import { retireCertificates, rotateCertificates } from './certificates.ts'
import { allMutations, newNoticeId, postNotice } from './notices.ts'
import { findPayable, outcomes, pay } from './pay.ts'
import { readControl } from './read-control.ts'
import { faultKinds, permissions } from './state.ts'
import type { World } from './state.ts'

const merchantInput = z.strictObject({
  mchid: z.string().regex(/^\d{6,32}$/),
  appid: z.string().min(1).max(32),
  /** Further apps that it is bound to; with `appid` at most 50. */
  appids: z.array(z.string().min(1).max(32)).max(49).default([]),
  certSerial: z.string().min(1),
  publicKeyPem: z.string().includes('PUBLIC KEY'),
  apiV3Key: z.string().length(32),
  shortName: z.string().min(1),
  verifyBy: z.enum(['public_key', 'certificate', 'both']).default('public_key'),
  permissions: z.array(z.enum(permissions)).default([...permissions]),
})
const payInput = z.strictObject({
  mchid: z.string(),
  outTradeNo: z.string(),
  openid: z.string().min(1).max(128).default('oSandboxPayer0001'),
  outcome: z.enum(outcomes),
})
/** Forward by at most a year at once; `skewMs` is by how much WeChat Pay's clock differs from everybody else's. */
export const clockInput = z.strictObject({
  advanceMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(366 * 86_400_000)
    .default(0),
  skewMs: z.coerce.number().int().min(-86_400_000).max(86_400_000).optional(),
})
const keysInput = z.strictObject({
  /** Puts a new platform certificate beside the old one, or removes the old one. */
  certificates: z.enum(['rotate', 'retire']).optional(),
  /** How many of a thousand notices to merchants in migration go by the public key. */
  publicKeyPermille: z.int().min(0).max(1000).optional(),
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
  mutate: z.enum(allMutations).optional(),
  copies: z.int().min(1).max(1000).default(1),
})

/** The control side: tests and pages use it, the product never sees it. */
export function mountControl(router: Router, world: World): void {
  router.post('/__ctl/merchants', (ctx) => {
    const merchant = readControl(ctx, merchantInput)
    if (!merchant) return
    const appids = [...new Set([merchant.appid, ...merchant.appids])]
    world.merchants.set(merchant.mchid, { ...merchant, appids })
    ctx.body = { mchid: merchant.mchid }
  })
  router.post('/__ctl/pay', (ctx) => {
    const input = readControl(ctx, payInput)
    if (!input) return
    const result = pay(world, input.mchid, input.outTradeNo, input.openid, input.outcome)
    ctx.status = result.found ? 200 : 404
    ctx.body = result
  })
  router.post('/__ctl/faults', (ctx) => {
    const input = readControl(ctx, faultInput)
    if (!input) return
    world.faults.push({ ...input, path: input.path ?? null })
    ctx.body = { faults: world.faults }
  })
  router.get('/__ctl/faults', (ctx) => {
    ctx.body = { faults: world.faults }
  })
  const clock = () => ({ nowMs: world.now(), aheadMs: world.clock.aheadMs(), skewMs: world.skewMs })
  router.get('/__ctl/clock', (ctx) => {
    ctx.body = clock()
  })
  router.post('/__ctl/clock', async (ctx) => {
    const input = readControl(ctx, clockInput)
    if (!input) return
    if (input.skewMs !== undefined) world.skewMs = input.skewMs
    await world.clock.advance(input.advanceMs)
    ctx.body = clock()
  })
  router.post('/__ctl/keys', (ctx) => {
    const input = readControl(ctx, keysInput)
    if (!input) return
    if (input.certificates === 'rotate') rotateCertificates(world)
    if (input.certificates === 'retire') retireCertificates(world)
    if (input.publicKeyPermille !== undefined) world.publicKeyPermille = input.publicKeyPermille
    const serials = world.certificates.map((one) => one.id)
    ctx.body = { publicKeyId: world.key.id, serials, publicKeyPermille: world.publicKeyPermille }
  })
  router.delete('/__ctl/faults', (ctx) => {
    world.faults = []
    ctx.body = { faults: [] }
  })
  router.get('/__ctl/log', (ctx) => {
    ctx.body = world.log
  })
  router.post('/__ctl/notice', async (ctx) => {
    const input = readControl(ctx, noticeInput)
    if (!input) return
    const statuses = await sendNotice(world, input)
    ctx.status = statuses ? 200 : 404
    ctx.body = statuses ? { statuses } : { error: 'no paid order of this number' }
  })
}

/** Sends a notice of a paid order on demand, straight or crooked; the statuses received, null without such an order. */
export async function sendNotice(world: World, input: z.output<typeof noticeInput>): Promise<number[] | null> {
  const payable = findPayable(world, input.mchid, input.outTradeNo)
  if (payable?.order.state !== 'SUCCESS') return null
  const { url, build } = payable.letter()
  const notice = build(newNoticeId(world), input.mutate)
  return Promise.all(Array.from({ length: input.copies }, () => postNotice(world, url, notice)))
}
