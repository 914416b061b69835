import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { PaymentView } from '../../../contract/hr/funding.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import { oddities } from '../../../sandbox/wechatpay/notices.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { fundingEndpoints } from './endpoints.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

/** What is answered to notices that are signed rightly and are yet not what they seem (protocols wechat-pay 10.2). */
const answers: Readonly<Record<(typeof oddities)[number], number>> = {
  appid: 401,
  // An event that nobody knows is taken and does nothing: sent again it would be no better known.
  event: 204,
  profitsharing: 401,
  xml: 401,
}

onBothDatabases('notices that are not what they seem', (database) => {
  let house: PayHouse
  let company: TestCompany
  beforeEach(async () => {
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await house.close()
  })
  const read = <T>(text: string) => database.tx((tx) => sql<T>(tx.em, text))

  test('move nothing, and the true one afterwards is taken', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const wish = { source: 'wechat_pay', amountFen: 100_000 }
    const opened = await house.call(company.as('hr'), 'POST', `/hr/orders/${orderId}/payments`, wish, 'k1')
    const { id } = opened.body as unknown as PaymentView
    const [row] = await read<{ mchid: string; no: string }>('select mchid, out_trade_no as no from payment')
    const { mchid, no: outTradeNo } = row!
    await world.ctl('faults', { kind: 'notice_lose', times: 100 })
    await world.ctl('pay', { mchid, outTradeNo, outcome: 'success' })
    const notify = async (more: object): Promise<number[]> =>
      ((await world.ctl('notice', { mchid, outTradeNo, ...more })) as { statuses: number[] }).statuses
    for (const mutate of oddities) expect([mutate, await notify({ mutate })]).toEqual([mutate, [answers[mutate]]])
    expect(await read('select state, outcome from payment')).toEqual([{ state: 'opened', outcome: null }])
    expect(await read('select id from entry')).toHaveLength(0)
    const notes = await read<{ note: string }>("select note from trail where act = 'payment.notice_refused'")
    expect(notes.map(({ note }) => note)).toEqual(['wrong_merchant 100000'])
    expect(await notify({})).toEqual([204])
    expect(await read('select id, state from payment')).toEqual([{ id, state: 'paid' }])
  })
})
