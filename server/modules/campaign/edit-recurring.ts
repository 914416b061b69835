import type { RecurringContent } from '../../../contract/hr/recurring.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { settledContent } from './create-recurring.ts'
import { moveRecurring } from './move-recurring.ts'
import { findOwnRecurring, readRecurring } from './read-recurring.ts'
import { sealRunGreeting } from './seal-words.ts'
import type { RecurringRow } from './tables.ts'

/**
 * Replaces what a run says, from the version that the person saw (`content_changed` otherwise). Whatever it was, it is a
 * draft again and makes nothing until it is approved anew. One that has ended: `state_conflict`.
 */
export async function editRecurring(
  tx: Tx,
  edit: { readonly id: Id<'recurring'>; readonly version: number; readonly content: RecurringContent },
): Promise<RecurringRow> {
  const seen = await findOwnRecurring(tx, edit.id)
  if (seen.version !== edit.version) refuse('content_changed')
  const { greeting, ...words } = await settledContent(tx, edit.content)
  const draft = seen.state === 'draft' ? seen : await moveRecurring(tx, seen, 'draft')
  const columns = {
    kind: words.kind,
    title: words.title,
    cover: words.cover,
    template_version_id: words.templateVersionId,
    face_fen: words.faceFen,
    per_year_fen: words.perYearFen,
    greeting_sealed: sealRunGreeting(tx, edit.id, greeting),
    send_at_minute: words.sendAtMinute,
    monthly_limit_fen: words.monthlyLimitFen,
    content_hash: null,
    submitted_by: null,
    decided_by: null,
    decided_at_ms: null,
    changed_at_ms: tx.clock.now(),
  }
  const sets = Object.keys(columns).map((column) => `${column} = ?`)
  const changed = await change(
    tx.em,
    `update recurring set version = version + 1, ${sets.join(', ')} where id = ? and state = 'draft' and version = ?`,
    [...Object.values(columns), edit.id, draft.version],
  )
  if (changed !== 1) refuse('content_changed')
  await trail(tx, { objectId: edit.id, act: 'recurring.edited' })
  return (await readRecurring(tx, edit.id)) ?? refuse('not_found')
}
