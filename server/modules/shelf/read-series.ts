import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** Which card of how many. */
export interface SeriesNumber {
  readonly number: number
  readonly size: number
}

/** The numbers of cards of series, by their order items; others have no line. */
export async function readSeriesNumbers(
  tx: Tx,
  orderItemIds: readonly Id<'orderItem'>[],
): Promise<ReadonlyMap<Id<'orderItem'>, SeriesNumber>> {
  if (orderItemIds.length === 0) return new Map()
  const rows = await sql<{ item: Id<'orderItem'>; number: number; size: number }>(
    tx.em,
    `select series_number.order_item_id as item, series_number.number as number, listing.stock as size
      from series_number join listing on listing.id = series_number.listing_id
      where series_number.order_item_id in (${orderItemIds.map(() => '?').join(',')})`,
    orderItemIds,
  )
  return new Map(rows.map(({ item, number, size }) => [item, { number: Number(number), size: Number(size) }]))
}
