import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayHouse, type PayWorld, platformMerchant, servePayHouse, startPayWorld } from '../../testing/paying.ts'
import * as settling from '../../testing/settling.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { leaveToPayout, retrySplit } from './decide-split.ts'

const BRAND = '1900000101'
const CHANNEL = '1900200001'
const sharing = '/profitsharing/orders'
let world: PayWorld
beforeAll(async () => {
  world = await settling.withMerchants(await startPayWorld(), [platformMerchant.mchid])
})
afterAll(() => world.sandbox.close())

onBothDatabases('profit sharing that goes wrong', (database) => {
  let house: PayHouse
  let company: TestCompany
  beforeEach(async () => {
    database.house = testHouse({
      wechatPay: { platform: platformMerchant, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 5 },
    })
    house = await servePayHouse(database, world, [])
    company = await aCompany(database)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await world.ctl('money-outcomes', {}, 'DELETE')
    await world.ctl('money-rules', { shareLatencyMs: 0, minShareAgeMs: 60_000 })
    await world.ctl('money-rules', { mchid: BRAND, maxRatioBp: 3_000 })
    await house.close()
    expect(await settling.brokenAccounts(world)).toEqual([])
  })

  /** An order of one brand, paid by WeChat Pay and issued: 10,000 fen, of which 500, 300 and 200 are others’. */
  async function paid(more: Partial<settling.SaleWish> = {}) {
    const channels = [
      { code: 'a', name: '甲', mchid: CHANNEL, bp: 300 },
      { code: 'b', name: '乙', mchid: '1900200002', bp: 200 },
    ]
    const wish = { mchid: BRAND, cards: 2, priceFen: 5_000, platformBp: 500, channels, ...more }
    const { orderId, brands } = await settling.aSale(database, company.id, [wish])
    const { brandId } = brands[0]!
    const paymentId = await settling.payByWechat(house, world, company, { orderId, brandId, amountFen: 10_000 })
    await settling.issueAll(house, orderId)
    return { orderId, brandId, paymentId }
  }
  const settle = (how?: Parameters<typeof settling.settleAll>[3]) => settling.settleAll(house, world, handlers, how)
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const states = async (orderId: Id<'order'>) =>
    (await settling.readSplitStates(house, orderId)).map((one) => one.state).join()
  const balance = (of: ReturnType<typeof account.cards>) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const calls = async () =>
    (await read<{ line: string }>('select kind, state from split_call order by split_id, seq')).map((one) =>
      Object.values(one).join(' '),
    )
  async function allShared(orderId: Id<'order'>) {
    expect(await states(orderId)).toBe('finished')
    const [split] = await settling.readSplitStates(house, orderId)
    expect([split!.shared, split!.unfrozen, split!.fee].map(Number)).toEqual([1_000, 8_940, 60])
    expect(await balance(account.collected(BRAND))).toBe(0)
  }

  test.for([
    ['cut_after', 'status500_after', 'status502_after', 'truncated_after', 'broken_response_signature'],
    ['status429', 'status429_after', 'cut_before', 'status500_before', 'status502_before'],
  ])('an answer that does not come, or lies (%s …), moves no fen twice and changes no number', async (kinds) => {
    for (const kind of kinds) {
      await world.ctl('faults', {}, 'DELETE')
      const { orderId } = await paid()
      await world.ctl('faults', { kind, path: sharing, times: 3 })
      await settle()
      await allShared(orderId)
    }
    expect(new Set(await calls())).toEqual(new Set(['share finished', 'unfreeze finished']))
    expect(await calls()).toHaveLength(2 * kinds.length)
  })

  test('sharing that takes half an hour, each job run twice at once: one share a receiver', async () => {
    await world.ctl('money-rules', { shareLatencyMs: 1_800_000 })
    const { orderId } = await paid()
    await settle({ around: async (edge, _kind, work) => void (await Promise.all([work(edge), work(edge)])) })
    await allShared(orderId)
    expect(await calls()).toEqual(['share finished', 'unfreeze finished'])
  })

  test.for(['status429', 'cut_before', 'status500_before'])(
    'a job that runs twice at once unfreezes nothing while the share may be lost (%s)',
    async (kind) => {
      const { orderId } = await paid()
      await world.ctl('faults', { kind, path: sharing, times: 1 })
      await settle({ around: async (edge, _kind, work) => void (await Promise.all([work(edge), work(edge)])) })
      await allShared(orderId)
      expect(await calls()).toEqual(['share finished', 'unfreeze finished'])
    },
  )

  test('stopped before and after any transaction and call, the next run goes on', async () => {
    const { orderId } = await paid()
    let [stops, jobs] = [0, 0]
    const around = async (edge: Edge, _kind: string, work: (edge: Edge) => Promise<void>) => {
      jobs += 1
      // A run that was stopped leaves another look behind: not all of them are stopped again.
      for (let at = 0; at < 6 && jobs <= 12; at += 1) {
        for (const after of [false, true]) {
          const died = await work(dyingAt(edge, at, after)).then(
            () => false,
            (error: unknown) => error instanceof Stopped || Promise.reject(error as Error),
          )
          stops += died ? 1 : 0
        }
      }
      await work(edge)
    }
    await settle({ around })
    await allShared(orderId)
    expect(stops).toBeGreaterThan(10)
    expect(await calls()).toEqual(['share finished', 'unfreeze finished'])
  })

  test('a refused receiver is tried again for its reason; who never can gets a payout instead', async () => {
    await world.ctl('money-outcomes', { of: 'receiver', account: CHANNEL, failReason: 'NO_RELATION' })
    const first = await paid()
    await settle()
    await allShared(first.orderId)
    await world.ctl('money-outcomes', { of: 'receiver', account: CHANNEL, failReason: 'ACCOUNT_ABNORMAL', times: 2 })
    const second = await paid()
    await settle()
    await allShared(second.orderId)
    await world.ctl('money-outcomes', { of: 'receiver', account: CHANNEL, failReason: 'RECEIVER_HIGH_RISK' })
    const third = await paid()
    await settle()
    const [split] = await settling.readSplitStates(house, third.orderId)
    expect([split!.state, Number(split!.shared)]).toEqual(['finished', 700])
    const items = await read<{ payee: string; fen: unknown }>(
      'select payee, amount_fen as fen from payout_item where order_id = ? order by amount_fen',
      [third.orderId],
    )
    expect(items.map((item) => [item.payee, Number(item.fen)])).toEqual([
      [third.brandId, -300],
      [`${third.brandId}.a`, 300],
    ])
  })

  test('a refusal that only a person can end waits for one, who tries again or leaves it to a payout', async () => {
    await world.ctl('money-outcomes', { of: 'receiver', account: CHANNEL, failReason: 'NO_AUTH', times: 2 })
    const [first, second] = [await paid(), await paid()]
    await settle()
    const stuck = await Promise.all([first, second].map(({ orderId }) => settling.readSplitStates(house, orderId)))
    expect(stuck.flat().map(({ state, problem }) => [state, problem])).toEqual([
      ['stuck', 'NO_AUTH'],
      ['stuck', 'NO_AUTH'],
    ])
    expect(await read('select id from payment where in_flight is not null')).toEqual([])
    await database.tx((tx) => retrySplit(tx, stuck[0]![0]!.id))
    await database.tx((tx) => leaveToPayout(tx, stuck[1]![0]!.id))
    await expect(database.tx((tx) => retrySplit(tx, stuck[1]![0]!.id))).rejects.toMatchObject({
      code: 'state_conflict',
    })
    await settle()
    await allShared(first.orderId)
    const [left] = await settling.readSplitStates(house, second.orderId)
    expect([left!.state, Number(left!.shared)]).toEqual(['finished', 700])
  })

  test('more than WeChat Pay grants is never tried again by itself', async () => {
    await world.ctl('money-rules', { mchid: BRAND, maxRatioBp: 700 })
    const { orderId } = await paid()
    await settle()
    const [split] = await settling.readSplitStates(house, orderId)
    expect(split!.state).toBe('stuck')
    await database.tx((tx) => leaveToPayout(tx, split!.id))
    await settle()
    const [end] = await settling.readSplitStates(house, orderId)
    expect([end!.state, Number(end!.shared), Number(end!.unfrozen)]).toEqual(['finished', 0, 9_940])
  })

  test('too early comes back later with the same number; frozen money that WeChat Pay freed by itself ends the split', async () => {
    await world.ctl('money-rules', { minShareAgeMs: 7_200_000 })
    const early = await paid()
    await settle()
    await allShared(early.orderId)
    expect(await calls()).toEqual(['share finished', 'unfreeze finished'])
    await world.ctl('money-rules', { minShareAgeMs: 60_000 })
    const late = await paid()
    world.shiftMs += 31 * 86_400_000
    await settle()
    const [split] = await settling.readSplitStates(house, late.orderId)
    expect([split!.state, Number(split!.shared), Number(split!.unfrozen)]).toEqual(['finished', 0, 9_940])
  })

  test('calls of one merchant keep its pace, over all of its orders', async () => {
    for (let order = 0; order < 12; order += 1) await paid()
    await settle()
    expect(await read('select id from split_call where sent_at_ms is not null')).toHaveLength(24)
    // Turns are handed out beforehand, so a machine that is slow to take them changes nothing.
    const turns = await read<{ at: unknown }>("select ready_at_ms as at from job where kind = 'share.send'")
    const times = turns.map((one) => Number(one.at))
    for (const at of times) expect(times.filter((one) => one >= at && one < at + 1_000).length).toBeLessThanOrEqual(5)
  })
})

class Stopped extends Error {}

/** An edge whose process ends at its nth use of database or network: before it, or right after it took effect. */
function dyingAt(edge: Edge, at: number, after: boolean): Edge {
  let uses = 0
  const dying = async <T>(work: () => Promise<T>): Promise<T> => {
    const last = (uses += 1) > at
    if (last && !after) throw new Stopped()
    const result = await work()
    if (last) throw new Stopped()
    return result
  }
  const wechatPay = new Proxy(edge.ports.wechatPay, {
    get: (port, name) => {
      const call = port[name as keyof typeof port] as (...given: unknown[]) => unknown
      if (String(name).endsWith('Body')) return call
      return (...given: unknown[]) => dying(() => call(...given) as Promise<unknown>)
    },
  })
  return { ...edge, ports: { ...edge.ports, wechatPay }, tx: (work) => dying(() => edge.tx(work)) }
}
