import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { drain } from '../../../jobs/drain.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { cancelOrder } from '../order/cancel-order.ts'
import { importStatement } from './import-statement.ts'
import { openPayment } from './open-payment.ts'
import type { PaymentRow } from './tables.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('an order that is cancelled', (database) => {
  let house: PayHouse
  let company: TestCompany
  beforeEach(async () => {
    house = await servePayHouse(database, world, [])
    company = await aCompany(database)
  })
  afterEach(() => house.close())

  async function opened() {
    const { orderId } = await anOrder(database, company.id, 1)
    const open = (source: 'wechat_pay' | 'bank_transfer', amount: number) =>
      openPayment(house.edge(company.as('hr')), { orderId, source, amountFen: fen(amount) }, `${orderId}${source}`)
    return { orderId, qr: await open('wechat_pay', 60_000), bank: await open('bank_transfer', 40_000) }
  }
  const payments = (orderId: Id<'order'>) =>
    database.tx((tx) =>
      sql<{ state: string; outcome: string | null; mchid: string; number: string; reference: PaymentRow['reference'] }>(
        tx.em,
        'select state, outcome, mchid, out_trade_no as number, reference from payment where order_id = ? order by id',
        [orderId],
      ),
    )
  const work = () => drain(house.edge(), handlers, ['payments.close'])
  const cancel = (orderId: Id<'order'>) => database.tx((tx) => cancelOrder(tx, orderId))

  test('nothing stays open to be paid, and money that comes all the same is kept and named', async () => {
    const { orderId } = await opened()
    expect(await cancel(orderId)).toBe(true)
    await work()
    const [qr, bank] = await payments(orderId)
    expect([qr!.state, bank!.state]).toEqual(['closed', 'closed'])
    expect(await world.ctl('pay', { mchid: qr!.mchid, outTradeNo: qr!.number, outcome: 'success' })).toMatchObject({
      state: 'CLOSED',
      transactionId: null,
    })
    const money = { direction: 'in' as const, amountFen: fen(40_000), arrivedAtMs: Date.now() }
    const entry = { ...money, row: 1, serial: orderId, payerName: '甲' }
    const read = { entries: [{ ...entry, payerAccount: '1', memo: bank!.reference! }], faults: [], refusal: null }
    await importStatement(house.edge(), { fileName: 'a.csv', bytes: Buffer.from(orderId), read }, 'zh')
    expect((await payments(orderId))[1]).toMatchObject({ state: 'paid', outcome: 'order_closed' })
    expect(await database.tx((tx) => readBalance(tx, 'CNY', account.overpaid(orderId)))).toBe(-40_000)
  })

  test('a QR code that was paid in the same moment is found paid, not closed', async () => {
    const { orderId } = await opened()
    const [qr] = await payments(orderId)
    await cancel(orderId)
    await world.ctl('pay', { mchid: qr!.mchid, outTradeNo: qr!.number, outcome: 'success' })
    await work()
    expect(await payments(orderId)).toMatchObject([{ state: 'paid', outcome: 'order_closed' }, { state: 'closed' }])
    expect(await database.tx((tx) => readBalance(tx, 'CNY', account.overpaid(orderId)))).toBe(-60_000)
  })
})
