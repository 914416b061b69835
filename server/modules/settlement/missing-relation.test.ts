import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayHouse, type PayWorld, platformMerchant, servePayHouse, startPayWorld } from '../../testing/paying.ts'
import * as settling from '../../testing/settling.ts'
import { ShareRelation } from './tables.ts'

const BRAND = '1900000101'
const CHANNEL = '1900200001'
let world: PayWorld

onBothDatabases('receivers without a relation', (database) => {
  let house: PayHouse
  let company: TestCompany
  beforeEach(async () => {
    world = await settling.withMerchants(await startPayWorld(), [platformMerchant.mchid])
    const pace = { settlementWindowMs: 600_000, sharesPerSecond: 5 }
    database.house = testHouse({ wechatPay: { platform: platformMerchant, feeBp: () => 60, ...pace } })
    house = await servePayHouse(database, world, [])
    company = await aCompany(database)
  })
  afterEach(async () => {
    await house.close()
    await world.sandbox.close()
  })

  async function paid() {
    const channels = [{ code: 'a', name: '甲', mchid: CHANNEL, bp: 300 }]
    const wish = { mchid: BRAND, cards: 1, priceFen: 10_000, platformBp: 500, channels }
    const { orderId, brands } = await settling.aSale(database, company.id, [wish])
    const paying = { orderId, brandId: brands[0]!.brandId, amountFen: 10_000 }
    await settling.payByWechat(house, world, company, paying)
    await settling.issueAll(house, orderId)
    return orderId
  }
  const receivers = [CHANNEL, platformMerchant.mchid]
  const calls = () =>
    database.tx((tx) =>
      sql<{ state: string; error: string | null }>(tx.em, 'select state, error from split_call order by split_id, seq'),
    )

  async function allShared(orderId: Id<'order'>): Promise<void> {
    const [split] = await settling.readSplitStates(house, orderId)
    expect([split!.state, Number(split!.shared), Number(split!.unfrozen)]).toEqual(['finished', 800, 9_140])
    expect(await settling.brokenAccounts(world)).toEqual([])
  }

  test('a share that WeChat Pay refuses for one that it never heard of: told again, shared under a new number', async () => {
    const orderId = await paid()
    // Our books say that they were told; WeChat Pay knows neither.
    for (const account of receivers) {
      await database.tx((tx) =>
        tx.em.insert(ShareRelation, {
          id: tx.newId('shareRelation'),
          mchid: BRAND,
          account,
          addedAtMs: tx.clock.now(),
        }),
      )
    }
    await settling.settleAll(house, world, handlers)
    await allShared(orderId)
    expect(await calls()).toContainEqual({ state: 'lost', error: 'SHARING_NO_RELATION' })
  })

  test('one that is taken off the list between adding and sharing: told again, shared under a new number', async () => {
    await paid()
    await settling.settleAll(house, world, handlers)
    const merchant = { mchid: BRAND, appid: 'wxsandbox0001' }
    for (const account of receivers) await house.ports.wechatPay.deleteReceiver(merchant, account)
    const orderId = await paid()
    await settling.settleAll(house, world, handlers)
    await allShared(orderId)
    const closed = await database.tx((tx) =>
      sql(tx.em, "select id from split_receiver where fail_reason = 'NO_RELATION'"),
    )
    expect(closed).toHaveLength(2)
  })
})
