import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { OrderView, PaymentView } from '../../../contract/hr/funding.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import type { Edge } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import {
  anOrder,
  servePayHouse,
  startPayWorld,
  withPlatform,
  type Answer,
  type PayHouse,
  type PayWorld,
} from '../../testing/paying.ts'
import { fundingEndpoints } from './endpoints.ts'
import { splitPayment } from './split-payment.ts'
import { watchPayment } from './watch-payment.ts'
import type { Id } from '../../../contract/ids.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('several payments in place of one', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
  beforeEach(async () => {
    withPlatform(database)
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
    company = await aCompany(database)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await house.close()
  })

  const hr = () => company.as('hr')
  const open = async (orderId: string, body: object) =>
    (await house.call(hr(), 'POST', `/hr/orders/${orderId}/payments`, body, `k${(keys += 1)}`))
      .body as unknown as PaymentView
  const split = (orderId: string, body: object, key = `s${(keys += 1)}`): Promise<Answer> =>
    house.call(hr(), 'POST', `/hr/orders/${orderId}/payments/split`, body, key)
  const pieces = (answer: Answer) => answer.body['payments'] as PaymentView[]
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const rows = (orderId: string) =>
    read<{ id: Id<'payment'>; state: string; mchid: string; out_trade_no: string; combine_no: string | null }>(
      'select id, state, mchid, out_trade_no, combine_no from payment where order_id = ? order by id',
      [orderId],
    )
  const show = async (orderId: string) =>
    (await house.call(hr(), 'GET', `/hr/orders/${orderId}`)).body as unknown as OrderView
  const pay = (row: { mchid: string; out_trade_no: string }, outcome: string) =>
    world.ctl('pay', { mchid: row.mchid, outTradeNo: row.out_trade_no, outcome })

  test('what the bank does not let through is closed and paid in pieces; a repeat of the key opens nothing more', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const stuck = await open(orderId, { source: 'wechat_pay', amountFen: 100_000 })
    const [row] = await rows(orderId)
    await pay(row!, 'bank_limit')
    const wish = { paymentId: stuck.id, amountFen: 100_000, mostFen: 30_000 }
    const [first, again] = await Promise.all([split(orderId, wish, 'same'), split(orderId, wish, 'same')])
    expect(first.status).toBe(200)
    expect(pieces(first).map((one) => [one.amountFen, one.state])).toEqual([
      [30_000, 'opened'],
      [30_000, 'opened'],
      [30_000, 'opened'],
      [10_000, 'opened'],
    ])
    expect(pieces(again).map((one) => one.id)).toEqual(pieces(first).map((one) => one.id))
    for (const one of pieces(await split(orderId, wish, 'same'))) expect(one.codeUrl).toMatch(/^weixin:/)
    const all = await rows(orderId)
    expect(all.map((one) => one.state)).toEqual(['closed', 'opened', 'opened', 'opened', 'opened'])
    for (const one of all.slice(1)) {
      await pay(one, 'success')
      await watchPayment(house.edge(), one.id)
    }
    expect(await show(orderId)).toMatchObject({ state: 'funded', securedFen: 100_000, missingFen: 0 })
    expect(await read("select id from job where kind = 'order.issue'")).toHaveLength(1)
  })

  test('a payment that was paid in the same moment is taken, and nothing is opened beside it', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const stuck = await open(orderId, { source: 'wechat_pay', amountFen: 60_000 })
    await world.ctl('faults', { kind: 'notice_lose', times: 100 })
    await pay((await rows(orderId))[0]!, 'success')
    expect(await split(orderId, { paymentId: stuck.id, amountFen: 60_000, mostFen: 20_000 })).toMatchObject({
      status: 409,
      body: { code: 'state_conflict' },
    })
    expect((await rows(orderId)).map((one) => one.state)).toEqual(['paid'])
  })

  test('no answer about the stuck payment opens nothing', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const stuck = await open(orderId, { source: 'wechat_pay', amountFen: 60_000 })
    await world.ctl('faults', { kind: 'status500_before', times: 20 })
    const wish = { paymentId: stuck.id, amountFen: 60_000, mostFen: 20_000 }
    expect((await split(orderId, wish, 'k')).status).toBeGreaterThanOrEqual(500)
    expect((await rows(orderId)).map((one) => one.state)).toEqual(['opened'])
    await world.ctl('faults', {}, 'DELETE')
    expect((await split(orderId, wish, 'k')).status).toBe(200)
    expect((await rows(orderId)).map((one) => one.state)).toEqual(['closed', 'opened', 'opened', 'opened'])
  })

  test('a stop between recording and asking is finished by the same key', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const edge = house.edge(hr())
    const dying: Edge = {
      ...edge,
      ports: {
        ...edge.ports,
        wechatPay: {
          ...edge.ports.wechatPay,
          prepare: () => {
            throw new Error('stopped')
          },
        },
      },
    }
    const wish = { orderId, source: 'wechat_pay', amountFen: fen(60_000), mostFen: fen(20_000) } as const
    await expect(splitPayment(dying, wish, 'k')).rejects.toThrow('stopped')
    const before = await rows(orderId)
    expect(before).toHaveLength(3)
    expect(await splitPayment(edge, wish, 'k')).toEqual(before.map((one) => one.id))
    expect((await show(orderId)).payments.every((one) => one.codeUrl !== null)).toBe(true)
    expect(await rows(orderId)).toHaveLength(3)
  })

  test('pieces of an order with two brands are combined payments, and pay each brand its price to the fen', async () => {
    const { orderId } = await anOrder(database, company.id, 2)
    const answer = await split(orderId, { amountFen: 100_000, mostFen: 33_333 })
    expect(pieces(answer).map((one) => one.combined?.amountFen ?? one.amountFen)).toEqual([33_333, 33_333, 33_333, 1])
    const all = await rows(orderId)
    const groups = new Map(all.map((one) => [one.combine_no ?? one.id, one]))
    expect(groups.size).toBe(4)
    for (const one of groups.values()) {
      await pay(one, 'success')
      await watchPayment(house.edge(), one.id)
    }
    const order = await show(orderId)
    expect(order).toMatchObject({ state: 'funded', missingFen: 0 })
    const sums = order.brands.map((brand) =>
      order.payments
        .flatMap((one) => one.parts)
        .reduce((sum, part) => sum + (part.brandId === brand.id ? part.amountFen : 0), 0),
    )
    expect(sums).toEqual(order.brands.map((brand) => brand.priceFen))
  })

  test('transfers are split by amounts of one’s own, each with its own reference', async () => {
    const { orderId } = await anOrder(database, company.id, 1)
    const answer = await split(orderId, { source: 'bank_transfer', amountFen: 100_000, pieces: [70_000, 30_000] })
    expect(pieces(answer).map((one) => one.amountFen)).toEqual([70_000, 30_000])
    expect(new Set(pieces(answer).map((one) => one.reference)).size).toBe(2)
  })

  test.each([
    [{ amountFen: 100_001, mostFen: 50_000 }, 'payment_over_needed', 'amountFen'],
    [{ amountFen: 100_000 }, 'malformed_request', 'mostFen'],
    [{ amountFen: 100_000, mostFen: 1_999 }, 'too_many_pieces', 'mostFen'],
    [{ amountFen: 100_000, pieces: [60_000, 30_000] }, 'malformed_request', 'pieces'],
    [{ amountFen: 100_000, pieces: [100_000, 0] }, 'malformed_request', 'pieces'],
    [{ amountFen: 100_000, pieces: Array.from({ length: 51 }, () => 1) }, 'malformed_request', 'pieces'],
    [{ amountFen: 0, mostFen: 1 }, 'malformed_request', 'amountFen'],
    [{ amountFen: 100_000, mostFen: 50_000, source: 'wallet' }, 'malformed_request', 'source'],
  ])('refuses %o', async (body, code, field) => {
    const { orderId } = await anOrder(database, company.id, 1)
    expect(await split(orderId, body)).toMatchObject({ body: { code, field } })
    expect(await rows(orderId)).toEqual([])
  })

  test('the rules on ways to pay are those of the whole order, however small the pieces', async () => {
    const strict = await aCompany(database, { paymentRoute: 'strict' })
    const { orderId } = await anOrder(database, strict.id, 1)
    await database.tx(async (tx) => {
      await change(tx.em, 'update orders set total_fen = 500000 where id = ?', [orderId])
      await change(tx.em, 'update order_item set price_fen = 500000 where order_id = ?', [orderId])
    })
    const body = { amountFen: 400_000, mostFen: 100_000 }
    const answer = await house.call(strict.as('hr'), 'POST', `/hr/orders/${orderId}/payments/split`, body, 'k')
    expect(answer).toMatchObject({ status: 409, body: { code: 'payment_route_barred' } })
    // Another company's order is not there at all.
    expect((await split(orderId, body)).status).toBe(404)
  })
})
