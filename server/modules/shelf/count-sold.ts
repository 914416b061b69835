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
 * Counts cards of listings as sold, in the transaction that makes them: what their orders took is sold, and cards of a series get
 * the next numbers, in the order given. Any number of items by one statement a table; rows of listings are held in the order of
 * their ids, after the orders. Throws when one was not held for its order (any more): a card that nobody may make.
 */
export async function countSold(tx: Tx, items: readonly SoldItem[]): Promise<void> {
  if (items.length === 0) return
  const byListing = Map.groupBy(items, ({ listingId }) => listingId)
  const listingIds = [...byListing.keys()].sort()
  const counts = listingIds.map((id) => ({ id, count: byListing.get(id)!.length }))
  const counted = await updateRows(tx.em, 'listing', counts, {
    set: 'sold = sold + new_count, numbered = numbered + case when series = 1 then new_count else 0 end',
    where: '1 = 1',
  })
  if (counted !== listingIds.length) throw new Error(`${counted} of ${listingIds.length} listings counted as sold`)
  await sellTakings(tx, items)
  await giveNumbers(tx, byListing, listingIds)
}

async function sellTakings(tx: Tx, items: readonly SoldItem[]): Promise<void> {
  const takings = await sql<{ id: string; orderId: string; listingId: string }>(
    tx.em,
    `select id, order_id as orderId, listing_id as listingId from listing_taking where order_id in (${marks(items)})`,
    items.map(({ orderId }) => orderId),
  )
  const taken = new Map(takings.map((taking) => [`${taking.orderId} ${taking.listingId}`, taking.id]))
  const steps = items.map(({ orderId, listingId }) => {
    const id = taken.get(`${orderId} ${listingId}`)
    if (id === undefined) throw new Error(`order ${orderId} took nothing of listing ${listingId}`)
    return { id }
  })
  await moveMany(tx, { table: 'listing_taking', from: 'held', to: 'sold', moves: takingMoves, steps })
}

/** The rows are held since they were counted: the numbers up to `numbered` are these cards'. */
async function giveNumbers(
  tx: Tx,
  byListing: ReadonlyMap<Id<'listing'>, readonly SoldItem[]>,
  listingIds: readonly Id<'listing'>[],
): Promise<void> {
  const series = await sql<{ id: Id<'listing'>; numbered: number }>(
    tx.em,
    `select id, numbered from listing where series = 1 and id in (${marks(listingIds)})`,
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
