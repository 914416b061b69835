import type { Id } from '../../../contract/ids.ts'
import { takingMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { moveMany } from '../../kernel/move.ts'
import { insertRows, sql, updateRows } from '../../kernel/sql.ts'

export interface SoldItem {
  readonly listingId: Id<'listing'>
  readonly orderId: Id<'order'>
  readonly orderItemId: Id<'orderItem'>
}

/**
 * Counts cards of listings as sold, in the transaction that makes them and after `sellTakings`, whose answer it needs: cards of a
 * series get the next numbers, in the order given. Any number of items by one statement a table; rows of listings are held last, in
 * the order of their ids, for whoever buys of them waits.
 */
export async function countSold(tx: Tx, items: readonly SoldItem[], series: SeriesOf): Promise<void> {
  if (items.length === 0) return
  const byListing = Map.groupBy(items, ({ listingId }) => listingId)
  const listingIds = [...byListing.keys()].sort()
  const counts = listingIds.map((id) => {
    const { length: count } = byListing.get(id)!
    return { id, count, series: series.has(id) ? 1 : 0 }
  })
  const counted = await updateRows(tx.em, 'listing', counts, {
    set: 'sold = sold + new_count, numbered = numbered + new_count * new_series',
    where: 'listing.series = new_series',
  })
  if (counted !== listingIds.length) throw new Error(`${counted} of ${listingIds.length} listings counted as sold`)
  if (series.size > 0) await giveNumbers(tx, byListing, [...series].sort())
}

/** The listings among them whose cards are a series. */
export type SeriesOf = ReadonlySet<Id<'listing'>>

/**
 * What these orders took of the shelf is sold. Throws when one was not held for its order (any more): a card that nobody may make.
 */
export async function sellTakings(tx: Tx, items: readonly SoldItem[]): Promise<SeriesOf> {
  if (items.length === 0) return new Set()
  const takings = await sql<{ id: string; orderId: string; listingId: Id<'listing'>; series: unknown }>(
    tx.em,
    `select listing_taking.id as id, listing_taking.order_id as orderId, listing_taking.listing_id as listingId,
        listing.series as series
      from listing_taking join listing on listing.id = listing_taking.listing_id
      where listing_taking.order_id in (${marks(items)})`,
    items.map(({ orderId }) => orderId),
  )
  const taken = new Map(takings.map((taking) => [`${taking.orderId} ${taking.listingId}`, taking.id]))
  const steps = items.map(({ orderId, listingId }) => {
    const id = taken.get(`${orderId} ${listingId}`)
    if (id === undefined) throw new Error(`order ${orderId} took nothing of listing ${listingId}`)
    return { id }
  })
  await moveMany(tx, { table: 'listing_taking', from: 'held', to: 'sold', moves: takingMoves, steps })
  return new Set(takings.filter(({ series }) => Number(series) === 1).map(({ listingId }) => listingId))
}

/** The rows are held since they were counted: the numbers up to `numbered` are these cards'. */
async function giveNumbers(
  tx: Tx,
  byListing: ReadonlyMap<Id<'listing'>, readonly SoldItem[]>,
  listingIds: readonly Id<'listing'>[],
): Promise<void> {
  const series = await sql<{ id: Id<'listing'>; numbered: number }>(
    tx.em,
    `select id, numbered from listing where id in (${marks(listingIds)})`,
    listingIds,
  )
  const rows = series.flatMap(({ id, numbered }) => {
    const own = byListing.get(id)!
    const first = Number(numbered) - own.length + 1
    return own.map(({ orderItemId }, index) => ({ listing_id: id, number: first + index, order_item_id: orderItemId }))
  })
  await insertRows(tx.em, 'series_number', rows)
}

const marks = (list: readonly unknown[]): string => list.map(() => '?').join(',')
