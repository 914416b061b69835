import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayHouse, type PayWorld, platformMerchant, servePayHouse, startPayWorld } from '../../testing/paying.ts'
import {
  aSale,
  brokenAccounts,
  issueAll,
  payByWechat,
  readSplitStates,
  settleAll,
  withMerchants,
} from '../../testing/settling.ts'
import { openPayment } from '../funding/open-payment.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'

let world: PayWorld
beforeAll(async () => {
  world = await withMerchants(await startPayWorld(), [platformMerchant.mchid, '1900000103'])
})
afterAll(() => world.sandbox.close())

const channels = (brand: number, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const code = String(index).padStart(2, '0')
    return { code, name: `渠道 ${code}`, mchid: `19001${brand}00${code}`, bp: 40 }
  })

onBothDatabases('profit sharing', (database) => {
  let house: PayHouse
  let company: TestCompany
  beforeEach(async () => {
    database.house = testHouse({
      wechatPay: { platform: platformMerchant, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 25 },
    })
    house = await servePayHouse(database, world, [])
    company = await aCompany(database, { walletFen: 10_000_000 })
  })
  afterEach(() => house.close())
  const balance = (of: ReturnType<typeof account.cards>) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))

  test('three brands, WeChat Pay and wallet, 60 receivers: every fen ends where it belongs', async () => {
    const wishes = [1, 2, 3].map((brand) => ({
      mchid: `190000010${brand}`,
      cards: 7,
      priceFen: 10_001,
      platformBp: 500,
      channels: channels(brand, 19),
    }))
    const sale = await aSale(database, company.id, wishes)
    for (const { brandId } of sale.brands)
      await payByWechat(house, world, company, { orderId: sale.orderId, brandId, amountFen: 40_003 })
    const rest = fen(sale.totalFen - 3 * 40_003)
    await openPayment(
      house.edge(company.as('finance')),
      { orderId: sale.orderId, source: 'wallet', amountFen: rest },
      'rest',
    )
    await issueAll(house, sale.orderId)
    await settleAll(house, world, handlers)
    const splits = await readSplitStates(house, sale.orderId)
    expect(splits.map((split) => split.state)).toEqual(['finished', 'finished', 'finished'])
    for (const split of splits) {
      expect(Number(split.shared) + Number(split.unfrozen) + Number(split.fee) + Number(split.refunded)).toBe(40_003)
      expect(Number(split.shared)).toBeGreaterThan(0)
    }
    const [calls] = await read<{ shares: unknown; unfreezes: unknown; receivers: unknown }>(
      "select sum(case when kind = 'share' then 1 else 0 end) as shares, sum(case when kind = 'unfreeze' then 1 else 0 end) as unfreezes, (select count(*) from split_receiver where state = 'success') as receivers from split_call where state = 'finished'",
    )
    expect([calls?.shares, calls?.unfreezes, calls?.receivers].map(Number)).toEqual([3, 3, 60])
    for (const mchid of wishes.map((wish) => wish.mchid)) expect(await balance(account.collected(mchid))).toBe(0)
    const items = await read<{ total: unknown }>('select sum(amount_fen) as total from payout_item')
    expect(Number(items[0]?.total)).toBe(rest)
    expect(await brokenAccounts(world)).toEqual([])
  })
})
