import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/** What may be under way for a payment's transaction: calls of sharing, or a refund. Never both. */
export type Flight = 'share' | 'refund'

/**
 * Takes a payment's transaction for sharing or for a refund, until `endFlight`. One guarded update decides. True for
 * whoever has it already under the same `ref`: it may have been stopped and come again. A share gives way to refunds
 * that wait.
 */
export async function takeFlight(tx: Tx, paymentId: Id<'payment'>, flight: Flight, ref: string): Promise<boolean> {
  const free = flight === 'share' ? 'in_flight is null and refunds_waiting = 0' : 'in_flight is null'
  const taken = await change(
    tx.em,
    `update payment set in_flight = ?, in_flight_ref = ?, version = version + 1 where id = ? and ${free}`,
    [flight, ref, paymentId],
  )
  if (taken === 1) return true
  const [held] = await sql<{ in_flight: string | null; in_flight_ref: string | null }>(
    tx.em,
    'select in_flight, in_flight_ref from payment where id = ?',
    [paymentId],
  )
  return held?.in_flight === flight && held.in_flight_ref === ref
}

/** Gives a transaction free again. False when somebody else has it. */
export async function endFlight(tx: Tx, paymentId: Id<'payment'>, ref: string): Promise<boolean> {
  const ended = await change(
    tx.em,
    'update payment set in_flight = null, in_flight_ref = null, version = version + 1 where id = ? and in_flight_ref = ?',
    [paymentId, ref],
  )
  return ended === 1
}

/** Says that a refund waits for the transaction (1), or waits no more (-1): no new share begins before it. */
export async function countWaitingRefund(tx: Tx, paymentId: Id<'payment'>, by: 1 | -1): Promise<void> {
  await change(
    tx.em,
    'update payment set refunds_waiting = refunds_waiting + ?, version = version + 1 where id = ? and refunds_waiting + ? >= 0',
    [by, paymentId, by],
  )
}
