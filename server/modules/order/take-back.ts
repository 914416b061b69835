import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { orderMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, sql } from '../../kernel/sql.ts'

/**
 * Counts the price of cards that were taken back of an order whose cards are all made. With the last card the order is
 * `refunding`; part refunds leave it `issued`. The caller holds the order and posts. False when the order is not issued,
 * or this would be more than its cards cost.
 */
export async function takeBack(tx: Tx, orderId: Id<'order'>, price: Fen): Promise<boolean> {
  const counted = await change(
    tx.em,
    `update orders set refunded_fen = refunded_fen + ?, version = version + 1
      where id = ? and state in ('issued', 'refunding') and refunded_fen + ? <= issued_fen`,
    [price, orderId, price],
  )
  if (counted !== 1) return false
  const [order] = await sql<{ whole: unknown }>(
    tx.em,
    'select case when refunded_fen = issued_fen then 1 else 0 end as whole from orders where id = ?',
    [orderId],
  )
  if (Number(order?.whole) === 1)
    await move(tx, { table: 'orders', id: orderId, from: 'issued', to: 'refunding', moves: orderMoves })
  return true
}

/** All that was to go back for an order that is given up, or all of whose cards were taken back, is back. */
export const endTakingBack = (tx: Tx, orderId: Id<'order'>): Promise<boolean> =>
  move(tx, { table: 'orders', id: orderId, from: 'refunding', to: 'refunded', moves: orderMoves })
