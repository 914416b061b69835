import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { orderMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, insertRows } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { Order, OrderSlice } from './tables.ts'

export interface NewItem {
  /** The person or buyer who will hold the card. */
  readonly holderId: string
  readonly templateVersionId: Id<'templateVersion'>
  readonly faceFen: Fen
  readonly priceFen: Fen
  /** From which place on the shelf it is bought. */
  readonly listingId?: Id<'listing'>
}

/**
 * Places an order that waits for its funds: one item a card, cut into slices of at most 1,000 items, all in the
 * caller's transaction. For a large order use `beginOrder`, `addOrderItems` and `completeOrder` in transactions of
 * their own. Throws RangeError on no item or more than 200,000.
 */
export async function placeOrder(
  tx: Tx,
  input: { readonly companyId: Id<'company'> | null; readonly items: readonly NewItem[] },
): Promise<Id<'order'>> {
  const { companyId, items } = input
  const orderId = await beginOrder(tx, companyId)
  for (let from = 0; from < items.length; from += limits.cardsPerSlice)
    await addOrderItems(tx, orderId, from, items.slice(from, from + limits.cardsPerSlice))
  await completeOrder(tx, orderId, { itemCount: items.length, totalFen: sumFen(items.map((item) => item.priceFen)) })
  return orderId
}

/** Opens an order without items, in state `placing`: nobody can pay it before `completeOrder`. */
export async function beginOrder(tx: Tx, companyId: Id<'company'> | null): Promise<Id<'order'>> {
  const orderId = tx.newId('order')
  await tx.em.insert(Order, {
    id: orderId,
    companyId,
    state: 'placing',
    version: 1,
    totalFen: fen(0),
    securedFen: fen(0),
    issuedFen: fen(0),
    itemCount: 0,
    createdAtMs: tx.clock.now(),
  })
  return orderId
}

/**
 * Writes the next slice of an order that is being placed: at most 1,000 items, the first of which has sequence number
 * `from`. Returns false, and writes nothing, when the order does not stand exactly there (any more): somebody else
 * wrote the slice, or the order was cancelled. So a repeat after any stop, or two writers at once, are harmless.
 * Throws RangeError on no item or more than a slice holds.
 */
export async function addOrderItems(
  tx: Tx,
  orderId: Id<'order'>,
  from: number,
  items: readonly NewItem[],
): Promise<boolean> {
  if (items.length === 0 || items.length > limits.cardsPerSlice)
    throw new RangeError(`a slice has 1 to ${limits.cardsPerSlice} items`)
  const counted = await change(
    tx.em,
    "update orders set item_count = item_count + ?, total_fen = total_fen + ?, version = version + 1 where id = ? and state = 'placing' and item_count = ?",
    [items.length, sumFen(items.map((item) => item.priceFen)), orderId, from],
  )
  if (counted === 0) return false
  const rows = items.map((item, index) => ({
    id: tx.newId('orderItem'),
    order_id: orderId,
    seq: from + index,
    holder_id: item.holderId,
    template_version_id: item.templateVersionId,
    listing_id: item.listingId ?? null,
    face_fen: item.faceFen,
    price_fen: item.priceFen,
  }))
  await insertRows(tx.em, 'order_item', rows)
  const id = tx.newId('orderSlice')
  await tx.em.insert(OrderSlice, { id, orderId, fromSeq: from, toSeq: from + items.length, state: 'planned' })
  return true
}

/**
 * placing -> awaiting_funds: from here on the order takes money. False when it was not `placing` (any more).
 * Throws RangeError on no item or more than 200,000, and Error when what was written is not what was promised.
 */
export async function completeOrder(
  tx: Tx,
  orderId: Id<'order'>,
  promised: { readonly itemCount: number; readonly totalFen: Fen },
): Promise<boolean> {
  if (promised.itemCount === 0 || promised.itemCount > limits.itemsPerOrder)
    throw new RangeError(`an order has 1 to ${limits.itemsPerOrder} items`)
  const order = { table: 'orders', id: orderId, from: 'placing', to: 'awaiting_funds', moves: orderMoves }
  if (!(await move(tx, order))) return false
  const written = await tx.em.findOneOrFail(Order, { id: orderId }, { disableIdentityMap: true })
  if (written.itemCount !== promised.itemCount || written.totalFen !== promised.totalFen)
    throw new Error(`order ${orderId}: ${written.itemCount} items over ${written.totalFen} fen were written`)
  await trail(tx, { objectId: orderId, act: 'orders.placed', toState: 'awaiting_funds' })
  return true
}
