import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { refundStage, serveRefundHouse } from '../../testing/refunding.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('what a refund would do', (database) => {
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
    company = await aCompany(database, { walletFen: 1_000_000 })
  })
  afterEach(() => house.close())

  const preview = (orderId: Id<'order'>, cardIds: readonly string[]) =>
    house.call(company.as('hr'), 'POST', `/hr/orders/${orderId}/refund-preview`, { cardIds })
  const surplus = (orderId: Id<'order'>) => house.call(company.as('finance'), 'GET', `/hr/orders/${orderId}/surplus`)

  test('chosen cards: by source what the refund then does, and what was spent of those that stay', async () => {
    const { orderId } = await stage.issued(3, { wallet: 50_000, wechat: [40_001], bank: 59_999 })
    const [one, two, three] = await stage.cardsOf(orderId)
    const seen = await preview(orderId, [one!])
    expect(seen.body).toEqual({
      cards: 1,
      fen: 50_000,
      sources: [
        { source: 'bank_transfer', route: 'bank', fen: 19_999 },
        { source: 'wallet', route: 'wallet', fen: 16_667 },
        { source: 'wechat_pay', route: 'wechat', fen: 13_334 },
      ],
      sourcesToWallet: null,
      kept: [],
      possible: true,
    })
    await stage.set('update card set balance_fen = 12300 where id = ?', [two])
    await stage.set('update card set held_fen = 100 where id = ?', [three])
    const mixed = await preview(orderId, [one!, two!, three!])
    expect(mixed.body).toMatchObject({ cards: 1, fen: 50_000 })
    const kept = [
      { cardId: two, why: 'card_spent', spentFen: 37_700 },
      { cardId: three, why: 'card_held', spentFen: 0 },
    ]
    expect(mixed.body['kept']).toEqual(kept)
    await stage.set('update card set held_fen = 0 where id = ?', [three])
    const path = `/hr/orders/${orderId}/refunds`
    const refused = await house.call(company.as('hr'), 'POST', path, { cardIds: [one, two] }, 'a')
    expect([refused.status, refused.body['code']]).toEqual([409, 'card_spent'])
    expect(JSON.stringify(refused.body)).toContain('377.00')
    const done = await house.call(company.as('hr'), 'POST', path, { cardIds: [one] }, 'b')
    const parts = done.body['parts'] as { source: string; route: string; fen: number }[]
    const routes = parts.map(({ source, route, fen }) => ({ source, route, fen }))
    expect(routes.sort((a, b) => (a.source < b.source ? -1 : 1))).toEqual(seen.body['sources'])
    await stage.set('update card set balance_fen = 50000 where id = ?', [two])
    await stage.settle()
    await stage.conserved()
  })

  test('a card of another order, and an order of another company, are not found', async () => {
    const first = await stage.issued(1, { wallet: 50_000 })
    const other = await stage.issued(1, { wallet: 50_000 }, { issuerPrefix: '7219' })
    const [card] = await stage.cardsOf(other.orderId)
    expect((await preview(first.orderId, [card!])).status).toBe(404)
    const stranger = await aCompany(database, { code: 'other' })
    for (const [method, path, body] of [
      ['POST', `/hr/orders/${other.orderId}/refund-preview`, { cardIds: [card] }],
      ['GET', `/hr/orders/${other.orderId}/surplus`, undefined],
    ] as const)
      expect((await house.call(stranger.as('admin'), method, path, body)).status).toBe(404)
  })

  test('what was paid beyond an order is told until somebody asks it back', async () => {
    const { orderId } = await stage.issued(1, { wallet: 20_000, bank: 30_000 })
    expect((await surplus(orderId)).body).toEqual({ payments: [] })
    const [payment] = await stage.read<{ reference: string; id: string }>(
      "select id, reference from payment where order_id = ? and source = 'bank_transfer'",
      [orderId],
    )
    // The company transfers again under the same reference.
    await stage.bank(1_234, payment!.reference)
    const told = await surplus(orderId)
    const [over] = (told.body as { payments: { paymentId: string; fen: number }[] }).payments
    expect(told.body).toEqual({
      payments: [{ paymentId: over!.paymentId, source: 'bank_transfer', route: 'bank', fen: 1_234 }],
    })
    const path = `/hr/payments/${over!.paymentId}/refund-surplus`
    const asked = await house.call(company.as('finance'), 'POST', path, {}, 'a')
    expect(asked.body).toMatchObject({ kind: 'surplus', fen: 1_234, state: 'accepted' })
    expect((await surplus(orderId)).body).toEqual({ payments: [] })
    expect((await house.call(company.as('finance'), 'POST', path, {}, 'b')).status).toBe(409)
  })
})
