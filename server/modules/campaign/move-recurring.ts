import type { Id } from '../../../contract/ids.ts'
import { recurringMoves, type RecurringState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { companyToday, findOwnRecurring, readRecurring } from './read-recurring.ts'
import type { RecurringRow } from './tables.ts'

/**
 * Moves a run on from exactly what the caller read: `state_conflict` when it left that state, `content_changed` when
 * somebody changed it meanwhile. The caller's transaction rolls back in both cases. Returns it as it stands now.
 */
export async function moveRecurring(
  tx: Tx,
  seen: RecurringRow,
  to: RecurringState,
  set: Readonly<Record<string, string | number | Buffer | null>> = {},
): Promise<RecurringRow> {
  const more = { ...set, changed_at_ms: tx.clock.now() }
  const step = { table: 'recurring', id: seen.id, from: seen.state, to, moves: recurringMoves, set: more }
  if (!recurringMoves[seen.state].includes(to as never) || !(await move(tx, step))) refuse('state_conflict')
  const now = await readRecurring(tx, seen.id)
  if (now?.version !== seen.version + 1) refuse('content_changed')
  return now
}

/** active -> paused: days that come meanwhile are left out. */
export async function pauseRecurring(tx: Tx, id: Id<'recurring'>): Promise<RecurringRow> {
  return moveRecurring(tx, await findOwnRecurring(tx, id), 'paused')
}

/** paused -> active, from today on: what was approved still stands. */
export async function resumeRecurring(tx: Tx, id: Id<'recurring'>): Promise<RecurringRow> {
  const run = await findOwnRecurring(tx, id)
  if (run.state !== 'paused') refuse('state_conflict')
  return moveRecurring(tx, run, 'active', { next_day: await fromToday(tx, run) })
}

/** Ends a run for good; what it made goes on. */
export async function endRecurring(tx: Tx, id: Id<'recurring'>): Promise<RecurringRow> {
  return moveRecurring(tx, await findOwnRecurring(tx, id), 'ended')
}

/** in_review -> draft: sent back by an approver. */
export async function returnRecurring(tx: Tx, id: Id<'recurring'>): Promise<RecurringRow> {
  const run = await findOwnRecurring(tx, id)
  if (run.state !== 'in_review') refuse('state_conflict')
  return moveRecurring(tx, run, 'draft', { content_hash: null, submitted_by: null })
}

/** The day from which a run works: today, or later where it has done today. */
export async function fromToday(tx: Tx, run: RecurringRow): Promise<string> {
  const { day } = await companyToday(tx, run.companyId)
  return run.nextDay && run.nextDay > day ? run.nextDay : day
}
