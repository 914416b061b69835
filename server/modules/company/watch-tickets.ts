import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** Tickets come every ten minutes and live thirty (protocols wecom, 8.1): two that did not come are a reason to act. */
const LATE_MS = 20 * 60_000

/** Says as an error in the log which of our suites has had no new ticket for over 20 minutes: nothing works without. */
export async function watchTickets(edge: Edge): Promise<void> {
  for (const { suiteId, ageMs } of await lateTickets(edge, LATE_MS))
    edge.log.error(
      { suiteId, minutes: ageMs === null ? null : Math.floor(ageMs / 60_000) },
      'no new suite_ticket for over 20 minutes: check the command address of the suite, or push one by hand',
    )
}

/** Our suites whose newest ticket is at least this old; null where none has come yet. */
export async function lateTickets(
  edge: Edge,
  leastMs: number,
): Promise<{ readonly suiteId: string; readonly ageMs: number | null }[]> {
  const rows = await edge.read((tx) =>
    sql<{ suiteId: string; atMs: unknown }>(
      tx.em,
      'select suite_id as suiteId, ticket_at_ms as atMs from wecom_suite where ticket_at_ms is not null',
    ),
  )
  return edge.house.wecomSuites.flatMap(({ suiteId }) => {
    const row = rows.find((one) => one.suiteId === suiteId)
    const ageMs = row === undefined ? null : Math.max(0, edge.clock.now() - Number(row.atMs))
    return ageMs === null || ageMs >= leastMs ? [{ suiteId, ageMs }] : []
  })
}
