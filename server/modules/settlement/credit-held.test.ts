import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { aSale, issueAll, settleAll } from '../../testing/settling.ts'
import { openPayment } from '../funding/open-payment.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { setCreditLine } from '../wallet/set-credit-line.ts'
import { topUpWallet } from '../wallet/top-up-wallet.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('cards bought on credit are paid out as the company repays', (database) => {
  let house: PayHouse
  let company: TestCompany
  beforeEach(async () => {
    house = await servePayHouse(database, world, [])
    company = await aCompany(database, { walletFen: 5_000 })
    await database.tx((tx) => setCreditLine(tx, company.id, fen(100_000)))
  })
  afterEach(() => house.close())

  /** Four cards of 5,000 fen, 5 % ours and 3 % a channel's, paid from these sources and issued. */
  async function sold(paid: { credit: number; wallet?: number }) {
    const channels = [{ code: 'mall', name: '商城', mchid: '1900200001', bp: 300 }]
    const wish = { mchid: '1900000101', cards: 4, priceFen: 5_000, platformBp: 500, channels }
    const { orderId, brands } = await aSale(database, company.id, [wish])
    const pay = (source: 'credit_line' | 'wallet', amount: number) =>
      openPayment(house.edge(company.as('finance')), { orderId, source, amountFen: fen(amount) }, `${orderId}${source}`)
    await pay('credit_line', paid.credit)
    if (paid.wallet) await pay('wallet', paid.wallet)
    await issueAll(house, orderId)
    return { orderId, brandId: brands[0]!.brandId }
  }
  type Sale = Awaited<ReturnType<typeof sold>>
  const settle = () => settleAll(house, world, handlers)
  const repay = (amount: number) =>
    database.tx((tx) => topUpWallet(tx, { companyId: company.id, amount: fen(amount), ref: tx.newId('statementLine') }))
  const work = () => handlers['credit.settle']!(house.edge(), { companyId: company.id })
  /** What is on payouts for brand, channel and us, and what of the order waits. */
  async function on({ orderId, brandId }: Sale) {
    const items = await database.tx((tx) =>
      sql<{ payee: string; total: unknown }>(
        tx.em,
        'select payee, sum(amount_fen) as total from payout_item where order_id = ? group by payee',
        [orderId],
      ),
    )
    const [row] = await database.tx((tx) =>
      sql<{ held: unknown }>(tx.em, 'select held_fen as held from settlement where order_id = ?', [orderId]),
    )
    const of = (payee: string) => Number(items.find((one) => one.payee === payee)?.total ?? 0)
    return [of(brandId), of(`${brandId}.mall`), of('platform'), Number(row!.held)]
  }

  test('the oldest order first, brand, channel and we in proportion, to the fen', async () => {
    const a = await sold({ credit: 20_000 })
    const b = await sold({ credit: 15_000, wallet: 5_000 })
    await settle()
    expect(await on(a)).toEqual([0, 0, 0, 20_000])
    expect(await on(b)).toEqual([4_600, 150, 250, 15_000])
    // The books owe them theirs from the issue on, whoever waits.
    const owed = await database.tx((tx) => readBalance(tx, 'CNY', account.brandPayable(a.brandId)))
    expect(owed).toBe(-18_400)
    await repay(12_001)
    expect(await on(a)).toEqual([0, 0, 0, 20_000])
    await work()
    await work()
    const [brand, channel, platform, held] = await on(a)
    expect([brand! + channel! + platform!, held]).toEqual([12_001, 7_999])
    expect([brand, channel, platform]).toEqual([11_041, 360, 600])
    expect(await on(b)).toEqual([4_600, 150, 250, 15_000])
    await repay(9_999)
    await work()
    expect(await on(a)).toEqual([18_400, 600, 1_000, 0])
    expect(await on(b)).toEqual([6_440, 210, 350, 13_000])
    await repay(13_000)
    await work()
    expect(await on(b)).toEqual([18_400, 600, 1_000, 0])
  })

  test('a refund lowers what is owed, and an order that was repaid before it is planned waits for nothing', async () => {
    const a = await sold({ credit: 20_000 })
    const b = await sold({ credit: 20_000 })
    await repay(20_000)
    await settle()
    expect([(await on(a))[3], (await on(b))[3]]).toEqual([0, 20_000])
    const cards = await database.tx((tx) =>
      sql<{ id: Id<'card'> }>(
        tx.em,
        'select card.id as id from card join order_item on order_item.id = card.order_item_id where order_item.order_id = ? order by card.id',
        [a.orderId],
      ),
    )
    const some = cards.slice(0, 2).map((card) => card.id)
    const wish = { kind: 'cards', orderId: a.orderId, cardIds: some } as const
    await house.edge(company.as('hr')).tx((tx) => requestRefund(tx, wish))
    await work()
    // Half of the repaid order came back: its brand gives half back, and that much of the other is repaid.
    expect(await on(a)).toEqual([9_200, 300, 500, 0])
    expect(await on(b)).toEqual([9_200, 300, 500, 10_000])
    // Later debts wait behind it.
    const c = await sold({ credit: 5_000, wallet: 5_000 }).catch(() => null)
    expect(c).toBeNull()
    await repay(10_000)
    await work()
    expect((await on(b))[3]).toBe(0)
  })

  test('a repayment beside the plan is seen by one of them', async () => {
    for (let round = 0; round < 6; round += 1) {
      const sale = await sold({ credit: 20_000 })
      const plan = handlers['settlement.plan']!
      world.shiftMs += 3 * 3_600_000
      await Promise.all([plan(house.edge(), { orderId: sale.orderId }), repay(20_000).then(work)])
      const jobs = await database.tx((tx) =>
        sql<{ id: string }>(tx.em, "select id from job where kind = 'credit.settle' and state = 'ready'"),
      )
      expect(jobs.length).toBeGreaterThan(0)
      await work()
      expect(await on(sale)).toEqual([18_400, 600, 1_000, 0])
    }
  })
})
