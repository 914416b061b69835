import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore } from '../../kernel/sql.ts'
import { ticketPlace } from './read-suite-ticket.ts'

/**
 * Keeps a suite_ticket if it is newer than the one that stands there (protocols wecom, 8.1): tickets are pushed every ten
 * minutes, come twice and out of order, and nothing of the suite works without one. False when it was not newer.
 */
export async function keepTicket(
  tx: Tx,
  pushed: { readonly suiteId: string; readonly ticket: string; readonly atMs: number },
): Promise<boolean> {
  const { suiteId, ticket, atMs } = pushed
  const sealed = tx.house.seal.seal(ticketPlace(suiteId), ticket)
  const update = () =>
    change(
      tx.em,
      `update wecom_suite set ticket_sealed = ?, ticket_at_ms = ?, changed_at_ms = ?
        where suite_id = ? and (ticket_at_ms is null or ticket_at_ms < ?)`,
      [sealed, atMs, tx.clock.now(), suiteId, atMs],
    )
  if ((await update()) === 1) return true
  // Updated first and inserted after: the other way round two tickets at once come to a deadlock on MariaDB.
  await insertIgnore(tx.em, 'wecom_suite', [{ suite_id: suiteId, changed_at_ms: tx.clock.now() }])
  return (await update()) === 1
}
