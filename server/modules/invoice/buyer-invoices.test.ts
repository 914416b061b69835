import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StoreInvoice } from '../../../contract/store/invoice.ts'
import type { Ordered } from '../../../contract/store/order.ts'
import { sql } from '../../kernel/sql.ts'
import type { TestBuyer } from '../../testing/buyers.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { invoicesOf, issuedBySandbox } from '../../testing/invoicing.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { serveStore, storeStage } from '../../testing/store-stage.ts'
import { storeInvoiceEndpoints } from './store-endpoints.ts'

let world: PayWorld
let nowMs = Date.UTC(2026, 10, 23, 4)
beforeAll(async () => {
  world = await startPayWorld(() => nowMs)
})
afterAll(() => world.sandbox.close())

onBothDatabases('invoices of buyers', (database) => {
  let house: PayHouse
  const stage = storeStage(
    database,
    () => world,
    () => house,
  )
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    house = await serveStore(database, world, storeInvoiceEndpoints)
    Object.assign(house.ports, { invoice: await invoicesOf(world, { now: () => nowMs }) })
  })
  afterEach(() => house.close())

  let keys = 0
  const ask = async (buyer: TestBuyer, orderId: string, wish: object, key = `invoice-${(keys += 1)}`) => {
    const { status, body } = await house.call(buyer.actor, 'POST', `/store/orders/${orderId}/invoice`, wish, key)
    return { status, code: body['code'], told: body as unknown as StoreInvoice }
  }
  const read = async (buyer: TestBuyer, orderId: string) =>
    (await house.call(buyer.actor, 'GET', `/store/orders/${orderId}/invoice`)).body as unknown as StoreInvoice

  test('a person needs no tax number, a company a right one; one key is one invoice, over what was paid', async () => {
    const buyer = await stage.buyer()
    const order = await stage.bought(buyer, await stage.listing())
    expect(await read(buyer, order.id)).toEqual({ invoice: null, openFen: 9_500 })
    expect((await ask(buyer, order.id, { title: '青禾', taxNumber: '123' })).code).toBe('tax_number_wrong')
    expect((await ask(buyer, order.id, { title: ' ' })).code).toBe('malformed_request')
    const wish = { title: '林小满', email: 'lin@example.com' }
    const [first, again] = [await ask(buyer, order.id, wish, 'one'), await ask(buyer, order.id, wish, 'one')]
    expect(first.told).toMatchObject({
      invoice: { state: 'requested', fen: 9_500, title: '林小满', taxNumber: null, mayCancel: true },
      openFen: 0,
    })
    expect(again.told.invoice!.id).toBe(first.told.invoice!.id)
    expect((await ask(buyer, order.id, { title: '别人' }, 'one')).code).toBe('idempotency_conflict')
    expect((await ask(buyer, order.id, wish)).code).toBe('invoice_over_paid')
    await stage.work()
    const { invoice } = await read(buyer, order.id)
    expect(invoice).toMatchObject({ state: 'issued', mayCancel: false })
    expect(await issuedBySandbox(world, [invoice!.id])).toMatchObject([
      { title: '林小满', taxNumber: null, amountFen: 9_500, lines: [{ remark: '', amountFen: 9_500 }] },
    ])
    const pdf = await fetch(`${house.url}/store/orders/${order.id}/invoice.pdf`, {
      headers: { 'x-actor': JSON.stringify(buyer.actor) },
    })
    expect((await pdf.text()).slice(0, 5)).toBe('%PDF-')
    const kept = await database.tx((tx) => sql<{ input: string }>(tx.em, 'select input from once_key'))
    expect(kept.map(({ input }) => input).join()).not.toMatch(/林小满|lin@/)
  })

  test('with a company’s title, and withdrawn before it was sent', async () => {
    const buyer = await stage.buyer()
    const order = await stage.bought(buyer, await stage.listing())
    const wish = { title: '青禾制造（深圳）有限公司', taxNumber: '9144 0300 7152 6726 xg' }
    expect((await ask(buyer, order.id, wish)).told.invoice).toMatchObject({ taxNumber: '9144030071526726XG' })
    const cancel = () => house.call(buyer.actor, 'POST', `/store/orders/${order.id}/invoice/cancel`)
    expect((await cancel()).body).toMatchObject({ invoice: { state: 'rejected' }, openFen: 9_500 })
    expect((await cancel()).body).toMatchObject({ code: 'state_conflict' })
    expect((await ask(buyer, order.id, wish)).status).toBe(200)
  })

  test('what is given back is reversed by a red-letter invoice', async () => {
    const buyer = await stage.buyer()
    const order = await stage.bought(buyer, await stage.listing())
    await ask(buyer, order.id, { title: '林小满' })
    await stage.work()
    const { invoice } = await read(buyer, order.id)
    const back = await house.call(buyer.actor, 'POST', `/store/orders/${order.id}/refund`, {}, 'back')
    expect(back.status).toBe(200)
    await expect
      .poll(
        async () => {
          await stage.work()
          nowMs += 60_000
          return (await read(buyer, order.id)).invoice?.state
        },
        { timeout: 20_000 },
      )
      .toBe('red')
    expect(await read(buyer, order.id)).toMatchObject({ invoice: { id: invoice!.id }, openFen: 0 })
    const documents = await issuedBySandbox(world, [invoice!.id])
    expect(documents.map(({ amountFen, taxNumber }) => [amountFen, taxNumber])).toEqual([
      [9_500, null],
      [-9_500, null],
    ])
    expect((await ask(buyer, order.id, { title: '林小满' })).code).toBe('state_conflict')
  })

  test('another buyer’s order is not found, and one that is not paid has nothing to invoice', async () => {
    const [buyer, stranger] = [await stage.buyer(), await stage.buyer()]
    const listing = await stage.listing()
    const order = await stage.bought(buyer, listing)
    expect((await ask(stranger, order.id, { title: '林小满' })).code).toBe('not_found')
    expect(await read(stranger, order.id)).toMatchObject({ code: 'not_found' })
    for (const path of ['invoice.pdf', 'invoice'])
      expect((await house.call(stranger.actor, 'GET', `/store/orders/${order.id}/${path}`)).status).toBe(404)
    const cancel = await house.call(stranger.actor, 'POST', `/store/orders/${order.id}/invoice/cancel`)
    expect(cancel.status).toBe(404)
    const unpaid = (await stage.buy(buyer, listing)).body as unknown as Ordered
    expect((await ask(buyer, unpaid.order.id, { title: '林小满' })).code).toBe('state_conflict')
    expect((await house.call(buyer.actor, 'GET', `/store/orders/${unpaid.order.id}/invoice.pdf`)).status).toBe(404)
  })
})
