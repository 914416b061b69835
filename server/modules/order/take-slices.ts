import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { orderMoves, type OrderState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, sql } from '../../kernel/sql.ts'

/** A slice that this transaction issues: its items in order, and what the rest of the order needs to know. */
export interface TakenSlice {
  readonly orderId: Id<'order'>
  readonly companyId: Id<'company'> | null
  readonly fromSeq: number
  readonly toSeq: number
  readonly items: readonly TakenItem[]
}

export interface TakenItem {
  readonly id: Id<'orderItem'>
  readonly holderId: string
  readonly templateVersionId: Id<'templateVersion'>
  readonly faceFen: Fen
  readonly priceFen: Fen
}

/**
 * Planned slices of an order, first ones first: the work that is left after any stop. Empty when the order is not
 * funded or takes no more cards.
 */
export async function readPlannedSlices(tx: Tx, orderId: Id<'order'>, most: number) {
  return sql<{ id: Id<'orderSlice'> }>(
    tx.em,
    "select order_slice.id as id from order_slice join orders on orders.id = order_slice.order_id where order_slice.order_id = ? and order_slice.state = 'planned' and orders.state in ('funded', 'issuing') order by order_slice.from_seq limit ?",
    [orderId, most],
  )
}

/**
 * Takes a slice for issuing, in the transaction that issues it; null when it was issued before or its order is not
 * funded. The order row is read here without a lock, so that slices of one order are made side by side: `spendFunds`
 * asks again, under the lock, at the end of the same transaction.
 */
export async function takeSlice(tx: Tx, sliceId: Id<'orderSlice'>): Promise<TakenSlice | null> {
  const [slice] = await sql<{
    order_id: Id<'order'>
    company_id: Id<'company'> | null
    from_seq: number
    to_seq: number
    state: OrderState
  }>(
    tx.em,
    'select order_slice.order_id, orders.company_id, order_slice.from_seq, order_slice.to_seq, orders.state from order_slice join orders on orders.id = order_slice.order_id where order_slice.id = ?',
    [sliceId],
  )
  if (!slice || (slice.state !== 'funded' && slice.state !== 'issuing')) return null
  const taken = await change(
    tx.em,
    "update order_slice set state = 'issued', issued_at_ms = ? where id = ? and state = 'planned'",
    [tx.clock.now(), sliceId],
  )
  if (taken === 0) return null
  const rows = await sql<{
    id: Id<'orderItem'>
    holder_id: string
    version: Id<'templateVersion'>
    face: unknown
    price: unknown
  }>(
    tx.em,
    'select id, holder_id, template_version_id as version, face_fen as face, price_fen as price from order_item where order_id = ? and seq >= ? and seq < ? order by seq',
    [slice.order_id, slice.from_seq, slice.to_seq],
  )
  return {
    orderId: slice.order_id,
    companyId: slice.company_id,
    fromSeq: Number(slice.from_seq),
    toSeq: Number(slice.to_seq),
    items: rows.map((row) => ({
      id: row.id,
      holderId: row.holder_id,
      templateVersionId: row.version,
      faceFen: fen(Number(row.face)),
      priceFen: fen(Number(row.price)),
    })),
  }
}

/**
 * Turns secured money into issued price: the order moves to `issuing` with its first slice and to `issued` with its
 * last. Call it late, for it holds the order's row until the commit. Throws when the money is not there or the order
 * takes no more cards.
 */
export async function spendFunds(tx: Tx, orderId: Id<'order'>, price: Fen): Promise<void> {
  const spent = await change(
    tx.em,
    "update orders set issued_fen = issued_fen + ?, version = version + 1 where id = ? and state in ('funded', 'issuing') and secured_fen - issued_fen >= ?",
    [price, orderId, price],
  )
  if (spent !== 1) throw new Error(`order ${orderId}: cards cost more than what is secured, or it takes no more cards`)
  const [order] = await sql<{ state: OrderState; more: unknown }>(
    tx.em,
    "select state, exists (select 1 from order_slice where order_id = orders.id and state = 'planned') as more from orders where id = ?",
    [orderId],
  )
  if (order?.state === 'funded')
    await move(tx, { table: 'orders', id: orderId, from: 'funded', to: 'issuing', moves: orderMoves })
  if (Number(order?.more) === 0)
    await move(tx, { table: 'orders', id: orderId, from: 'issuing', to: 'issued', moves: orderMoves })
}
