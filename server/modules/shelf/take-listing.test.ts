import { describe, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { AppError } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { aListing, buyerNumber, buyOne, mendListing, takeOne, tally, type TestListing } from '../../testing/shelf.ts'
import { addTemplateVersion } from '../catalog/create-template.ts'
import { readVersions } from '../catalog/read-template.ts'
import { findListing } from './read-listing.ts'
import { readListing } from './read-shelf.ts'
import { returnTaking } from './return-taking.ts'

const AT = Date.UTC(2026, 8, 1, 12)
const at = (database: TestDatabase, now: number) => database.edge({} as Ports, undefined, () => now)
const edgeOf = (database: TestDatabase) => database.edge({} as Ports)
const stands = async (database: TestDatabase, id: Id<'listing'>) => (await database.tx((tx) => findListing(tx, id)))!
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

onBothDatabases('taking from the shelf', (database) => {
  test('of 200 buyers for 50 cards 50 get one and 150 are told that it is sold out', async () => {
    const listing = await database.tx((tx) => aListing(tx, { stock: 50 }))
    const outcomes = await Promise.all(upTo(200).map((buyer) => buyOne(edgeOf(database), listing, { buyer })))
    expect(tally(outcomes)).toEqual({ taken: 50, sold_out: 150 })
    expect(await stands(database, listing.id)).toMatchObject({ taken: 50, sold: 0 })
    const orders = await database.tx((tx) => sql(tx.em, 'select id from orders'))
    expect(orders).toHaveLength(50)
    const shown = await database.tx((tx) => readListing(tx, listing.id, null))
    expect(shown.left).toBe(0)
  })

  test('in the first second 2,000 buyers get what there is at the price of the second, and one each', async () => {
    const promo = { priceBp: 8_000, fromMs: AT, untilMs: AT + 3_600_000, perBuyerCap: 1, stock: 30 }
    const listing = await database.tx((tx) => aListing(tx, { stock: 1000, promo }))
    const wish = { priceBp: 8_000 }
    const early = await Promise.all(upTo(20).map((buyer) => buyOne(at(database, AT - 1), listing, { buyer, ...wish })))
    expect(tally(early)).toEqual({ price_changed: 20 })
    // A thousand buyers, each of whom taps twice.
    const rush = await Promise.all(
      upTo(2000).map((turn) => buyOne(at(database, AT), listing, { buyer: (turn % 1000) + 1, ...wish })),
    )
    const { taken, price_changed: changed = 0, over_buyer_cap: over = 0, ...rest } = tally(rush)
    expect({ taken, all: taken! + changed + over, rest }).toEqual({ taken: 30, all: 2000, rest: {} })
    const most = await database.tx((tx) =>
      sql<{ own: unknown }>(tx.em, 'select count(*) as own from listing_taking group by buyer_id order by own desc'),
    )
    expect(most.map(({ own }) => Number(own))).toEqual(upTo(30).map(() => 1))
    const prices = await database.tx((tx) =>
      sql<{ price: unknown }>(tx.em, 'select distinct total_fen as price from orders'),
    )
    expect(prices.map(({ price }) => Number(price))).toEqual([8_000])
    expect(await stands(database, listing.id)).toMatchObject({ taken: 30, promoTaken: 30 })
    // At its own price there are still some, for those who had one at the lower price too.
    const { buyer_id: buyerId } = (
      await database.tx((tx) => sql<{ buyer_id: Id<'buyer'> }>(tx.em, 'select buyer_id from listing_taking limit 1'))
    )[0]!
    const own = { versionId: listing.versionId, faceFen: fen(10_000), listingId: listing.id, buyerId }
    const orderId = encodeId('order', 1n)
    const again = await at(database, AT).tx((tx) => takeOne(tx, { ...own, priceFen: fen(10_000), orderId }))
    expect(again.isPromo).toBe(false)
  })

  test('a price stands from its first millisecond to its last, and is refused a millisecond before and after', async () => {
    const promo = { priceBp: 9_000, fromMs: AT, untilMs: AT + 1_000 }
    const listing = await database.tx((tx) => aListing(tx, { promo }))
    const buyAt = async (now: number, priceBp: number) => {
      const outcome = await buyOne(at(database, now), listing, { buyer: 1, priceBp })
      return typeof outcome === 'string' ? outcome : outcome.isPromo
    }
    expect(await buyAt(AT - 1, 9_000)).toBe('price_changed')
    expect(await buyAt(AT - 1, 10_000)).toBe(false)
    expect(await buyAt(AT, 9_000)).toBe(true)
    // Nobody pays more than what it costs now without being told.
    expect(await buyAt(AT, 10_000)).toBe('price_changed')
    expect(await buyAt(AT + 999, 9_000)).toBe(true)
    expect(await buyAt(AT + 1_000, 9_000)).toBe('price_changed')
    expect(await buyAt(AT + 1_000, 10_000)).toBe(false)
  })

  test('a buyer has no more than the cap, unpaid orders counted, however many they place at once', async () => {
    const listing = await database.tx((tx) => aListing(tx, { stock: 100, perBuyerCap: 3 }))
    const outcomes = await Promise.all(
      upTo(40).map((turn) => buyOne(edgeOf(database), listing, { buyer: (turn % 4) + 1 })),
    )
    expect(tally(outcomes)).toEqual({ taken: 12, over_buyer_cap: 28 })
    const first = await database.tx((tx) => readListing(tx, listing.id, buyerNumber(1)))
    expect([first.left, first.buyerLeft]).toEqual([88, 0])
  })

  test('what was taken comes back once, for stock, caps and the time-boxed price', async () => {
    const promo = { priceBp: 9_000, fromMs: 0, untilMs: 9e15, perBuyerCap: 1, stock: 1 }
    const listing = await database.tx((tx) => aListing(tx, { stock: 1, perBuyerCap: 1, promo }))
    const edge = edgeOf(database)
    const taken = await buyOne(edge, listing, { buyer: 1, priceBp: 9_000 })
    if (typeof taken === 'string') throw new Error(taken)
    expect(await buyOne(edge, listing, { buyer: 2, priceBp: 9_000 })).toBe('sold_out')
    await database.tx((tx) => change(tx.em, "update orders set state = 'cancelled' where id = ?", [taken.orderId]))
    const back = await Promise.all(upTo(5).map(() => edge.tx((tx) => returnTaking(tx, taken.orderId))))
    expect(back.filter(Boolean)).toHaveLength(1)
    expect(await stands(database, listing.id)).toMatchObject({ taken: 0, sold: 0, promoTaken: 0 })
    expect(await buyOne(edge, listing, { buyer: 1, priceBp: 9_000 })).toMatchObject({ isPromo: true })
    expect(await edge.tx((tx) => returnTaking(tx, encodeId('order', 9n)))).toBe(false)
  })

  test('another time-boxed price begins anew, and takings of the one before do not come back to it', async () => {
    const promo = { priceBp: 9_000, fromMs: AT, untilMs: AT + 1_000, perBuyerCap: 1, stock: 1 }
    const listing = await database.tx((tx) => aListing(tx, { promo }))
    const before = await buyOne(at(database, AT), listing, { buyer: 1, priceBp: 9_000 })
    const next = { ...promo, fromMs: AT + 5_000, untilMs: AT + 9_000 }
    await database.tx((tx) => mendListing(tx, listing.id, { promo: next }))
    const after = await buyOne(at(database, AT + 5_000), listing, { buyer: 1, priceBp: 9_000 })
    expect([before, after]).toMatchObject([{ isPromo: true }, { isPromo: true }])
    if (typeof before === 'string') throw new Error(before)
    await database.tx((tx) => change(tx.em, "update orders set state = 'cancelled' where id = ?", [before.orderId]))
    expect(await database.tx((tx) => returnTaking(tx, before.orderId))).toBe(true)
    expect(await stands(database, listing.id)).toMatchObject({ taken: 1, promoTaken: 1, promoNumber: 2 })
  })

  describe('refuses what the page did not offer', () => {
    const buyer = 1
    const outcomeOf = (listing: TestListing, wish: object) => buyOne(edgeOf(database), listing, { buyer, ...wish })

    test.each([
      ['beyond the most', 60_000],
      ['below the least', 4_900],
      ['off the step', 10_050],
      ['nothing', 0],
    ])('a face %s', async (_name, faceFen) => {
      const amounts = { minFaceFen: fen(5_000), maxFaceFen: fen(50_000), stepFen: fen(100) }
      const listing = await database.tx((tx) => aListing(tx, {}, amounts))
      expect(await outcomeOf(listing, { faceFen })).toBe('face_refused')
      expect(await outcomeOf(listing, { faceFen: 10_100 })).toMatchObject({ isPromo: false })
    })

    test('a face that is none of the fixed ones, and says which there are', async () => {
      const faces = { faces: [fen(10_000), fen(20_000)], minFaceFen: fen(10_000), maxFaceFen: fen(20_000) }
      const listing = await database.tx((tx) => aListing(tx, {}, faces))
      expect(await outcomeOf(listing, { faceFen: 15_000 })).toBe('face_refused')
      const wish = { listingId: listing.id, versionId: listing.versionId, faceFen: fen(15_000), priceFen: fen(15_000) }
      const asked = database.tx((tx) =>
        takeOne(tx, { ...wish, buyerId: buyerNumber(1), orderId: encodeId('order', 1n) }),
      )
      const refusal = await asked.catch((error: unknown) => error)
      expect((refusal as AppError).more).toMatchObject({ field: 'faceFen', detail: { en: 'Faces: ¥100.00, ¥200.00.' } })
    })

    test('a price of their own, and says what it is', async () => {
      const listing = await database.tx((tx) => aListing(tx, {}, { priceBp: 9_500 }))
      for (const priceBp of [1, 9_499, 9_501, 10_000])
        expect(await outcomeOf(listing, { priceBp })).toBe('price_changed')
      expect(await outcomeOf(listing, { priceBp: 9_500 })).toMatchObject({ isPromo: false })
    })

    test('a version that is not sold (any more), and what is not on the shelf', async () => {
      const listing = await database.tx((tx) => aListing(tx))
      const [old] = await database.tx((tx) => readVersions(tx, [listing.versionId]))
      const { templateId } = old!
      const versionId = await database.tx((tx) =>
        addTemplateVersion(tx, templateId, {
          brandId: listing.brandId,
          name: '中秋卡',
          named: false,
          validDays: 1_095,
          coolingOffMs: 0,
          scope: '门店',
          minFaceFen: fen(100),
          maxFaceFen: fen(100_000),
          stepFen: fen(1),
          priceBp: 9_000,
        }),
      )
      await database.tx((tx) => mendListing(tx, listing.id, { templateVersionId: versionId }))
      expect(await outcomeOf(listing, {})).toBe('version_changed')
      expect(await outcomeOf({ ...listing, versionId }, { priceBp: 9_000 })).toMatchObject({ isPromo: false })
      await database.tx((tx) => mendListing(tx, listing.id, { state: 'off' }))
      expect(await outcomeOf(listing, {})).toBe('listing_gone')
      expect(await outcomeOf({ ...listing, id: encodeId('listing', 1n) }, {})).toBe('listing_gone')
    })

    test('what is for others: neither to be seen nor bought, in the same words as what there is not', async () => {
      const listing = await database.tx((tx) => aListing(tx, { segment: 'vip' }))
      await database.tx((tx) =>
        change(tx.em, 'insert into segment_buyer (segment, buyer_id) values (?, ?)', ['vip', buyerNumber(7)]),
      )
      expect(await outcomeOf(listing, {})).toBe('listing_gone')
      expect(await outcomeOf(listing, { buyer: 7 })).toMatchObject({ isPromo: false })
      const look = (buyerId: Id<'buyer'> | null) => database.tx((tx) => readListing(tx, listing.id, buyerId))
      await expect(look(null)).rejects.toMatchObject({ code: 'listing_gone' })
      await expect(look(buyerNumber(1))).rejects.toMatchObject({ code: 'listing_gone' })
      expect((await look(buyerNumber(7))).id).toBe(listing.id)
    })
  })
})
