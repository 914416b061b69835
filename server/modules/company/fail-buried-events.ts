import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/** Callbacks ended in one go. */
const BATCH = 500

/**
 * Ends callbacks as `failed` whose job is dead, however it died: for the platform's people to run again. Belongs into the
 * transaction in which a job dies. Returns how many.
 */
export async function failBuriedEvents(tx: Tx): Promise<number> {
  const buried = await sql<{ id: string }>(
    tx.em,
    `select event.id as id from job join wecom_event event on event.id = substr(job.job_key, ${KEY.length + 1})
      where job.state = 'dead' and job.kind = 'wecom.event' and event.state = 'received' limit ${BATCH}`,
  )
  if (buried.length === 0) return 0
  return change(
    tx.em,
    `update wecom_event set state = 'failed', done_at_ms = ? where state = 'received' and id in (${buried.map(() => '?').join(',')})`,
    [tx.clock.now(), ...buried.map(({ id }) => id)],
  )
}

/** The job of a callback is named by its id. */
const KEY = 'wecom.event:'
