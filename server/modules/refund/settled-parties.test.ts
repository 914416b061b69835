import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayHouse, type PayWorld, platformMerchant, startPayWorld } from '../../testing/paying.ts'
import { refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { aSale, issueAll, payByWechat, settleAll, withMerchants } from '../../testing/settling.ts'
import { openPayment } from '../funding/open-payment.ts'
import { requestRefund } from './request-refund.ts'

const BRAND = '1900000101'
const channelMerchant = '1900000103'
let world: PayWorld
beforeAll(async () => {
  world = await withMerchants(await startPayWorld(), [platformMerchant.mchid, channelMerchant])
})
afterAll(() => world.sandbox.close())

/** Cards of odd prices over two WeChat payments and the wallet; refunds begin after so many settling jobs. */
const story = fc.record({
  priceFen: fc.integer({ min: 1_001, max: 9_999 }),
  platformBp: fc.integer({ min: 0, max: 1_500 }),
  channelBp: fc.integer({ min: 1, max: 1_400 }),
  wechat: fc.tuple(fc.integer({ min: 5, max: 60 }), fc.integer({ min: 5, max: 35 })),
  refunds: fc.array(fc.record({ cards: fc.integer({ min: 1, max: 2 }), afterJobs: fc.nat(7) }), { maxLength: 3 }),
})

onBothDatabases('what parties are owed, whenever cards go back', (database) => {
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
    for (const mchid of [platformMerchant.mchid, channelMerchant, BRAND])
      await world.ctl('money-rules', { mchid, acceptReturns: true, poorReturn: 'fail' })
    await world.ctl('money-rules', { mchid: platformMerchant.mchid, maxRatioBp: 10_000 })
    // Who collects has money of its own, as a shop has: refunds of what was freed are paid from there.
    for (const mchid of [BRAND, platformMerchant.mchid]) await world.ctl('top-up', { mchid, amount: 10_000_000 })
  })
  afterEach(() => house.close())

  async function play(
    collector: 'brand' | 'platform',
    what: typeof story extends fc.Arbitrary<infer T> ? T : never,
    index: number,
  ) {
    const channels = [{ code: 'a', name: '渠道', mchid: channelMerchant, bp: what.channelBp }]
    const { priceFen, platformBp } = what
    const more = collector === 'platform' ? { collector, maxRatioBp: 10_000 } : {}
    const sale = await aSale(database, company.id, [
      { mchid: BRAND, cards: 7, priceFen, platformBp, channels, ...more },
    ])
    const { orderId } = sale
    const brandId = sale.brands[0]!.brandId
    const parts = what.wechat.map((percent) => Math.floor((sale.totalFen * percent) / 100))
    parts[1] = parts[1] === parts[0] ? parts[1]! + 1 : parts[1]!
    for (const amountFen of parts) await payByWechat(house, world, company, { orderId, brandId, amountFen })
    const rest = fen(sale.totalFen - parts[0]! - parts[1]!)
    const wallet = { orderId, source: 'wallet' as const, amountFen: rest }
    await openPayment(house.edge(company.as('finance')), wallet, `rest ${index}`)
    await issueAll(house, orderId)
    const cards = await stage.cardsOf(orderId)
    for (const { cards: count, afterJobs } of what.refunds) {
      await settleAll(house, world, handlers, { most: afterJobs }).catch(() => undefined)
      const cardIds = cards.splice(0, count)
      await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    }
    await settleAll(house, world, handlers)
    const items = await stage.read<{ payee: string; total: unknown }>(
      'select payee, sum(amount_fen) as total from payout_item where order_id = ? group by payee',
      [orderId],
    )
    const onPayout = (payee: string) => Number(items.find((one) => one.payee === payee)?.total ?? 0)
    const owed = {
      brand: 0 - (await stage.balance(`brand-payable:${brandId}`)),
      channel: 0 - (await stage.balance(`channel-payable:${brandId}.a`)),
    }
    expect(owed).toEqual({ brand: onPayout(brandId), channel: onPayout(`${brandId}.a`) })
    return onPayout('platform')
  }

  test.for(['brand', 'platform'] as const)(
    'what the books owe each is what its next payout brings, to the fen, where the %s collects',
    { timeout: 600_000 },
    async (collector) => {
      let ours = 0
      const seed = Number(process.env['SEED'] ?? 20_261_122)
      const stories = fc.sample(story, { seed, numRuns: Number(process.env['RUNS'] ?? 4) })
      for (const [index, what] of stories.entries()) ours += await play(collector, what, index)
      const mchid = platformMerchant.mchid
      const [fee, received] = [await stage.balance('platform-fee'), await stage.balance(`collected:${mchid}`)]
      // Where we collect, what WeChat Pay keeps is our cost.
      expect(0 - fee, `seed ${seed}`).toBe(received + ours + (await stage.balance(`wechat-fee:${mchid}`)))
      expect(await stage.balance(`collected:${BRAND}`)).toBe(0)
      await stage.conserved()
    },
  )
})
