import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { dyingAt, refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { driveRefundPart } from './drive-part.ts'
import { requestRefund } from './request-refund.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('money of cards goes back', (database) => {
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
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await world.ctl('money-outcomes', {}, 'DELETE')
    await world.ctl('money-rules', { refundLatencyMs: 0 })
    world.shiftMs = 0
    await house.close()
  })
  const refund = (orderId: Id<'order'>, cardIds: readonly Id<'card'>[], more: { toWallet?: boolean } = {}) =>
    stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds, ...more }))
  const stateOf = async (table: string, id: string) =>
    (await stage.read<{ state: string }>(`select state from ${table} where id = ?`, [id]))[0]?.state

  test('to the sources that paid, in the proportion in which they paid, to the last fen', async () => {
    const { orderId } = await stage.issued(3, { wallet: 50_000, wechat: [40_001], bank: 59_999 })
    const cards = await stage.cardsOf(orderId)
    const first = await refund(orderId, [cards[0]!])
    expect((await stage.parts(first)).map((part) => [part.route, part.fen, part.state]).sort(byRoute)).toEqual([
      ['bank', 19_999, 'paying_out'],
      ['wallet', 16_667, 'done'],
      ['wechat', 13_334, 'waiting'],
    ])
    expect(await stateOf('card', cards[0]!)).toBe('refunded')
    await stage.settle()
    const wechat = (await stage.parts(first)).find((part) => part.route === 'wechat')!
    expect([wechat.state, wechat.calls]).toEqual(['done', 1])
    expect(await stage.balance('collected:1900000101')).toBe(40_001 - 13_334)
    expect(await stateOf('orders', orderId)).toBe('issued')
    // The rest: every source gives back all that it brought.
    const rest = await refund(orderId, cards.slice(1))
    await stage.settle()
    expect((await stage.parts(rest)).map((part) => [part.route, part.fen]).sort(byRoute)).toEqual([
      ['bank', 40_000],
      ['wallet', 33_333],
      ['wechat', 26_667],
    ])
    expect(await stage.balance('collected:1900000101')).toBe(0)
    expect(await stage.balance(`order-funds:${orderId}`)).toBe(0)
    expect(await stateOf('orders', orderId)).toBe('refunding')
    await stage.conserved()
  })

  test('one call however often its answer is lost: asked about, never a second number', async () => {
    const { orderId } = await stage.issued(2, { wechat: [100_000] })
    const [card] = await stage.cardsOf(orderId)
    const id = await refund(orderId, [card!])
    for (const kind of [
      'status500_after',
      'cut_before',
      'status429_after',
      'broken_response_signature',
      'truncated_after',
    ])
      await world.ctl('faults', { kind, path: '/refund/domestic/refunds', times: 1 })
    const numbers = new Set<string | null>()
    for (let round = 0; round < 12; round += 1) {
      await stage.work(1)
      const [part] = await stage.parts(id)
      numbers.add(part!.no)
      if (part!.state === 'done') break
      world.shiftMs += 3_600_000
    }
    expect([...numbers].filter((no) => no !== null)).toHaveLength(1)
    const [part] = await stage.parts(id)
    expect(part!.state).toBe('done')
    expect(await stateOf('refund', id)).toBe('done')
    expect(await stateOf('payment', part!.payment)).toBe('part_refunded')
    const { rows } = (await stage.look('journal?mchid=1900000101')) as {
      rows: { transactionId: string; business: string; amount: number; outNo: string }[]
    }
    expect(new Set(rows.filter((row) => row.business === 'refund').map((row) => row.outNo))).toContain(part!.no)
    await stage.conserved()
  })

  test('a stop at any step is finished by the next run', async () => {
    for (const nth of [1, 2, 3, 4]) {
      const { orderId } = await stage.issued(1, { wechat: [50_000] }, { issuerPrefix: `72${10 + nth}` })
      const [card] = await stage.cardsOf(orderId)
      const id = await refund(orderId, [card!])
      const [part] = await stage.parts(id)
      await driveRefundPart(dyingAt(house.edge(), nth), part!.id).catch((error: Error) => {
        if (error.message !== 'killed before the commit') throw error
      })
      await stage.settle()
      const [after] = await stage.parts(id)
      expect([nth, after!.state]).toEqual([nth, 'done'])
      expect(await stateOf('orders', orderId)).toBe('refunded')
      expect(await stateOf('payment', part!.payment)).toBe('refunded')
    }
    await stage.conserved()
  })
})

const byRoute = (a: readonly unknown[], b: readonly unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1)
