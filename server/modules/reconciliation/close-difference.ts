import type { Id } from '../../../contract/ids.ts'
import { differenceMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'

const place = (rowId: string) => ({ table: 'bill_difference', column: 'note_sealed', rowId })

/**
 * Closes a difference with what somebody found out. Refuses with `not_found`, and `state_conflict` when it was closed
 * before.
 */
export async function closeDifference(tx: Tx, id: Id<'billDifference'>, note: string): Promise<void> {
  const set = {
    note_sealed: tx.house.seal.seal(place(id), note),
    closed_by: actorName(tx.actor),
    closed_at_ms: tx.clock.now(),
  }
  const step = { table: 'bill_difference', id, from: 'open', to: 'closed', moves: differenceMoves, set }
  if (!(await move(tx, step))) refuse('state_conflict')
}

/** Whoever asks looks after an open difference from now on. Refuses with `state_conflict` for a closed one. */
export async function takeDifference(tx: Tx, id: Id<'billDifference'>): Promise<void> {
  if (tx.actor.kind !== 'operator') refuse('forbidden')
  const taken = await change(
    tx.em,
    "update bill_difference set owner_id = ?, version = version + 1 where id = ? and state = 'open'",
    [tx.actor.operatorId, id],
  )
  if (taken !== 1) refuse('state_conflict')
  await trail(tx, { objectId: id, act: 'bill_difference.taken' })
}

/** What was written when a difference was closed. */
export const openNote = (tx: Tx, id: Id<'billDifference'>, sealed: Uint8Array): string =>
  tx.house.seal.open(place(id), Buffer.from(sealed))
