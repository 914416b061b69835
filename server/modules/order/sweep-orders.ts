import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { cancelOrder } from './cancel-order.ts'

/** Orders cancelled in one transaction. */
const BATCH = 100
/** Writing the items of the largest order takes seconds; whoever was stopped begins a new order. */
const LEFT_MS = 86_400_000

/**
 * Cancels orders whose writing began a day ago and never ended, because the process that wrote them was stopped. They
 * never took money. Returns how many; call again until it is 0.
 */
export async function sweepOrders(tx: Tx): Promise<number> {
  const left = await sql<{ id: Id<'order'> }>(
    tx.em,
    `select id from orders where state = 'placing' and created_at_ms < ? order by id limit ${BATCH}`,
    [tx.clock.now() - LEFT_MS],
  )
  let cancelled = 0
  for (const { id } of left) if (await cancelOrder(tx, id)) cancelled += 1
  return cancelled
}
