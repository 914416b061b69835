import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayHouse, type PayWorld, platformMerchant, startPayWorld } from '../../testing/paying.ts'
import { dyingAt, refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { aSale, issueAll, payByWechat, settleAll, withMerchants } from '../../testing/settling.ts'
import { decidePart } from './decide-part.ts'
import { requestRefund } from './request-refund.ts'

const channelMerchant = '1900000103'
let world: PayWorld
beforeAll(async () => {
  world = await withMerchants(await startPayWorld(), [platformMerchant.mchid, channelMerchant])
})
afterAll(() => world.sandbox.close())

onBothDatabases('money that was shared goes back', (database) => {
  let house: PayHouse
  let company: TestCompany
  const stage = refundStage(
    database,
    () => world,
    () => house,
    () => company,
  )
  beforeEach(async () => {
    database.house = testHouse({
      wechatPay: { platform: platformMerchant, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 25 },
    })
    house = await serveRefundHouse(database, world)
    company = await aCompany(database, { walletFen: 10_000_000 })
    for (const mchid of [platformMerchant.mchid, channelMerchant])
      await world.ctl('money-rules', { mchid, acceptReturns: true, poorReturn: 'fail' })
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await world.ctl('money-outcomes', {}, 'DELETE')
    await house.close()
  })

  /** 10 cards of 100 yuan, paid by WeChat, 5 % the platform's and 3 % a channel's; shared and freed. */
  async function shared(collector: 'brand' | 'platform' = 'brand') {
    const channels = [{ code: 'a', name: '渠道', mchid: channelMerchant, bp: 300 }]
    const wish = { mchid: '1900000101', cards: 10, priceFen: 10_000, platformBp: 500, channels }
    const more = collector === 'platform' ? { collector, maxRatioBp: 10_000 } : {}
    const sale = await aSale(database, company.id, [{ ...wish, ...more }])
    const brandId = sale.brands[0]!.brandId
    const paymentId = await payByWechat(house, world, company, { orderId: sale.orderId, brandId, amountFen: 100_000 })
    await issueAll(house, sale.orderId)
    return { ...sale, brandId, paymentId }
  }
  const take = async (orderId: Id<'order'>, count: number) => {
    const cards = (await stage.cardsOf(orderId)).slice(0, count)
    return stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: cards }))
  }
  const balances = async (brandId: Id<'brand'>) => ({
    collected: await stage.balance('collected:1900000101'),
    brand: await stage.balance(`brand-payable:${brandId}`),
    channel: await stage.balance(`channel-payable:${brandId}.a`),
  })

  test('receivers give back what they got for these cards, the brand pays its own, books and sandbox agree', async () => {
    const sale = await shared()
    await settleAll(house, world, handlers)
    expect(await balances(sale.brandId)).toEqual({ collected: 0, brand: 0, channel: 0 })
    const id = await take(sale.orderId, 3)
    await settleAll(house, world, handlers)
    const [part] = await stage.parts(id)
    expect([part!.state, part!.fen]).toEqual(['done', 30_000])
    const returns = await stage.read<{ amount: unknown; state: string }>(
      'select amount_fen as amount, state from split_return order by amount_fen',
    )
    expect(returns.map((row) => [Number(row.amount), row.state])).toEqual([
      [900, 'done'],
      [1_500, 'done'],
    ])
    const [row] = await stage.read<{ own: unknown; returned: unknown }>(
      'select own_fen as own, returned_fen as returned from refund_part',
    )
    expect([Number(row!.own), Number(row!.returned)]).toEqual([27_600, 2_400])
    expect(await balances(sale.brandId)).toEqual({ collected: 0, brand: 0, channel: 0 })
    await stage.conserved()
  })

  test('where the platform collects, brand and channel give back and the platform pays', async () => {
    await world.ctl('money-rules', { mchid: platformMerchant.mchid, maxRatioBp: 10_000 })
    await world.ctl('money-rules', { mchid: '1900000101', acceptReturns: true })
    const sale = await shared('platform')
    await settleAll(house, world, handlers)
    const id = await take(sale.orderId, 2)
    await settleAll(house, world, handlers)
    expect((await stage.parts(id))[0]!.state).toBe('done')
    const returns = await stage.read<{ amount: unknown }>(
      'select amount_fen as amount from split_return order by amount_fen',
    )
    expect(returns.map((row) => Number(row.amount))).toEqual([600, 18_400])
    expect((await balances(sale.brandId)).brand).toBe(0)
    await stage.conserved()
  })

  test('a stop at any step, and answers that are lost after their effect, end in the same books', async () => {
    for (const nth of [1, 2, 3]) {
      const sale = await shared()
      await settleAll(house, world, handlers)
      const id = await take(sale.orderId, 4)
      let stops = 0
      for (const path of ['/return-orders', '/refund/domestic/refunds'])
        await world.ctl('faults', { kind: nth === 2 ? 'cut_after' : 'status500_after', path, times: 1 })
      await settleAll(house, world, handlers, {
        around: async (edge, kind, work) => {
          if (kind !== 'refund.part' && kind !== 'share.return') return work(edge)
          stops += 1
          if (stops > 6) return work(edge)
          await work(dyingAt(edge, nth)).catch((error: Error) => {
            if (error.message !== 'killed before the commit') throw error
          })
          world.shiftMs += 20_000
          return work(edge)
        },
      })
      expect([nth, (await stage.parts(id))[0]!.state]).toEqual([nth, 'done'])
      expect(await balances(sale.brandId)).toEqual({ collected: 0, brand: 0, channel: 0 })
    }
    await stage.conserved()
  })

  test('a receiver without money leaves it to a person: wait, or refund without its share', async () => {
    const sale = await shared()
    await settleAll(house, world, handlers)
    await world.ctl('money-outcomes', { of: 'return', account: channelMerchant, failReason: 'BALANCE_NOT_ENOUGH' })
    const id = await take(sale.orderId, 3)
    await settleAll(house, world, handlers)
    const [stuck] = await stage.parts(id)
    expect([stuck!.state, stuck!.reason]).toEqual(['stuck', 'receiver_not_enough'])
    const operator = house.edge({
      kind: 'operator',
      operatorId: 'opr_0000000000001' as Id<'operator'>,
      roles: ['finance'],
    })
    await decidePart(operator, stuck!.id, 'without_returns')
    await settleAll(house, world, handlers)
    expect((await stage.parts(id))[0]!.state).toBe('done')
    // The platform gave its 1,500 back; the channel keeps its 900 and owes them, which its next payout takes off.
    expect(await balances(sale.brandId)).toEqual({ collected: 0, brand: -900, channel: 900 })
    const items = await stage.read<{ payee: string; total: unknown }>(
      'select payee, sum(amount_fen) as total from payout_item group by payee having sum(amount_fen) <> 0 order by payee',
    )
    expect(items.map((item) => Number(item.total)).sort((a, b) => a - b)).toEqual([-900, 900])
    await stage.conserved()
  })

  test('tried again, a receiver is asked only for what it has not given back', async () => {
    const sale = await shared()
    await settleAll(house, world, handlers)
    await world.ctl('money-outcomes', { of: 'return', account: channelMerchant, failReason: 'BALANCE_NOT_ENOUGH' })
    const id = await take(sale.orderId, 3)
    await settleAll(house, world, handlers)
    const [stuck] = await stage.parts(id)
    const operator = house.edge({
      kind: 'operator',
      operatorId: 'opr_0000000000001' as Id<'operator'>,
      roles: ['finance'],
    })
    await decidePart(operator, stuck!.id, 'retry')
    await settleAll(house, world, handlers)
    expect((await stage.parts(id))[0]!.state).toBe('done')
    const returns = await stage.read<{ amount: unknown; state: string }>(
      'select amount_fen as amount, state from split_return order by id',
    )
    expect(
      returns
        .filter((row) => row.state === 'done')
        .map((row) => Number(row.amount))
        .sort((a, b) => a - b),
    ).toEqual([900, 1_500])
    expect(await balances(sale.brandId)).toEqual({ collected: 0, brand: 0, channel: 0 })
  })

  test('of frozen money that was never shared a refund is one call, and what is shared afterwards is less', async () => {
    const sale = await shared()
    const id = await take(sale.orderId, 5)
    await settleAll(house, world, handlers)
    const [part] = await stage.parts(id)
    expect([part!.state, part!.calls]).toEqual(['done', 1])
    expect(await stage.read('select id from split_return')).toEqual([])
    const shares = await stage.read<{ amount: unknown }>(
      "select amount_fen as amount from split_receiver where state = 'success' order by amount_fen",
    )
    expect(shares.map((row) => Number(row.amount))).toEqual([1_500, 2_500])
    expect(await balances(sale.brandId)).toEqual({ collected: 0, brand: 0, channel: 0 })
    await stage.conserved()
  })

  const person = () =>
    house.edge({ kind: 'operator', operatorId: 'opr_0000000000001' as Id<'operator'>, roles: ['finance'] })
  /** What each is owed by the books is what its next payout brings, and nothing lies with WeChat Pay that nobody moves. */
  async function nothingIsLeft(brandId: Id<'brand'>, paidOut: number) {
    const { collected, brand, channel } = await balances(brandId)
    const items = await stage.read<{ payee: string; total: unknown }>(
      "select payee, sum(amount_fen) as total from payout_item where kind = 'settlement' group by payee",
    )
    const onPayout = (payee: string) => Number(items.find((one) => one.payee === payee)?.total ?? 0)
    expect({ collected, brand: 0 - brand, channel: 0 - channel }).toEqual({
      collected: 0,
      brand: onPayout(brandId),
      channel: onPayout(`${brandId}.a`),
    })
    expect(onPayout(brandId) + onPayout(`${brandId}.a`) + onPayout('platform')).toBe(0 - paidOut)
  }

  test('a refund that is asked for while the rest is being freed has not begun: it counts once', async () => {
    const sale = await shared()
    let asked: Id<'refund'> | undefined
    await settleAll(house, world, handlers, {
      around: (edge, kind, work) => {
        if (kind !== 'share.send') return work(edge)
        const tx: typeof edge.tx = async (step) => {
          const done = await edge.tx(step)
          const freeing = await stage.read("select id from split where state = 'unfreezing'")
          if (freeing.length > 0) asked ??= await take(sale.orderId, 3)
          return done
        }
        return work({ ...edge, tx })
      },
    })
    await settleAll(house, world, handlers)
    expect((await stage.parts(asked!))[0]!.state).toBe('done')
    const [split] = await stage.read<Record<'frozen' | 'returned' | 'own', unknown>>(
      'select refunded_fen as frozen, refunded_of_returns_fen as returned, refunded_of_rest_fen as own from split',
    )
    expect(Number(split!.frozen) + Number(split!.returned) + Number(split!.own)).toBe(30_000)
    await stage.conserved()
  })

  test('shares that came back for a refund that custody pays are the brand’s, which owes them', async () => {
    const sale = await shared()
    await settleAll(house, world, handlers)
    await world.ctl('money-outcomes', { of: 'return', account: channelMerchant, failReason: 'BALANCE_NOT_ENOUGH' })
    const id = await take(sale.orderId, 3)
    await settleAll(house, world, handlers)
    const [stuck] = await stage.parts(id)
    // Our 1,500 came back to the brand's merchant before the channel's 900 did not.
    expect((await balances(sale.brandId)).collected).toBe(1_500)
    await decidePart(person(), stuck!.id, 'pay_out')
    await settleAll(house, world, handlers)
    expect((await stage.parts(id))[0]!.state).toBe('paying_out')
    await nothingIsLeft(sale.brandId, 30_000)
  })

  test('given up by WeChat Pay after the shares came back, a refund is paid out, or tried anew from what the brand has', async () => {
    for (const [jobs, decision] of [
      [Infinity, 'pay_out'],
      [Infinity, 'new_number'],
      // The rest was not free yet when the refund was given up: its end leaves what came back to the brand.
      [3, 'pay_out'],
      [3, 'new_number'],
    ] as const) {
      const sale = await shared()
      await settleAll(house, world, handlers, { most: jobs }).catch(() => undefined)
      await world.ctl('money-outcomes', { of: 'refund', mchid: null, outcome: 'closed' })
      const id = await take(sale.orderId, 3)
      await settleAll(house, world, handlers)
      await world.ctl('money-outcomes', {}, 'DELETE')
      const [part] = await stage.parts(id)
      expect([jobs, part!.state]).toEqual([jobs, 'closed'])
      await decidePart(person(), part!.id, decision)
      await settleAll(house, world, handlers)
      const paidOut = decision === 'pay_out'
      expect((await stage.parts(id))[0]!.state).toBe(paidOut ? 'paying_out' : 'done')
      const left = await balances(sale.brandId)
      expect([jobs, decision, left.collected]).toEqual([jobs, decision, 0])
    }
  })
})
