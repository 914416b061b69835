import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Ordered } from '../../../contract/store/order.ts'
import type { ListingDetail, Shelf } from '../../../contract/store/shelf.ts'
import { sql } from '../../kernel/sql.ts'
import { buyerOf, STORE_APPID, type TestBuyer } from '../../testing/buyers.ts'
import { asAnotherProcess, onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { startPayWorld, type Answer, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { serveStore, storeStage, type TestListing } from '../../testing/store-stage.ts'
import { knowBuyer } from '../buyer/know-buyer.ts'
import { storeShelfEndpoints } from '../shelf/store-endpoints.ts'

const AT = Date.UTC(2026, 10, 23, 4)
let world: PayWorld
let nowMs = AT
let made = 0
beforeAll(async () => {
  world = await startPayWorld(() => nowMs)
})
afterAll(() => world.sandbox.close())

onBothDatabases('a rush', (database) => {
  let houses: PayHouse[]
  let other: TestDatabase | null
  const stage = storeStage(
    database,
    () => world,
    () => houses[0]!,
  )
  beforeEach(async () => {
    nowMs = AT
    houses = [await serveStore(database, world, storeShelfEndpoints)]
    other = database.dialect === 'mysql' ? await asAnotherProcess(database) : null
    if (other !== null) houses.push(await serveStore(other, world, storeShelfEndpoints))
  })
  afterEach(async () => {
    for (const house of houses) await house.close()
    await other?.store.close()
  })

  const someBuyers = (count: number): Promise<TestBuyer[]> =>
    database.tx(async (tx) => {
      const buyers: TestBuyer[] = []
      for (let number = 0; number < count; number += 1) {
        const openid = `oRUSH${(made += 1)}`
        const id = await knowBuyer(tx, { appid: STORE_APPID, openid, unionid: null })
        buyers.push(buyerOf(database, id, openid))
      }
      return buyers
    })
  /** All at once, each at one of the processes. */
  const press = (buyers: readonly TestBuyer[], listing: TestListing, priceFen: number): Promise<Answer[]> => {
    const { id: listingId, versionId } = listing
    const wish = { listingId, versionId, faceFen: 10_000, priceFen, cover: 'plain' }
    return Promise.all(
      buyers.map(({ actor }, index) =>
        houses[index % houses.length]!.call(actor, 'POST', '/store/orders', wish, `press-${(made += 1)}`),
      ),
    )
  }
  const tally = (answers: readonly Answer[]): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (const { status, body } of answers) {
      const key = status === 200 ? 'ordered' : `${status} ${String(body['code'])}`
      counts[key] = (counts[key] ?? 0) + 1
    }
    return counts
  }
  const ordered = (answers: readonly Answer[]) =>
    answers.flatMap(({ status, body }) => (status === 200 ? [(body as unknown as Ordered).order] : []))
  /** What is left of a listing, on each page of each process. */
  async function leftEverywhere({ id }: TestListing): Promise<(number | null | undefined)[]> {
    const anybody = { kind: 'anybody' } as const
    const pages = houses.flatMap((house) => [
      house.call(anybody, 'GET', `/store/listings/${id}`).then(({ body }) => (body as ListingDetail).left),
      ...['', '?channel=wechat', '?channel=h5', '?search=咖啡'].map(async (query) => {
        const { listings } = (await house.call(anybody, 'GET', `/store/shelf${encodeURI(query)}`)).body as Shelf
        return listings.find((one) => one.id === id)?.left
      }),
    ])
    return Promise.all(pages)
  }
  const everywhere = (left: number) => Array.from({ length: houses.length * 5 }, () => left)

  test('200 buyers for 50 cards: 50 orders, 150 refusals, none left on any page; what nobody pays is there again', async () => {
    const [buyers, listing] = [await someBuyers(200), await stage.listing({ stock: 50 })]
    expect(await leftEverywhere(listing)).toEqual(everywhere(50))
    const answers = await press(buyers, listing, 9_500)
    const over = performance.now()
    expect(await leftEverywhere(listing)).toEqual(everywhere(0))
    expect(performance.now() - over).toBeLessThan(1_000)
    expect(tally(answers)).toEqual({ ordered: 50, '409 sold_out': 150 })
    const orders = ordered(answers)
    expect(new Set(orders.map(({ id }) => id)).size).toBe(50)
    for (const { body } of answers.filter(({ status }) => status === 200))
      expect((body as unknown as Ordered).pay!.package).toMatch(/^prepay_id=wx/)
    const payments = await database.tx((tx) => sql(tx.em, 'select distinct out_trade_no from payment'))
    expect(payments).toHaveLength(50)
    // Three of them pay.
    const payers = buyers.flatMap((buyer, index) =>
      answers[index]!.status === 200 ? [{ buyer, id: ordered([answers[index]!])[0]!.id }] : [],
    )
    for (const { buyer, id } of payers.slice(0, 3)) {
      await stage.pay(id, buyer.openid)
      await stage.paid(buyer, id)
    }
    nowMs = orders[0]!.closesAtMs - 1
    await stage.work()
    expect(await leftEverywhere(listing)).toEqual(everywhere(0))
    nowMs += 1
    await stage.work()
    expect(await leftEverywhere(listing)).toEqual(everywhere(47))
    expect(await stage.left(listing)).toEqual({ taken: 3, sold: 3 })
    const states = await Promise.all(payers.map(async ({ buyer, id }) => (await stage.order(buyer, id)).state))
    expect(states).toEqual([...Array.from({ length: 3 }, () => 'ready'), ...Array.from({ length: 47 }, () => 'closed')])
    const again = await press(await someBuyers(48), listing, 9_500)
    expect(tally(again)).toEqual({ ordered: 47, '409 sold_out': 1 })
  })

  test('2,000 presses in the second in which a lower price begins: none before, 500 at it, one for each buyer', async () => {
    const promo = { priceBp: 8_000, fromMs: AT + 1_000, untilMs: AT + 3_600_000, perBuyerCap: 1, stock: 500 }
    const listing = await stage.listing({ stock: 1_500, promo })
    const buyers = await someBuyers(1_000)
    nowMs = promo.fromMs - 1
    expect(tally(await press(buyers.slice(0, 100), listing, 8_000))).toEqual({ '409 price_changed': 100 })
    expect(await stage.left(listing)).toEqual({ taken: 0, sold: 0 })
    nowMs = promo.fromMs
    // A thousand who press twice each.
    const answers = await press([...buyers, ...buyers], listing, 8_000)
    const { ordered: got, '409 price_changed': changed = 0, '409 over_buyer_cap': capped = 0, ...rest } = tally(answers)
    expect({ got, all: got! + changed + capped, rest }).toEqual({ got: 500, all: 2_000, rest: {} })
    expect(changed).toBeGreaterThan(0)
    const rows = await database.tx((tx) =>
      sql<{ buyers: unknown; orders: unknown; total: unknown }>(
        tx.em,
        'select count(distinct buyer_id) as buyers, count(*) as orders, sum(total_fen) as total from orders',
      ),
    )
    expect(rows.map((row) => Object.values(row).map(Number))).toEqual([[500, 500, 500 * 8_000]])
    expect(await leftEverywhere(listing)).toEqual(everywhere(1_000))
    // What is left has its own price, and whoever had one at the lower one may have it too.
    const winner = buyers.filter((_, index) => answers[index]!.status === 200).slice(0, 1)
    houses.reverse()
    expect(tally(await press(winner, listing, 8_000))).toEqual({ '409 price_changed': 1 })
    const regular = await houses.at(-1)!.call(buyers[0]!.actor, 'GET', `/store/listings/${listing.id}`)
    expect(regular.body).toMatchObject({ priceBp: 9_500, promo: null })
  }, 180_000)
})
