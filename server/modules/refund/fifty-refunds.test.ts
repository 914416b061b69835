import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { requestRefund } from './request-refund.ts'

const MOST = 50
let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('WeChat Pay refunds a payment 50 times', (database) => {
  let house: PayHouse
  let company: TestCompany
  const stage = refundStage(
    database,
    () => world,
    () => house,
    () => company,
  )
  beforeEach(async () => {
    house = await serveRefundHouse(database, world)
    company = await aCompany(database, { walletFen: 10_000_000 })
  })
  afterEach(() => house.close())

  test('the 51st is transferred instead and says why; WeChat Pay is not asked for it', async () => {
    const { orderId } = await stage.issued(3, { wechat: [150_000] })
    const cards = await stage.cardsOf(orderId)
    const refundOf = async (index: number) => {
      const cardIds = [cards[index]!]
      const id = await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
      await stage.settle()
      return (await stage.parts(id))[0]!
    }
    expect((await refundOf(0)).state).toBe('done')
    // It was closed and asked for anew 48 times, each time under a number of its own.
    await stage.set('update refund_part set retries = ?', [MOST - 2])
    expect(await refundOf(1)).toMatchObject({ state: 'done', route: 'wechat' })
    const last = await refundOf(2)
    expect(last).toMatchObject({ state: 'paying_out', route: 'bank', reason: 'too_many', calls: 0, no: null })
    const [payment] = await stage.read<{ refunded: unknown; waiting: unknown }>(
      'select refunded_fen as refunded, refunds_waiting as waiting from payment',
    )
    expect([Number(payment!.refunded), Number(payment!.waiting)]).toEqual([100_000, 0])
    await stage.conserved()
  })
})
