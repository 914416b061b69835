import { expect, test } from 'vitest'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { aListing, buyOne, payAndIssue, tally, type TestListing } from '../../testing/shelf.ts'
import { countSold, sellTakings } from './count-sold.ts'
import { findListing } from './read-listing.ts'
import { readSeriesNumbers } from './read-series.ts'
import { returnTaking } from './return-taking.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const stands = async (database: TestDatabase, id: Id<'listing'>) => (await database.tx((tx) => findListing(tx, id)))!

onBothDatabases('cards of the shelf are made', (database) => {
  const edge = () => database.edge({} as Ports)
  const buyMany = async (listing: TestListing, buyers: number): Promise<(string | Id<'order'>)[]> => {
    const outcomes = await Promise.all(upTo(buyers).map((buyer) => buyOne(edge(), listing, { buyer })))
    return outcomes.map((outcome) => (typeof outcome === 'string' ? outcome : outcome.orderId))
  }
  const ordersOf = (outcomes: readonly string[]) =>
    outcomes.filter((outcome): outcome is Id<'order'> => outcome.startsWith('ord_'))
  /** Its card is void before its place is there again. */
  const giveBack = (orderId: Id<'order'>) =>
    database.tx(async (tx) => {
      const items = '(select id from order_item where order_id = ?)'
      await change(tx.em, `update card set state = 'void' where order_item_id in ${items}`, [orderId])
      return returnTaking(tx, orderId)
    })

  test('a series of 120 is numbered 1 to 120 under 500 buyers at once, never 121', async () => {
    const listing = await database.tx((tx) => aListing(tx, { series: true, stock: 120 }))
    const outcomes = await buyMany(listing, 500)
    const orders = ordersOf(outcomes)
    expect(tally(outcomes.map((outcome) => (outcome.startsWith('ord_') ? 'taken' : outcome)))).toEqual({
      taken: 120,
      sold_out: 380,
    })
    await payAndIssue(edge(), orders)
    const rows = await database.tx((tx) =>
      sql<{ number: unknown; item: Id<'orderItem'> }>(
        tx.em,
        'select number, order_item_id as item from series_number where listing_id = ? order by number',
        [listing.id],
      ),
    )
    expect(rows.map(({ number }) => Number(number))).toEqual(upTo(120))
    const cards = await database.tx((tx) => sql<{ item: string }>(tx.em, 'select order_item_id as item from card'))
    expect(new Set(cards.map(({ item }) => item))).toEqual(new Set(rows.map(({ item }) => item)))
    const read = await database.tx((tx) => readSeriesNumbers(tx, [rows[6]!.item, encodeId('orderItem', 1n)]))
    expect([...read.values()]).toEqual([{ number: 7, size: 120 }])
    expect(await stands(database, listing.id)).toMatchObject({ taken: 120, sold: 120, numbered: 120 })
  })

  test('a numbered card that goes back leaves its number and its place empty; any other is there again', async () => {
    const series = await database.tx((tx) => aListing(tx, { series: true, stock: 2 }))
    const plain = await database.tx((tx) => aListing(tx, { stock: 2 }))
    const [numbered] = ordersOf(await buyMany(series, 1))
    const [other] = ordersOf(await buyMany(plain, 1))
    await payAndIssue(edge(), [numbered!, other!])
    expect([await giveBack(numbered!), await giveBack(other!)]).toEqual([true, true])
    expect([await giveBack(numbered!), await giveBack(other!)]).toEqual([false, false])
    expect(await stands(database, series.id)).toMatchObject({ taken: 1, sold: 0, numbered: 1 })
    expect(await stands(database, plain.id)).toMatchObject({ taken: 0, sold: 0, numbered: 0 })
    const [next, late] = [await buyOne(edge(), series, { buyer: 8 }), await buyOne(edge(), series, { buyer: 9 })]
    expect(late).toBe('sold_out')
    if (typeof next === 'string') throw new Error(next)
    await payAndIssue(edge(), [next.orderId])
    const numbers = await database.tx((tx) => sql<{ number: unknown }>(tx.em, 'select number from series_number'))
    expect(new Set(numbers.map(({ number }) => Number(number)))).toEqual(new Set([1, 2]))
  })

  test('what was given back, or never taken, is not counted as sold: its card is not made', async () => {
    const listing = await database.tx((tx) => aListing(tx, { stock: 5 }))
    const outcome = await buyOne(edge(), listing, { buyer: 1 })
    if (typeof outcome === 'string') throw new Error(outcome)
    const { orderId } = outcome
    await buyOne(edge(), listing, { buyer: 2 })
    await database.tx((tx) => returnTaking(tx, orderId))
    const item = { listingId: listing.id, orderItemId: encodeId('orderItem', 1n) }
    await expect(database.tx((tx) => sellTakings(tx, [{ ...item, orderId }]))).rejects.toThrow('moved held -> sold')
    const unknown = encodeId('order', 1n)
    await expect(database.tx((tx) => sellTakings(tx, [{ ...item, orderId: unknown }]))).rejects.toThrow('took nothing')
    expect(await stands(database, listing.id)).toMatchObject({ taken: 1, sold: 0 })
    await database.tx((tx) => countSold(tx, [], new Set()))
  })

  test('cards of several listings that are made together are counted for each', async () => {
    const listings = await database.tx(async (tx) => [
      await aListing(tx, { stock: 20 }, { name: '甲' }),
      await aListing(tx, { series: true, stock: 20 }, { name: '乙' }),
    ])
    const orders = (await Promise.all(listings.map((listing) => buyMany(listing, 20)))).flatMap(ordersOf)
    expect(orders).toHaveLength(40)
    await payAndIssue(edge(), orders)
    for (const { id } of listings) expect(await stands(database, id)).toMatchObject({ taken: 20, sold: 20 })
  })
})
