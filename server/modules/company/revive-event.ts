import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { revive } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'

/** Has a callback worked again whose job was given up. False when it was not, or is forgotten by now. */
export async function reviveEvent(tx: Tx, id: Id<'wecomEvent'>): Promise<boolean> {
  const [job] = await sql<{ id: string }>(tx.em, 'select id from job where job_key = ?', [`wecom.event:${id}`])
  if (job === undefined || !(await revive(tx, job.id))) return false
  await change(
    tx.em,
    "update wecom_event set state = 'received', done_at_ms = null where id = ? and state = 'failed'",
    [id],
  )
  return true
}
