import type { Id } from '../../../contract/ids.ts'
import { takingMoves, type TakingState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, sql } from '../../kernel/sql.ts'
import { findListing } from './read-listing.ts'

interface Taking {
  readonly id: Id<'listingTaking'>
  readonly listingId: Id<'listing'>
  readonly state: TakingState
  readonly promoNumber: number | null
}

/**
 * Gives back what an order took of a listing, once: nobody paid it in time, or its card went back. Stock and the buyer's caps have
 * it again, except for a card of a series that was made: its number was given, so it is retired, and so is its place in the
 * stock. False when there is nothing (any more) to give back.
 */
export async function returnTaking(tx: Tx, orderId: Id<'order'>): Promise<boolean> {
  const [taking] = await sql<Taking>(
    tx.em,
    `select id, listing_id as listingId, state, promo_number as promoNumber from listing_taking where order_id = ?`,
    [orderId],
  )
  if (taking === undefined || taking.state === 'returned' || taking.state === 'retired') return false
  const listing = await findListing(tx, taking.listingId)
  if (listing === null) throw new Error(`taking ${taking.id}: no listing ${taking.listingId}`)
  const wasSold = taking.state === 'sold'
  const to = wasSold && listing.series ? 'retired' : 'returned'
  const step = { table: 'listing_taking', id: taking.id, from: taking.state, to, moves: takingMoves }
  if (!(await move(tx, step))) return false
  const back = to === 'returned' ? 1 : 0
  await change(
    tx.em,
    `update listing set sold = sold - ?, taken = taken - ?,
      promo_taken = promo_taken - case when promo_number = ? then ? else 0 end where id = ?`,
    [wasSold ? 1 : 0, back, taking.promoNumber ?? -1, back, taking.listingId],
  )
  return true
}
