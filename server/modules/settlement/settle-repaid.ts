import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { settleDifference } from './settle-difference.ts'

/**
 * The body of job `credit.settle`: a company owes less on its credit line, so what waited for that in its settled orders
 * goes onto payouts, the oldest first. A transaction each; it may stop anywhere and run again.
 */
export async function settleRepaid(edge: Edge, companyId: Id<'company'>): Promise<void> {
  const waiting = await edge.read((tx) =>
    sql<{ orderId: Id<'order'> }>(
      tx.em,
      `select distinct payment.order_id as orderId from payment
        join settlement on settlement.order_id = payment.order_id and settlement.held_fen > 0
        where payment.company_id = ? and payment.source = 'credit_line' order by payment.order_id`,
      [companyId],
    ),
  )
  for (const { orderId } of waiting)
    await edge.tx(async (tx) => {
      await lockOrders(tx, [orderId])
      await settleDifference(tx, orderId)
    })
}
