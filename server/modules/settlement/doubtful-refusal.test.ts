import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import type { WechatPayPort } from '../../channels/wechatpay-port.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayHouse, type PayWorld, platformMerchant, servePayHouse, startPayWorld } from '../../testing/paying.ts'
import * as settling from '../../testing/settling.ts'

const BRAND = '1900000101'
let world: PayWorld
beforeAll(async () => {
  world = await settling.withMerchants(await startPayWorld(), [platformMerchant.mchid])
})
afterAll(() => world.sandbox.close())

onBothDatabases('a refusal of the second host after the first gave no answer', (database) => {
  let house: PayHouse
  let company: TestCompany
  beforeEach(async () => {
    database.house = testHouse({
      wechatPay: { platform: platformMerchant, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 5 },
    })
    house = await servePayHouse(database, world, [])
    company = await aCompany(database)
  })
  afterEach(() => house.close())

  test('leaves the transaction taken: the first may have shared, and no refund begins beside it', async () => {
    const wish = { mchid: BRAND, cards: 1, priceFen: 10_000, platformBp: 500, channels: [] }
    const { orderId, brands } = await settling.aSale(database, company.id, [wish])
    const paying = { orderId, brandId: brands[0]!.brandId, amountFen: 10_000 }
    const paymentId = await settling.payByWechat(house, world, company, paying)
    await settling.issueAll(house, orderId)
    const flights: unknown[] = []
    const around = async (edge: Edge, _kind: string, work: (edge: Edge) => Promise<void>) => {
      let doubted = false
      const share: WechatPayPort['share'] = async (merchant, body) => {
        const facts = await edge.ports.wechatPay.share(merchant, body)
        if (flights.length > 0) return facts
        doubted = true
        throw new OutsideError('unknown', 'SHARING_TOO_EARLY', 'the second host says that it is too early')
      }
      await work({ ...edge, ports: { ...edge.ports, wechatPay: { ...edge.ports.wechatPay, share } } })
      const [row] = await edge.read((tx) =>
        sql<{ flight: string | null }>(tx.em, 'select in_flight as flight from payment where id = ?', [paymentId]),
      )
      if (doubted) flights.push(row?.flight)
    }
    await settling.settleAll(house, world, handlers, { around })
    expect(flights).toEqual(['share'])
    const [split] = await settling.readSplitStates(house, orderId)
    expect([split!.state, Number(split!.shared)]).toEqual(['finished', 500])
    expect(await settling.brokenAccounts(world)).toEqual([])
  })
})
