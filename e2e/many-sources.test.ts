import { expect, test } from 'vitest'
import { encodeId, type Id } from '../contract/ids.ts'
import { readPack } from '../server/modules/cardpack/read-pack.ts'
import { onBothDatabases } from '../server/testing/databases.ts'
import { platformMerchant } from '../server/testing/paying.ts'
import { HOUR_MS, openManySources, PRICE_FEN, type ManySourcesStage } from './many-sources.ts'
import { readSettled } from './many-sources-sums.ts'
import { count, settleOrder } from './settle-order.ts'

const CARDS = 10_000
const PER_SECOND = 3
/** What the sandbox answers while money is shared, each some times: refused, done and not told, told wrongly, lost. */
const troubles = [
  'status429',
  'status500_after',
  'cut_after',
  'status429_after',
  'status502_after',
  'truncated_after',
  'broken_response_signature',
  'cut_before',
  'status500_before',
] as const
const paths = ['/profitsharing/orders', '/profitsharing/orders', '/profitsharing/orders/unfreeze'] as const
const latenciesMs = [1_800_000, 0, 300_000, 20_000] as const

interface Call {
  readonly atMs: number
  readonly kind: string
  readonly mchid: string | null
  readonly method: string
  readonly url: string
  readonly fault: string | null
}

onBothDatabases('an order from many sources for many receivers', (database) => {
  let stage: ManySourcesStage
  let issuedAtMs = 0

  /** Sharing is late and out of order: what is begun later may be over sooner; and answers fail in turn. */
  async function trouble(round: number): Promise<void> {
    if (round % 4 === 0)
      for (const [index, mchid] of ['1900000101', '1900000102', platformMerchant.mchid].entries()) {
        const shareLatencyMs = latenciesMs[(round / 4 + index) % latenciesMs.length]!
        await stage.world.ctl('money-rules', { mchid, shareLatencyMs })
      }
    const turn = Math.floor(round / 6)
    const [kind, path] = [troubles[turn % troubles.length], paths[turn % paths.length]]
    if (round % 6 === 3 && round < 400) await stage.world.ctl('faults', { kind, path, times: 2 })
    if (round % 25 === 7) {
      await stage.world.ctl('faults', { kind: 'notice_repeat', copies: 3 })
      await stage.world.ctl('faults', { kind: 'notice_reorder', times: 2 })
    }
  }

  async function inThePacks(orderId: Id<'order'>): Promise<void> {
    issuedAtMs = stage.world.now()
    const ofOrder = 'card join order_item on order_item.id = card.order_item_id where order_item.order_id = ?'
    expect(await count(stage, `${ofOrder} and card.state = 'active'`, orderId)).toBe(CARDS)
    expect(await count(stage, 'split where order_id = ?', orderId)).toBe(0)
    for (let person = 0; person < CARDS; person += 997) {
      const holder = {
        kind: 'employee',
        companyId: stage.company.id,
        personId: encodeId('person', BigInt(person)),
      } as const
      const pack = await stage.house.edge(holder).read(readPack)
      expect(
        pack.filter((card) => card.balanceFen === PRICE_FEN && card.lockedUntilMs > issuedAtMs).length,
      ).toBeGreaterThan(0)
    }
    const [plan] = await stage.read<{ at: unknown }>(
      "select ready_at_ms as at from job where kind = 'settlement.plan' and job_key = ?",
      [`settlement.plan:${orderId}`],
    )
    expect(Number(plan?.at)).toBeGreaterThanOrEqual(issuedAtMs + HOUR_MS - 60_000)
  }

  async function allShared(orderId: Id<'order'>): Promise<void> {
    const splits = await readSettled(stage)
    expect(new Set(splits.map((split) => split.state))).toEqual(new Set(['finished']))
    const receivers = await stage.read<{ state: string; n: unknown }>(
      `select split_receiver.state as state, count(*) as n from split_receiver
        join split on split.id = split_receiver.split_id where split.order_id = ? group by split_receiver.state`,
      [orderId],
    )
    expect(receivers.map((row) => [row.state, Number(row.n)])).toEqual([['success', 60]])
    const first = await stage.read<{ at: unknown }>(
      `select min(split_call.sent_at_ms) as at from split_call join split on split.id = split_call.split_id where split.order_id = ?`,
      [orderId],
    )
    expect(Number(first[0]?.at)).toBeGreaterThanOrEqual(issuedAtMs + HOUR_MS - 60_000)
  }

  /** By the sandbox's own log: in no second more calls of a merchant than it was configured. */
  async function keepsPace(): Promise<void> {
    const log = await stage.look<Call[]>('log')
    expect(log.length).toBeLessThan(5_000)
    const all = log.filter(({ kind, url }) => kind === 'call' && url.startsWith('/v3/profitsharing/orders'))
    // A request that is cut off before it arrives leaves no line.
    for (const kind of troubles.filter((one) => one !== 'cut_before'))
      expect({ kind, times: all.filter(({ fault }) => fault === kind).length }).not.toEqual({ kind, times: 0 })
    const calls = all.filter(({ method }) => method === 'POST')
    expect(calls.filter(({ fault }) => fault?.endsWith('_after')).length).toBeGreaterThan(5)
    for (const [mchid, own] of Map.groupBy(calls, (call) => call.mchid)) {
      expect({ mchid, calls: own.length > 20 }).toEqual({ mchid, calls: true })
      const crowds = own.map(({ atMs }) => own.filter((one) => one.atMs >= atMs && one.atMs < atMs + 1_000))
      const told = (calls: readonly Call[]) => calls.map(({ atMs, url }) => `${atMs - issuedAtMs} ${url}`)
      expect(crowds.filter((crowd) => crowd.length > PER_SECOND).map(told)).toEqual([])
    }
  }

  test('is in the packs before anything is shared, and every fen ends where it belongs', async () => {
    stage = await openManySources(database, {
      cards: CARDS,
      others: 6,
      sharesPerSecond: PER_SECOND,
      shareLatencyMs: 1_800_000,
    })
    try {
      const {
        broken,
        orderId: _orderId,
        ...figures
      } = await settleOrder(stage, {
        issued: inThePacks,
        shared: allShared,
        round: trouble,
        twice: true,
      })
      expect(broken).toEqual([])
      await keepsPace()
      process.stderr.write(`${database.dialect}: ${JSON.stringify(figures)}\n`)
      expect(figures).toMatchObject({ cards: CARDS, receivers: 60, sources: 3 })
      expect(figures.shareCalls * 10).toBeLessThan(figures.naiveCalls)
    } finally {
      await stage.close()
    }
  })
})
