import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { insertRows } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'
import type { NewItem } from './place-order.ts'

/** An order of one card, with the id that it is to have. */
export interface SingleOrder {
  readonly id: Id<'order'>
  readonly buyerId: Id<'buyer'>
  readonly item: NewItem
}

/**
 * Places any number of buyers' orders, each of one card, as `placeOrder` places one: they wait for their funds from here on. One
 * statement a table for all of them.
 */
export async function placeSingleOrders(tx: Tx, orders: readonly SingleOrder[]): Promise<void> {
  if (orders.length === 0) return
  const state = { company_id: null, state: 'awaiting_funds', version: 1, item_count: 1, created_at_ms: tx.clock.now() }
  const nothing = { secured_fen: fen(0), issued_fen: fen(0), refunded_fen: fen(0), returned_fen: fen(0) }
  await insertRows(
    tx.em,
    'orders',
    orders.map(({ id, buyerId, item }) => ({ id, buyer_id: buyerId, total_fen: item.priceFen, ...state, ...nothing })),
  )
  await insertRows(
    tx.em,
    'order_item',
    orders.map(({ id, item }) => ({
      id: tx.newId('orderItem'),
      order_id: id,
      seq: 0,
      holder_id: item.holderId,
      template_version_id: item.templateVersionId,
      listing_id: item.listingId ?? null,
      face_fen: item.faceFen,
      price_fen: item.priceFen,
    })),
  )
  await insertRows(
    tx.em,
    'order_slice',
    orders.map(({ id }) => ({
      id: tx.newId('orderSlice'),
      order_id: id,
      from_seq: 0,
      to_seq: 1,
      state: 'planned',
      issued_at_ms: null,
    })),
  )
  await trailMany(
    tx,
    orders.map(({ id }) => ({ objectId: id, act: 'orders.placed', toState: 'awaiting_funds' })),
  )
}
