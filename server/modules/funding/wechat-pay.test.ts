import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { PaymentView } from '../../../contract/hr/funding.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import { mutations } from '../../../sandbox/wechatpay/notices.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { fundingEndpoints } from './endpoints.ts'
import { watchPayment } from './watch-payment.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('WeChat Pay', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
  beforeEach(async () => {
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    world.shiftMs = 0
    await house.close()
  })

  const hr = () => company.as('hr')
  const open = (orderId: string, body: object, key = `k${(keys += 1)}`) =>
    house.call(hr(), 'POST', `/hr/orders/${orderId}/payments`, body, key)
  async function opened(orderId: string, amountFen: number, brandId?: string): Promise<PaymentView> {
    const answer = await open(orderId, {
      source: 'wechat_pay',
      amountFen,
      ...(brandId === undefined ? {} : { brandId }),
    })
    expect(answer).toMatchObject({ status: 200, body: { state: 'opened', amountFen } })
    return answer.body as unknown as PaymentView
  }
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const tamper = (text: string, values: readonly unknown[]) => database.tx((tx) => change(tx.em, text, values))
  async function row(id: string) {
    const [found] = await read<{ mchid: string; out_trade_no: string; state: string; outcome: string | null }>(
      'select mchid, out_trade_no, state, outcome from payment where id = ?',
      [id],
    )
    return found!
  }
  async function pay(id: string): Promise<void> {
    const { mchid, out_trade_no: outTradeNo } = await row(id)
    await world.ctl('pay', { mchid, outTradeNo, outcome: 'success' })
  }
  async function notify(id: string, more: object): Promise<number[]> {
    const { mchid, out_trade_no: outTradeNo } = await row(id)
    const answer = (await world.ctl('notice', { mchid, outTradeNo, ...more })) as { statuses: number[] }
    return answer.statuses
  }
  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 100 && !(await holds()); i += 1) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await holds()).toBe(true)
  }
  const isPaid = (id: string) => async () => (await row(id)).state === 'paid'
  const loseNotice = () => world.ctl('faults', { kind: 'notice_lose', times: 100 })
  const show = async (orderId: string) => (await house.call(hr(), 'GET', `/hr/orders/${orderId}`)).body
  const issueJobs = (orderId: string) => read('select id from job where job_key = ?', [`order.issue:${orderId}`])

  test('a scanned code funds the order once, though its notice comes 20 times at once and is also asked for', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 1)
    const payment = await opened(orderId, 100_000)
    expect(payment.codeUrl).toMatch(/^weixin:/)
    expect(payment.parts).toEqual([{ brandId: brandIds[0], brandName: '品牌 1', amountFen: 100_000 }])
    await loseNotice()
    await pay(payment.id)
    const [statuses] = await Promise.all([
      notify(payment.id, { copies: 20 }),
      house.call(hr(), 'POST', `/hr/payments/${payment.id}/query`),
      watchPayment(house.edge(), payment.id),
    ])
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 204))
    expect(await show(orderId)).toMatchObject({
      state: 'funded',
      securedFen: 100_000,
      missingFen: 0,
      openFen: 0,
      payments: [{ state: 'paid', outcome: 'exact', paidFen: 100_000, codeUrl: null }],
    })
    expect(await issueJobs(orderId)).toHaveLength(1)
    expect(await read("select id from entry where kind = 'funds_received'")).toHaveLength(1)
    const collected = await database.tx((tx) => readBalance(tx, 'CNY', account.collected(merchants[0].mchid)))
    expect(collected).toBe(100_000)
  })

  test('two brands in one order are paid to their own merchants, at once', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 2)
    expect(await open(orderId, { source: 'wechat_pay', amountFen: 60_000 })).toMatchObject({
      status: 409,
      body: { code: 'combined_unavailable', field: 'brandId' },
    })
    expect(await open(orderId, { source: 'wechat_pay', amountFen: 60_001, brandId: brandIds[0] })).toMatchObject({
      body: { code: 'payment_over_needed' },
    })
    const first = await opened(orderId, 60_000, brandIds[0])
    const second = await opened(orderId, 40_000, brandIds[1])
    expect((await row(first.id)).mchid).toBe(merchants[0].mchid)
    expect((await row(second.id)).mchid).toBe(merchants[1].mchid)
    await Promise.all([pay(first.id), pay(second.id)])
    await until(isPaid(first.id))
    await until(isPaid(second.id))
    expect(await show(orderId)).toMatchObject({ state: 'funded', securedFen: 100_000 })
    expect(await issueJobs(orderId)).toHaveLength(1)
  })

  test('a lost notice is made good by the watch, which also ends what nobody paid', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    await loseNotice()
    const [paid, unpaid] = [await opened(orderId, 30_000), await opened(orderId, 70_000)]
    await pay(paid.id)
    await watchPayment(house.edge(), paid.id)
    expect(await row(paid.id)).toMatchObject({ state: 'paid', outcome: 'exact' })
    await watchPayment(house.edge(), unpaid.id)
    expect(await row(unpaid.id)).toMatchObject({ state: 'opened' })
    const looks = await read<{ ready_at_ms: number }>("select ready_at_ms from job where kind = 'payment.watch'")
    expect(looks.length).toBeGreaterThanOrEqual(2)
    world.shiftMs = 2 * 3_600_000 + 1000
    await watchPayment(house.edge(), unpaid.id)
    expect(await row(unpaid.id)).toMatchObject({ state: 'closed' })
    expect(await show(orderId)).toMatchObject({ state: 'awaiting_funds', securedFen: 30_000, openFen: 0 })
  })

  test('what does not hold is refused and moves nothing; the true notice afterwards is taken', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await opened(orderId, 100_000)
    await loseNotice()
    await pay(payment.id)
    for (const mutate of mutations) expect([mutate, await notify(payment.id, { mutate })]).toEqual([mutate, [401]])
    expect(await row(payment.id)).toMatchObject({ state: 'opened' })
    expect(await read('select id from entry')).toHaveLength(0)
    const refusals = await read<{ note: string }>(
      "select note from trail where act = 'payment.notice_refused' order by id",
    )
    expect(refusals.map((one) => one.note.split(' ')[0])).toEqual(['wrong_amount', 'wrong_merchant'])
    const answer = await fetch(`${house.url}/notify/wechatpay`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'notice_refused' })
    expect(await notify(payment.id, {})).toEqual([204])
    expect(await row(payment.id)).toMatchObject({ state: 'paid', outcome: 'exact' })
  })

  test('money that comes after the closing is kept: late while it is needed, duplicate when it is not', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const late = await opened(orderId, 100_000)
    const again = await opened(orderId, 100_000)
    await loseNotice()
    await Promise.all([pay(late.id), pay(again.id)])
    // Closed here alone, as after a stop between their answer and our record.
    await tamper("update payment set state = 'closed' where order_id = ?", [orderId])
    expect(await notify(late.id, {})).toEqual([204])
    expect(await row(late.id)).toMatchObject({ state: 'paid', outcome: 'late' })
    expect(await notify(again.id, { copies: 5 })).toEqual([204, 204, 204, 204, 204])
    expect(await row(again.id)).toMatchObject({ state: 'paid', outcome: 'duplicate' })
    expect(await show(orderId)).toMatchObject({ state: 'funded', securedFen: 100_000 })
    expect(await database.tx((tx) => readBalance(tx, 'CNY', account.overpaid(orderId)))).toBe(-100_000)
  })

  test('closing asks first: paid stays paid, unpaid is closed there too and cannot be paid any more', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const [paid, unpaid] = [await opened(orderId, 40_000), await opened(orderId, 60_000)]
    await loseNotice()
    await pay(paid.id)
    const close = (id: string) => house.call(hr(), 'POST', `/hr/payments/${id}/close`)
    expect(await close(paid.id)).toMatchObject({ status: 200, body: { state: 'paid', outcome: 'exact' } })
    expect(await close(paid.id)).toMatchObject({ status: 409, body: { code: 'state_conflict' } })
    const both = await Promise.all([close(unpaid.id), close(unpaid.id)])
    expect(both.map((one) => one.body['state'])).toEqual(['closed', 'closed'])
    expect(await close(unpaid.id)).toMatchObject({ status: 200, body: { state: 'closed', codeUrl: null } })
    await pay(unpaid.id)
    expect(await house.call(hr(), 'POST', `/hr/payments/${unpaid.id}/query`)).toMatchObject({
      body: { state: 'closed' },
    })
  })

  test('an answer that was lost leaves one payment, and asking again gets its code', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    await world.ctl('faults', { kind: 'cut_after', path: '/native', times: 1 })
    expect((await opened(orderId, 10_000)).codeUrl).toMatch(/^weixin:/)
    await world.ctl('faults', { kind: 'status500_after', path: '/native', times: 2 })
    const key = 'lost-answer'
    const wish = { source: 'wechat_pay', amountFen: 20_000 }
    const first = await open(orderId, wish, key)
    expect(first).toMatchObject({ status: 200, body: { state: 'opened', codeUrl: null } })
    const second = await open(orderId, wish, key)
    expect(second.body).toMatchObject({ id: first.body['id'], codeUrl: expect.stringMatching(/^weixin:/) })
    expect(await open(orderId, { ...wish, amountFen: 1 }, key)).toMatchObject({
      status: 409,
      body: { code: 'idempotency_conflict' },
    })
    await world.ctl('faults', { kind: 'status429', path: '/native', times: 1 })
    const busy = await opened(orderId, 30_000)
    expect(busy.codeUrl).toBeNull()
    const asked = await house.call(hr(), 'POST', `/hr/payments/${busy.id}/query`)
    expect(asked.body['codeUrl']).toMatch(/^weixin:/)
    expect(await read('select id from payment')).toHaveLength(3)
  })

  test('a merchant that WeChat Pay does not take fails the payment and says so', async () => {
    const { orderId, brandIds } = await anOrder(database, company.id, 1)
    await tamper("update brand set appid = 'wxwrong' where id = ?", [brandIds[0]])
    expect(await open(orderId, { source: 'wechat_pay', amountFen: 100_000 })).toMatchObject({
      status: 503,
      body: { code: 'provider_unavailable' },
    })
    expect(await read('select state from payment')).toEqual([{ state: 'failed' }])
  })

  test('another company sees none of it', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const payment = await opened(orderId, 100_000)
    const stranger = (await aCompany(database)).as('admin')
    const asks = [
      ['GET', `/hr/orders/${orderId}`],
      ['GET', `/hr/orders/${orderId}/events`],
      ['POST', `/hr/orders/${orderId}/payments`, { source: 'bank_transfer', amountFen: 1 }, 'key'],
      ['POST', `/hr/payments/${payment.id}/close`],
      ['POST', `/hr/payments/${payment.id}/query`],
    ] as const
    for (const [method, path, body, key] of asks)
      expect([path, (await house.call(stranger, method, path, body, key)).status]).toEqual([path, 404])
    expect(await house.call(stranger, 'GET', '/hr/payments')).toMatchObject({ status: 200, body: { payments: [] } })
    expect((await house.call(hr(), 'GET', '/hr/payments')).body['payments']).toHaveLength(1)
    expect((await house.call({ kind: 'anybody' }, 'GET', `/hr/orders/${orderId}`)).status).toBe(401)
    expect((await house.call(company.as('approver'), 'POST', `/hr/payments/${payment.id}/close`)).status).toBe(403)
  })
})
