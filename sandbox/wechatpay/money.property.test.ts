import fc from 'fast-check'
import { expect, test } from 'vitest'
import { virtualClock } from '../clock.ts'
import { availableOf, receivePayment, settleDue } from './accounts.ts'
import { conserved } from './conserved.ts'
import { createWorld } from './create-world.ts'
import type { Answer } from './gate.ts'
import { moveByHand, setRules } from './money-control.ts'
import type { MoneyRules } from './money-state.ts'
import { addReceiver } from './receivers.ts'
import { applyAbnormalRefund, applyRefund } from './refunds.ts'
import { requestReturn } from './returns.ts'
import { requestShare, requestUnfreeze } from './sharing.ts'
import type { Merchant, Trade, World } from './state.ts'

const DAY = 86_400_000
const mchids = ['1900000001', '1900000002', '1900000003'] as const

const pick = fc.nat({ max: 1000 })
const part = fc.integer({ min: 1, max: 120 })
const mchid = fc.constantFrom(...mchids)
const op = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('pay' as const), mchid, total: fc.integer({ min: 1, max: 50_000 }), flagged: fc.boolean() }) }, // prettier-ignore
  { weight: 4, arbitrary: fc.record({ op: fc.constant('share' as const), pick, parts: fc.array(fc.tuple(mchid, part), { minLength: 1, maxLength: 3 }), rest: fc.boolean() }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ op: fc.constant('unfreeze' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('refund' as const), pick, part, from: fc.option(part) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('return' as const), pick, row: pick, part }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('abnormal' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('bank' as const), mchid, amount: fc.integer({ min: -30_000, max: 30_000 }) }) }, // prettier-ignore
  { weight: 4, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 1000, 60_000, DAY, 5 * DAY, 7 * DAY, 29 * DAY) }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ op: fc.constant('repeat' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('receiver' as const), mchid, times: fc.integer({ min: 1, max: 3 }) }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ op: fc.constant('outcome' as const), outcome: fc.constantFrom('abnormal' as const, 'closed' as const, 'never' as const, 'user_abnormal' as const) }) }, // prettier-ignore
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('rules' as const),
      rules: fc.record<Partial<MoneyRules>>(
        {
          feeBp: fc.constantFrom(0, 38, 60, 5000),
          maxRatioBp: fc.constantFrom(100, 3000, 10_000),
          shareLatencyMs: fc.constantFrom(null, 0, 1000, DAY),
          returnLatencyMs: fc.constantFrom(null, 0, 1000, DAY),
          refundLatencyMs: fc.constantFrom(null, 0, 1000, DAY),
          poorReturn: fc.constantFrom('fail' as const, 'wait' as const),
          poorRefund: fc.constantFrom('refuse' as const, 'wait' as const),
          failedShare: fc.constantFrom('frozen' as const, 'available' as const),
        },
        { requiredKeys: [] },
      ),
    }),
  },
)
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never

/** A world, what was asked of it in full, and the answers that were given. */
interface Run {
  readonly world: World
  readonly advance: (ms: number) => Promise<void>
  readonly asked: { readonly again: () => Answer; readonly id: string }[]
  serial: number
}

function start(): Run {
  const clock = virtualClock(Date.parse('2026-09-01T00:00:00Z'))
  const world = createWorld(clock, { platformKey: { id: 'P', publicPem: '', privatePem: '' } })
  setRules(world, { orderIntervalMs: 0, refundIntervalMs: 0, minShareAgeMs: 0, acceptReturns: true })
  for (const one of mchids) world.merchants.set(one, { mchid: one, appids: ['wx1'] } as unknown as Merchant)
  const run: Run = { world, advance: (ms) => clock.advance(ms), asked: [], serial: 0 }
  for (const from of mchids) {
    for (const account of mchids) {
      const body = { appid: 'wx1', type: 'MERCHANT_ID', account, relation_type: 'PARTNER' }
      addReceiver(world, merchantOf(world, from), Buffer.from(JSON.stringify(body)), '')
    }
  }
  return run
}

const merchantOf = (world: World, one: string): Merchant => world.merchants.get(one)!
const at = <T>(list: Iterable<T>, index: number): T | undefined => {
  const all = [...list]
  return all[index % Math.max(1, all.length)]
}

/** Sends a body; what was accepted is kept to be sent again. */
function send(
  run: Run,
  by: string,
  call: (world: World, merchant: Merchant, raw: Buffer, serial: string) => Answer,
  body: unknown,
): void {
  const raw = Buffer.from(JSON.stringify(body))
  const again = (): Answer => call(run.world, merchantOf(run.world, by), raw, '')
  const answer = again()
  expect(answer.status).toBeLessThan(500)
  if (answer.status === 200) run.asked.push({ again, id: idOf(answer) })
}
const idOf = ({ body }: Answer): string => String(body?.['return_id'] ?? body?.['refund_id'] ?? body?.['order_id'])

async function act(run: Run, one: Op): Promise<void> {
  const { world } = run
  const { money } = world
  const no = `N${(run.serial += 1)}`
  switch (one.op) {
    case 'pay': {
      const trade = { outTradeNo: no, mchid: one.mchid, total: one.total, profitSharing: one.flagged, state: 'SUCCESS' }
      const paid = { ...trade, appid: 'wx1', transactionId: `T${no}`, successAtMs: world.now() } as unknown as Trade
      world.trades.set(`${one.mchid} ${no}`, paid)
      receivePayment(world, paid)
      return
    }
    case 'share': {
      const holding = at(money.holdings.values(), one.pick)
      if (!holding) return
      const base = Math.max(1, Math.floor(holding.paid / 300))
      const receivers = one.parts.map(([account, share]) => ({
        type: 'MERCHANT_ID',
        account,
        amount: base * share,
        description: 'x',
      }))
      const body = { transaction_id: holding.transactionId, out_order_no: no, receivers, unfreeze_unsplit: one.rest }
      return send(run, holding.mchid, requestShare, body)
    }
    case 'unfreeze': {
      const holding = at(money.holdings.values(), one.pick)
      const body = { transaction_id: holding?.transactionId, out_order_no: no, description: 'x' }
      return holding && send(run, holding.mchid, requestUnfreeze, body)
    }
    case 'refund': {
      const holding = at(money.holdings.values(), one.pick)
      if (!holding) return
      const refund = Math.max(1, Math.floor((holding.paid * one.part) / 100))
      const frozen = Math.floor((refund * Math.min(99, one.from ?? 0)) / 100)
      const from = [
        { account: 'UNAVAILABLE', amount: frozen },
        { account: 'AVAILABLE', amount: refund - frozen },
      ].filter(({ amount }) => amount > 0)
      const amount = { refund, total: holding.paid, currency: 'CNY', ...(one.from === null ? {} : { from }) }
      const body = { transaction_id: holding.transactionId, out_refund_no: no, amount }
      return send(run, holding.mchid, applyRefund, body)
    }
    case 'return': {
      const share = at(money.shares.values(), one.pick)
      const row = at(share?.rows ?? [], one.row)
      if (!share || !row) return
      const amount = Math.max(1, Math.floor((row.amount * one.part) / 100))
      const to = { out_order_no: share.outOrderNo, out_return_no: no, return_mchid: row.account }
      return send(run, share.mchid, requestReturn, { ...to, amount, description: 'x' })
    }
    case 'abnormal': {
      const refund = at(money.refunds.values(), one.pick)
      if (!refund) return
      const raw = Buffer.from(JSON.stringify({ out_refund_no: refund.outRefundNo, type: 'MERCHANT_BANK_CARD' }))
      applyAbnormalRefund(world, merchantOf(world, refund.mchid), refund.refundId, raw, '')
      return
    }
    case 'bank':
      if (one.amount !== 0) expect(typeof moveByHand(world, one.mchid, one.amount)).toBe('boolean')
      return
    case 'wait':
      await run.advance(one.ms)
      return settleDue(world)
    case 'repeat': {
      const before = at(run.asked, one.pick)
      if (!before) return
      settleDue(world)
      const held = [...money.balances].join()
      const answer = before.again()
      if (answer.status === 200) expect(idOf(answer)).toBe(before.id)
      else expect(answer.status).toBe(429)
      expect([...money.balances].join()).toBe(held)
      return
    }
    case 'receiver':
      money.receiverOutcomes.push({ account: one.mchid, failReason: 'ACCOUNT_ABNORMAL', times: one.times })
      return
    case 'outcome':
      money.nextRefunds.push({ mchid: null, outcome: one.outcome, times: 1 })
      return
    case 'rules':
      return setRules(world, one.rules)
  }
}

test('whatever is asked in whatever order, all money adds up after each step and nothing is below 0', async () => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 20, maxLength: 80, size: 'max' }), async (ops) => {
      const run = start()
      for (const one of ops) {
        await act(run, one)
        expect(conserved(run.world)).toEqual([])
      }
      const { money } = run.world
      await run.advance(40 * DAY)
      settleDue(run.world)
      expect(conserved(run.world)).toEqual([])
      for (const holding of money.holdings.values()) {
        if (holding.reserved === 0) expect(holding.frozen).toBe(0)
        expect(holding.refunded).toBeLessThanOrEqual(holding.paid)
      }
      for (const one of money.returns.values()) expect(one.result).not.toBe('PROCESSING')
      for (const one of mchids) expect(availableOf(run.world, one)).toBeGreaterThanOrEqual(0)
      for (const row of money.journal) seen.set(row.business, (seen.get(row.business) ?? 0) + 1)
    }),
    { numRuns: 600 },
  )
  const all = ['payment', 'fee', 'fee_back', 'share_out', 'share_in', 'return_out', 'return_in', 'unfreeze', 'refund', 'refund_back', 'top_up', 'withdrawal'] // prettier-ignore
  expect(all.filter((business) => (seen.get(business) ?? 0) < 20)).toEqual([])
})
