import type { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import type { Surplus } from '../../../contract/hr/refund.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { findOwnOrder } from '../order/read-order.ts'
import { routeOf, type PaymentSource } from './rules.ts'

/**
 * Payments of an order of the actor's company that brought more than it needed, with what of it nobody asked back yet and
 * the way it would go. Refuses with `not_found`.
 */
export async function readSurpluses(tx: Tx, orderId: Id<'order'>): Promise<z.input<typeof Surplus>> {
  await findOwnOrder(tx, orderId)
  const rows = await sql<{ id: Id<'payment'>; source: PaymentSource; surplus: unknown }>(
    tx.em,
    `select books.id, books.source, books.surplus from (select payment.id as id, payment.source as source, payment.paid_fen
        - coalesce((select sum(amount_fen) from payment_part where payment_id = payment.id), 0)
        - coalesce((select sum(fen) from refund_part where payment_id = payment.id and brand_id is null), 0) as surplus
      from payment where payment.order_id = ?
        and payment.state in ('paid', 'refunding', 'part_refunded', 'refunded')) as books
      where books.surplus > 0 order by books.id`,
    [orderId],
  )
  return {
    payments: rows.map(({ id, source, surplus }) => ({
      paymentId: id,
      source,
      route: routeOf(source, false),
      fen: fen(readSum(surplus)),
    })),
  }
}
