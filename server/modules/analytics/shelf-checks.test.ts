import { expect, test } from 'vitest'
import type { Ports } from '../../channels/ports.ts'
import type { Id } from '../../../contract/ids.ts'
import { change, sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { aListing, buyOne, payAndIssue } from '../../testing/shelf.ts'
import { returnTaking } from '../shelf/return-taking.ts'
import { proveBooks } from './prove-books.ts'
import { shelfChecks } from './shelf-checks.ts'

const soldOne = "select id from listing_taking where state = 'sold'"
const itemOf =
  '(select order_item.id from order_item join listing_taking on listing_taking.order_id = order_item.order_id'

/** For each rule, what must not be: `X` is what `of` finds first. */
const defects: Defects = {
  a_listing_counts_what_orders_took: ['select id from listing', 'update listing set taken = taken + 1 where id = X'],
  a_listing_counts_what_it_sold: [
    'select id from listing where sold < taken',
    'update listing set sold = sold + 1 where id = X',
  ],
  a_time_boxed_price_counts_its_takings: [
    'select id from listing where promo_taken > 0',
    'update listing set promo_taken = promo_taken + 1 where id = X',
  ],
  a_series_is_numbered_without_a_gap: [
    'select listing_id as id from series_number',
    'update series_number set number = 3 where number = 2 and listing_id = X',
  ],
  a_number_is_of_a_card_of_its_series: [
    'select id from listing where series = 0',
    'update order_item set listing_id = X where id in (select order_item_id from series_number)',
  ],
  a_sold_taking_has_its_card: [
    soldOne,
    `delete from card where order_item_id in ${itemOf} where listing_taking.id = X)`,
  ],
  a_card_of_the_shelf_was_taken: [soldOne, "update listing_taking set state = 'returned' where id = X"],
  an_order_that_is_over_holds_nothing_of_the_shelf: [
    "select order_id as id from listing_taking where state = 'held'",
    "update orders set state = 'cancelled' where id = X",
  ],
}

onBothDatabases('the books of the shelf', (database) => {
  test('find one planted defect for each of their rules, and nothing before', async () => {
    const edge = database.edge({} as Ports)
    const promo = { priceBp: 9_000, fromMs: 0, untilMs: 9e15 }
    const [series, plain] = await database.tx(async (tx) => [
      await aListing(tx, { series: true, stock: 5 }, { name: '甲' }),
      await aListing(tx, { stock: 9, promo }, { name: '乙' }),
    ])
    const buy = async (listing: typeof series, buyer: number, priceBp: number): Promise<Id<'order'>> => {
      const taken = await buyOne(edge, listing!, { buyer, priceBp })
      if (typeof taken === 'string') throw new Error(taken)
      return taken.orderId
    }
    const numbered = [await buy(series, 1, 10_000), await buy(series, 2, 10_000)]
    const [sold, held, back] = [await buy(plain, 1, 9_000), await buy(plain, 2, 9_000), await buy(plain, 3, 9_000)]
    await payAndIssue(edge, [...numbered, sold])
    await database.tx(async (tx) => {
      await change(tx.em, "update orders set state = 'cancelled' where id = ?", [back])
      await returnTaking(tx, back)
    })
    const states = await database.tx((tx) =>
      sql<{ state: string }>(tx.em, 'select state from listing_taking where order_id in (?, ?)', [held, back]),
    )
    expect(states.map(({ state }) => state).toSorted()).toEqual(['held', 'returned'])
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(shelfChecks.map((check) => check.rule as string).toSorted())
    await noticesEach(database, defects)
  })
})
