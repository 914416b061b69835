import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { orderMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, sql } from '../../kernel/sql.ts'
import { OrderItem, OrderSlice } from './tables.ts'

/** Planned slices of an order, first ones first: the work that is left after any stop. */
export async function readPlannedSlices(tx: Tx, orderId: Id<'order'>, most: number) {
  const where = { orderId, state: 'planned' as const }
  return tx.em.find(OrderSlice, where, { orderBy: { fromSeq: 'asc' }, limit: most, disableIdentityMap: true })
}

/**
 * Takes a slice for issuing, in the transaction that issues it, and returns its items; null when it was issued before
 * or its order is not funded. The order moves to `issuing` with its first slice.
 */
export async function takeSlice(tx: Tx, sliceId: Id<'orderSlice'>) {
  const taken = await change(
    tx.em,
    "update order_slice set state = 'issued', issued_at_ms = ? where id = ? and state = 'planned' and exists (select 1 from orders where orders.id = order_slice.order_id and orders.state in ('funded', 'issuing'))",
    [tx.clock.now(), sliceId],
  )
  if (taken === 0) return null
  const slice = await tx.em.findOneOrFail(OrderSlice, { id: sliceId }, { disableIdentityMap: true })
  await move(tx, { table: 'orders', id: slice.orderId, from: 'funded', to: 'issuing', moves: orderMoves })
  const items = await tx.em.find(
    OrderItem,
    { orderId: slice.orderId, seq: { $gte: slice.fromSeq, $lt: slice.toSeq } },
    { orderBy: { seq: 'asc' }, disableIdentityMap: true },
  )
  const [order] = await sql<{ company_id: Id<'company'> | null }>(tx.em, 'select company_id from orders where id = ?', [
    slice.orderId,
  ])
  return { slice, items, companyId: order?.company_id ?? null }
}

/** Turns secured money into issued price, and ends the order's issuing with its last slice. Throws when the money is not there. */
export async function spendFunds(tx: Tx, orderId: Id<'order'>, price: Fen): Promise<void> {
  const spent = await change(
    tx.em,
    'update orders set issued_fen = issued_fen + ?, version = version + 1 where id = ? and secured_fen - issued_fen >= ?',
    [price, orderId, price],
  )
  if (spent !== 1) throw new Error(`order ${orderId}: cards cost more than what is secured`)
  const left = await sql<{ id: string }>(
    tx.em,
    "select id from order_slice where order_id = ? and state = 'planned' limit 1",
    [orderId],
  )
  if (left.length === 0)
    await move(tx, { table: 'orders', id: orderId, from: 'issuing', to: 'issued', moves: orderMoves })
}
