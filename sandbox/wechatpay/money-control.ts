import type Router from 'koa-router'
import { z } from 'zod'
import { available, availableOf, frozenOf, move, outside, rulesOf, settleDue } from './accounts.ts'
import { conserved } from './conserved.ts'
import { finishShare } from './finish-share.ts'
import { readControl } from './read-control.ts'
import { finishReturn } from './returns.ts'
import { finishRefund } from './run-refund.ts'
import { failReasons, published, refundOutcomes, returnFailures } from './money-state.ts'
import { findTrade } from './state.ts'
import type { World } from './state.ts'

const ms = z.int().min(0)
const bp = z.int().min(0).max(10_000)
const url = z.url().nullable()
/** Any of the rules; what is not named stays. */
export const rulesInput = z.strictObject({
  mchid: z.string().optional(),
  feeBp: bp.optional(),
  maxRatioBp: bp.optional(),
  shareLatencyMs: ms.nullable().optional(),
  returnLatencyMs: ms.nullable().optional(),
  refundLatencyMs: ms.nullable().optional(),
  minShareAgeMs: ms.optional(),
  orderIntervalMs: ms.optional(),
  refundIntervalMs: ms.optional(),
  freezeMs: ms.optional(),
  mayShare: z.boolean().optional(),
  mayRefund: z.boolean().optional(),
  acceptReturns: z.boolean().optional(),
  poorReturn: z.enum(['fail', 'wait']).optional(),
  poorRefund: z.enum(['refuse', 'wait']).optional(),
  ratioCode: z.enum(['RULE_LIMIT', 'INVALID_REQUEST']).optional(),
  failedShare: z.enum(['frozen', 'available']).optional(),
  nameRequired: z.boolean().optional(),
  registeredName: z.string().nullable().optional(),
  shareNotifyUrl: url.optional(),
  refundNotifyUrl: url.optional(),
  apiV2Key: z.string().length(32).nullable().optional(),
})
const times = z.int().min(1).max(1_000_000).default(1)
export const outcomeInput = z.discriminatedUnion('of', [
  z.strictObject({ of: z.literal('receiver'), account: z.string(), failReason: z.enum(failReasons), times }),
  z.strictObject({ of: z.literal('return'), account: z.string(), failReason: z.enum(returnFailures), times }),
  z.strictObject({
    of: z.literal('refund'),
    mchid: z.string().nullable().default(null),
    outcome: z.enum([...refundOutcomes, 'user_abnormal']),
    times,
  }),
])
const moveInput = z.strictObject({ mchid: z.string(), amount: z.int().min(1) })

/**
 * The control side of the money. `POST money-rules` sets rules of the world, or of one merchant with `mchid`, `DELETE` puts
 * all back;
 * `money-outcomes` says what happens to the next calls; `money-settle` ends at once what is under way; `balances`,
 * `holding`, `journal`,
 * `conserved` and `overlaps` (sharing and a refund of one transaction at once) tell.
 */
export function mountMoneyControl(router: Router, world: World): void {
  const { money } = world
  router.post('/__ctl/money-rules', (ctx) => {
    const input = readControl(ctx, rulesInput)
    if (!input) return
    setRules(world, input)
    ctx.body = { rules: input.mchid === undefined ? money.rules : rulesOf(world, input.mchid) }
  })
  router.delete('/__ctl/money-rules', (ctx) => {
    settleDue(world)
    money.rules = published
    money.merchantRules.clear()
    ctx.body = { rules: money.rules }
  })
  router.post('/__ctl/money-outcomes', (ctx) => {
    const input = readControl(ctx, outcomeInput)
    if (!input) return
    if (input.of === 'receiver') money.receiverOutcomes.push(input)
    else if (input.of === 'return') money.returnOutcomes.push(input)
    else money.nextRefunds.push(input)
    ctx.body = outcomes(world)
  })
  router.delete('/__ctl/money-outcomes', (ctx) => {
    money.receiverOutcomes = []
    money.returnOutcomes = []
    money.nextRefunds = []
    ctx.body = outcomes(world)
  })
  router.post('/__ctl/money-settle', (ctx) => {
    settleAll(world)
    ctx.body = {}
  })
  for (const [name, sign] of [
    ['top-up', 1],
    ['withdraw', -1],
  ] as const) {
    router.post(`/__ctl/${name}`, (ctx) => {
      const input = readControl(ctx, moveInput)
      if (!input) return
      ctx.status = moveByHand(world, input.mchid, sign * input.amount) ? 200 : 409
      ctx.body = balances(world, input.mchid)
    })
  }
  mountTelling(router, world)
}

/** What stands on the accounts, and whether it adds up. */
function mountTelling(router: Router, world: World): void {
  const { money } = world
  router.get('/__ctl/balances', (ctx) => {
    ctx.body = balances(world, String(ctx.query['mchid'] ?? ''))
  })
  router.get('/__ctl/holding', (ctx) => {
    settleDue(world)
    const [mchid, no] = [String(ctx.query['mchid'] ?? ''), String(ctx.query['outTradeNo'] ?? '')]
    const id = String(ctx.query['transactionId'] ?? findTrade(world, mchid, no)?.transactionId ?? '')
    const holding = money.holdings.get(id)
    ctx.status = holding ? 200 : 404
    ctx.body = holding ?? { error: 'no such paid order' }
  })
  router.get('/__ctl/journal', (ctx) => {
    settleDue(world)
    const mchid = ctx.query['mchid']
    ctx.body = { rows: money.journal.filter((row) => mchid === undefined || row.mchid === mchid) }
  })
  router.get('/__ctl/overlaps', (ctx) => {
    ctx.body = { overlaps: money.overlaps }
  })
  router.get('/__ctl/conserved', (ctx) => {
    settleDue(world)
    const broken = conserved(world)
    ctx.body = { ok: broken.length === 0, broken }
  })
}

/** Sets rules for the world, or for one merchant. */
export function setRules(world: World, input: z.output<typeof rulesInput>): void {
  const { mchid, ...given } = input
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const { money } = world
  settleDue(world)
  if (mchid === undefined) money.rules = { ...money.rules, ...named }
  else money.merchantRules.set(mchid, { ...money.merchantRules.get(mchid), ...named })
}

function outcomes(world: World): Record<string, unknown> {
  const { receiverOutcomes, returnOutcomes, nextRefunds } = world.money
  return { receivers: receiverOutcomes, returns: returnOutcomes, refunds: nextRefunds }
}

/** Brings money in from a bank, or takes it there; false where there is too little. */
export function moveByHand(world: World, mchid: string, amount: number): boolean {
  settleDue(world)
  if (availableOf(world, mchid) + amount < 0) return false
  const cause = { atMs: world.now(), transactionId: null, outNo: null, voucher: null }
  const [from, to] = amount > 0 ? [outside('banks'), available(mchid)] : [available(mchid), outside('banks')]
  const business = amount > 0 ? 'top_up' : 'withdrawal'
  move(world, from, to, Math.abs(amount), { ...cause, out: business, in: business })
  settleDue(world)
  return true
}

function balances(world: World, mchid: string): Record<string, unknown> {
  settleDue(world)
  return { mchid, available: availableOf(world, mchid), frozen: frozenOf(world, mchid) }
}

export function settleAll(world: World): void {
  settleDue(world)
  const nowMs = world.now()
  for (const share of world.money.shares.values()) finishShare(world, share, nowMs)
  for (const one of world.money.returns.values()) finishReturn(world, one, nowMs)
  for (const one of world.money.refunds.values()) finishRefund(world, one, nowMs)
}
