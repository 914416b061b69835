import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Ordered } from '../../../contract/store/order.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { serveStore, storeStage } from '../../testing/store-stage.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
let world: PayWorld
let nowMs = Date.UTC(2026, 10, 23, 4)
beforeAll(async () => {
  world = await startPayWorld(() => nowMs)
})
afterAll(() => world.sandbox.close())

onBothDatabases('somebody buys a card', (database) => {
  let house: PayHouse
  const stage = storeStage(
    database,
    () => world,
    () => house,
  )
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    house = await serveStore(database, world)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await house.close()
  })

  test('order, signed parameters, notice, card: one key is one order however often it is pressed', async () => {
    const [buyer, listing] = [await stage.buyer(), await stage.listing({ stock: 5 })]
    const presses = await Promise.all(Array.from({ length: 5 }, () => stage.buy(buyer, listing, {}, 'one-press')))
    expect(presses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const orders = presses.map(({ body }) => body as unknown as Ordered)
    // Another prepay id would make the first one void, and the phone may have it already.
    expect(new Set(orders.map(({ pay }) => pay?.package)).size).toBe(1)
    const { order, pay } = orders[0]!
    expect(new Set(orders.map((one) => one.order.id)).size).toBe(1)
    expect(await stage.left(listing)).toEqual({ taken: 1, sold: 0 })
    expect(order).toMatchObject({ state: 'paying', faceFen: 10_000, priceFen: 9_500, closesAtMs: nowMs + 15 * 60_000 })
    expect(pay).toMatchObject({ appId: 'wxsandbox0001', signType: 'RSA' })
    expect(pay!.package).toMatch(/^prepay_id=wx/)
    await stage.pay(order.id, buyer.openid)
    await stage.paid(buyer, order.id)
    expect((await stage.order(buyer, order.id)).state).toBe('making')
    await stage.work()
    const bought = await stage.order(buyer, order.id)
    expect(bought).toMatchObject({
      state: 'ready',
      lockedUntilMs: nowMs + 3 * HOUR_MS,
      may: { pay: false, cancel: false, refund: 'cooling_off', useNow: true, give: true, invoice: true },
    })
    expect(bought.rightUntilMs).toBe(bought.paidAtMs! + 7 * DAY_MS)
    const pack = await house.call(buyer.actor, 'GET', '/store/pack')
    expect(pack.body['cards']).toMatchObject([
      { id: bought.cardId, balanceFen: 10_000, view: 'locked', storeOrderId: order.id, opened: true },
    ])
    expect(await stage.left(listing)).toEqual({ taken: 1, sold: 1 })
  })

  test('what is sealed is shown, spent, given and taken out by no door until its very millisecond', async () => {
    const [buyer, listing] = [await stage.buyer(), await stage.listing()]
    const { cardId, lockedUntilMs } = await stage.bought(buyer, listing)
    const doors = async () => {
      const at = `/store/cards/${cardId}`
      const calls = [
        house.call(buyer.actor, 'POST', `${at}/secret`),
        house.call(buyer.actor, 'POST', `${at}/pay-code`),
        house.call(buyer.actor, 'POST', `${at}/gifts`, { cover: 'plain', greeting: '' }, `g${nowMs}`),
        house.call(buyer.actor, 'POST', `${at}/device-links`),
      ]
      return (await Promise.all(calls)).map(({ status, body }) => (status === 200 ? 'open' : body['code']))
    }
    for (nowMs of [nowMs, lockedUntilMs! - 1]) {
      expect(await doors()).toEqual(['card_locked', 'card_locked', 'card_locked', 'card_locked'])
      const { body } = await house.call(buyer.actor, 'GET', `/store/cards/${cardId}`)
      expect(body['number']).toMatch(/^•••• \d{4}$/)
      const all = await house.call(buyer.actor, 'POST', '/store/pay-code')
      expect(all.body['code']).toBe('card_value_short')
    }
    nowMs = lockedUntilMs!
    expect(await doors()).toEqual(['open', 'open', 'open', 'open'])
    expect((await house.call(buyer.actor, 'GET', `/store/cards/${cardId}`)).body['number']).toMatch(/^\d{16,}$/)
  })

  test.each([
    [-1, 'cooling_off', 200],
    [0, null, 409],
    [1, null, 409],
  ] as const)(
    'without the other right, at the end of cooling-off %i ms: may %s, refund %i',
    async (off, may, status) => {
      const [buyer, listing] = [await stage.buyer(), await stage.listing({}, { rightMs: 0 })]
      const { id, lockedUntilMs } = await stage.bought(buyer, listing)
      nowMs = lockedUntilMs! + off
      expect((await stage.order(buyer, id)).may).toMatchObject({ refund: may, useNow: off < 0 })
      const answer = await house.call(buyer.actor, 'POST', `/store/orders/${id}/refund`, undefined, 'r')
      expect([answer.status, answer.body['code'] ?? null]).toEqual([
        status,
        status === 200 ? null : 'refund_right_over',
      ])
    },
  )

  test('one tap in cooling-off gives all of it back to its source; the card and its place on the shelf are free', async () => {
    const [buyer, listing] = [await stage.buyer(), await stage.listing({ stock: 1 })]
    const { id, cardId } = await stage.bought(buyer, listing)
    const other = await stage.buyer()
    expect((await stage.buy(other, listing)).body['code']).toBe('sold_out')
    const answers = await Promise.all(
      ['r', 'r', 'r2'].map((key) => house.call(buyer.actor, 'POST', `/store/orders/${id}/refund`, undefined, key)),
    )
    // Whichever key came first, its presses got the one refund there is.
    expect(answers.map(({ status }) => status)).toContain(200)
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([])
    expect(await stage.refunds(id)).toBe(1)
    expect((await stage.order(buyer, id)).state).toBe('refunding')
    for (let minute = 0; minute < 5; minute += 1) {
      nowMs += 61_000
      await stage.work()
    }
    expect(await stage.order(buyer, id)).toMatchObject({
      state: 'refunded',
      refund: { amountFen: 9_500 },
      may: { refund: null, useNow: false, give: false },
    })
    const { body } = await house.call(buyer.actor, 'GET', '/store/pack')
    expect(body['cards']).toMatchObject([{ id: cardId, view: 'refunded', balanceFen: 0 }])
    expect((await stage.buy(other, listing)).status).toBe(200)
    expect(await world.ctl('conserved', undefined, 'GET')).toMatchObject({ ok: true })
  })

  test('using it early is a choice that ends cooling-off; the days that the law gives go on until it is used or over', async () => {
    const [buyer, listing] = [await stage.buyer(), await stage.listing()]
    const { id, cardId, rightUntilMs } = await stage.bought(buyer, listing)
    nowMs += 60_000
    const used = await house.call(buyer.actor, 'POST', `/store/orders/${id}/use-now`)
    expect(used.body).toMatchObject({ lockedUntilMs: nowMs, may: { useNow: false, refund: 'right' } })
    const again = await house.call(buyer.actor, 'POST', `/store/orders/${id}/use-now`)
    expect(again.body['code']).toBe('early_use_ended')
    expect((await house.call(buyer.actor, 'POST', `/store/cards/${cardId}/secret`)).status).toBe(200)
    nowMs = rightUntilMs!
    expect((await stage.order(buyer, id)).may.refund).toBeNull()
    const late = await house.call(buyer.actor, 'POST', `/store/orders/${id}/refund`, undefined, 'late')
    expect(late.body['code']).toBe('refund_right_over')
    nowMs -= 1
    expect((await stage.order(buyer, id)).may.refund).toBe('right')
    expect((await house.call(buyer.actor, 'POST', `/store/orders/${id}/refund`, undefined, 'now')).status).toBe(200)
  })

  test('nobody pays for a quarter of an hour: the order closes, the card is for others, late money goes back by itself', async () => {
    const [buyer, other] = [await stage.buyer(), await stage.buyer()]
    const listing = await stage.listing({ stock: 1 })
    const { order } = (await stage.buy(buyer, listing)).body as unknown as Ordered
    nowMs = order.closesAtMs - 1
    await stage.work()
    expect((await stage.order(buyer, order.id)).state).toBe('paying')
    // Its payer confirms in the last moment; the notice is lost, and WeChat Pay cannot be asked at the end.
    await world.ctl('faults', { kind: 'notice_lose', times: 100 })
    await stage.pay(order.id, buyer.openid)
    await world.ctl('faults', { kind: 'status500_before', path: '/v3/pay', times: 1000 })
    nowMs = order.closesAtMs
    await stage.work()
    expect(await stage.order(buyer, order.id)).toMatchObject({ state: 'closed', may: { pay: false, cancel: false } })
    await world.ctl('faults', {}, 'DELETE')
    expect((await stage.buy(other, listing)).status).toBe(200)
    expect((await stage.order(buyer, order.id)).refund).toBeNull()
    // The payment is looked at again, its money is found, and goes back.
    for (let minute = 0; minute < 15; minute += 1) {
      nowMs += 61_000
      await stage.work()
    }
    expect((await stage.order(buyer, order.id)).refund).toMatchObject({
      amountFen: 9_500,
      doneAtMs: expect.any(Number),
    })
    expect((await stage.order(buyer, order.id)).state).toBe('closed')
    expect(await world.ctl('conserved', undefined, 'GET')).toMatchObject({ ok: true })
  })
})
