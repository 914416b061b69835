import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'

/**
 * Ends a stored callback: `done`, or `unknown` when nobody here knows its kind. One that ended before is left as it is.
 */
export async function finishEvent(tx: Tx, id: Id<'wecomEvent'>, state: 'done' | 'unknown'): Promise<void> {
  await change(
    tx.em,
    "update wecom_event set state = ?, done_at_ms = ? where id = ? and state in ('received', 'failed')",
    [state, tx.clock.now(), id],
  )
}
