import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ShelfInput, shelfSortKeys } from '../../../contract/store/shelf.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { aListing, buyerNumber, buyOne, mendListing, payAndIssue, type TestListing } from '../../testing/shelf.ts'
import { changeBrand } from '../catalog/change-brand.ts'
import { beginRound } from './begin-round.ts'
import { showBrandAnew } from './next-shelf-version.ts'
import { readShelf } from './read-shelf.ts'
import { returnTaking } from './return-taking.ts'

onBothDatabases('the shelf', (database) => {
  const edge = () => database.edge({} as Ports)
  const look = (more: object = {}, buyerId: Id<'buyer'> | null = null) =>
    edge().read((tx) => readShelf(tx, ShelfInput.parse(more), buyerId))
  const shown = async (more: object = {}, buyerId: Id<'buyer'> | null = null) =>
    (await look(more, buyerId)).listings.map(({ title }) => title)
  const sell = async (listing: TestListing, count: number, from = 1) => {
    for (let index = 0; index < count; index += 1) {
      const taken = await buyOne(edge(), listing, { buyer: from + index })
      if (typeof taken === 'string') throw new Error(taken)
      await payAndIssue(edge(), [taken.orderId])
    }
  }

  test('shows what is on it at this instant, in every process: stock, prices, what came and what went', async () => {
    const listing = await database.tx((tx) => aListing(tx, { title: '甲', stock: 2 }, { minFaceFen: fen(5_000) }))
    const first = await look()
    expect(first.listings).toMatchObject([{ title: '甲', left: 2, priceFromFen: 5_000, sales: 0, promo: null }])
    // Another process knows nothing of this one but by the database.
    const here = database.house
    const there = testHouse()
    const elsewhere = async () => {
      database.house = there
      const titles = await shown()
      database.house = here
      return titles
    }
    expect(await elsewhere()).toEqual(['甲'])
    await buyOne(edge(), listing, { buyer: 1 })
    await buyOne(edge(), listing, { buyer: 2 })
    expect((await look()).listings[0]!.left).toBe(0)
    await database.tx((tx) => aListing(tx, { title: '乙' }))
    expect([await shown(), await elsewhere()]).toEqual([
      ['乙', '甲'],
      ['乙', '甲'],
    ])
    await database.tx((tx) =>
      mendListing(tx, listing.id, {
        title: '丙',
        promo: { priceBp: 5_000, fromMs: 0, untilMs: 9e15, perBuyerCap: null, stock: 7 },
      }),
    )
    expect((await look({ search: 'bing' })).listings).toMatchObject([
      { title: '丙', priceBp: 5_000, promo: { left: 7 } },
    ])
    await database.tx((tx) => mendListing(tx, listing.id, { state: 'off' }))
    expect([await shown(), await elsewhere()]).toEqual([['乙'], ['乙']])
  })

  test('a brand’s new name is found', async () => {
    const { brandId } = await database.tx((tx) => aListing(tx))
    expect(await shown({ search: 'qinghe' })).toHaveLength(1)
    await database.tx(async (tx) => {
      await changeBrand(tx, brandId, { name: '远山', wechatPay: null })
      await showBrandAnew(tx, brandId)
    })
    expect(await shown({ search: 'yuanshan' })).toHaveLength(1)
    expect((await look()).facets.brand).toEqual([{ code: brandId, name: '远山', count: 1 }])
  })

  test('an audience sees what is for it, and its own price; nobody else sees or counts it', async () => {
    const promo = { priceBp: 9_000, fromMs: 0, untilMs: 9e15, perBuyerCap: 1 }
    const listing = await database.tx(async (tx) => {
      await sql(tx.em, 'insert into segment_buyer (segment, buyer_id) values (?, ?)', ['vip', buyerNumber(1)])
      return aListing(tx, { title: '贵宾', segment: 'vip', promo })
    })
    expect((await look()).total + (await look({}, buyerNumber(2))).total).toBe(0)
    expect((await look({}, buyerNumber(1))).listings).toMatchObject([{ title: '贵宾', priceBp: 9_000 }])
    await buyOne(edge(), listing, { buyer: 1, priceBp: 9_000 })
    expect((await look({}, buyerNumber(1))).listings).toMatchObject([{ priceBp: 10_000, promo: null }])
  })

  test('sales sort by what was sold when the round began; a cursor lives for two rounds', async () => {
    const [a, b] = await database.tx(async (tx) => [
      await aListing(tx, { title: '甲' }),
      await aListing(tx, { title: '乙' }),
    ])
    const by = { sort: 'sales_down', second: 'newest', limit: 1 }
    await sell(a!, 1)
    expect(await shown(by)).toEqual(['乙'])
    await edge().tx(beginRound)
    const first = await look(by)
    expect(first.listings).toMatchObject([{ title: '甲', sales: 1 }])
    await sell(b!, 2, 10)
    await edge().tx(beginRound)
    expect(await shown(by)).toEqual(['乙'])
    // Whoever began in the round before goes on by it.
    const cursor = first.nextCursor!
    expect((await look({ ...by, cursor })).listings).toMatchObject([{ title: '乙', sales: 0 }])
    // Where nothing is sold the round goes on.
    expect(await edge().tx(beginRound)).toBe(2)
    await look({ ...by, cursor })
    await sell(a!, 1, 20)
    await edge().tx(beginRound)
    await expect(look({ ...by, cursor })).rejects.toMatchObject({ code: 'cursor_expired' })
    await expect(look({ ...by, second: 'price_up', cursor })).rejects.toMatchObject({ code: 'malformed_request' })
    expect(await database.tx((tx) => sql(tx.em, 'select number from shelf_round'))).toHaveLength(2)
  })

  test('two who begin a round at once begin one', async () => {
    await sell(await database.tx((tx) => aListing(tx)), 1)
    await Promise.all([edge().tx(beginRound), edge().tx(beginRound)])
    const rounds = await database.tx((tx) => sql<{ number: unknown }>(tx.em, 'select number from shelf_round'))
    expect(rounds.map(({ number }) => Number(number))).toEqual([1])
  })

  test('while people buy and give back between any two pages, each listing is shown once', async () => {
    const listings: TestListing[] = []
    for (let index = 0; index < 12; index += 1)
      listings.push(
        await database.tx((tx) =>
          aListing(
            tx,
            { title: `卡${index}`, stock: 3 },
            { minFaceFen: fen(100 * (1 + (index % 4))), priceBp: 10_000 - index * 100 },
          ),
        ),
      )
    const key = fc.constantFrom(...shelfSortKeys)
    const act = fc.record({ listing: fc.nat(11), buyer: fc.nat(20), isRound: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        key,
        key,
        fc.integer({ min: 1, max: 5 }),
        fc.array(act, { minLength: 12, maxLength: 12 }),
        async (sort, second, limit, acts) => {
          const seen: string[] = []
          const open: Id<'order'>[] = []
          let roundsLeft = 1
          let cursor: string | undefined
          for (const one of acts) {
            const page = await look({ sort, second, limit, ...(cursor === undefined ? {} : { cursor }) })
            seen.push(...page.listings.map(({ id }) => id))
            if (page.nextCursor === null) break
            cursor = page.nextCursor
            const { priceBp } = (await look({ limit: 50 })).listings.find(({ id }) => id === listings[one.listing]!.id)!
            const taken = await buyOne(edge(), listings[one.listing]!, { buyer: one.buyer, priceBp })
            if (typeof taken !== 'string') open.push(taken.orderId)
            if (one.isRound && roundsLeft > 0) {
              roundsLeft -= 1
              await edge().tx(beginRound)
            }
          }
          expect(seen.toSorted()).toEqual(listings.map(({ id }) => id as string).toSorted())
          for (const orderId of open)
            await edge().tx(async (tx) => {
              await sql(tx.em, "update orders set state = 'cancelled' where id = ?", [orderId])
              await returnTaking(tx, orderId)
            })
        },
      ),
      { numRuns: 8 },
    )
  })
})
