import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { memberOf } from '../../kernel/tenant.ts'
import { readVersions } from '../catalog/read-template.ts'
import { fromToday, moveRecurring } from './move-recurring.ts'
import { contentOfRun, findOwnRecurring } from './read-recurring.ts'
import { hashRun, runBlocks } from './recurring-rules.ts'
import type { RecurringRow } from './tables.ts'

/** What a person has in front of them when they decide on a run. */
export interface SeenRun {
  readonly id: Id<'recurring'>
  readonly contentHash: string
}

/**
 * Approves a run as the person saw it: from the company's today on it makes each day's campaign by itself. Refuses with
 * `maker_is_checker` for whoever made, changed or submitted it, `content_changed` when what was submitted and what was
 * seen are not one, `state_conflict` when it is not in review, or the code of a block. A repeat changes nothing.
 */
export async function approveRecurring(tx: Tx, seen: SeenRun): Promise<RecurringRow> {
  const run = await findOwnRecurring(tx, seen.id)
  const member = memberOf(tx.actor)
  if (run.state === 'active' && run.decidedBy === member && run.contentHash === seen.contentHash) return run
  if (await isRunMaker(tx, run, member)) refuse('maker_is_checker')
  if (run.state !== 'in_review') refuse('state_conflict')
  const hash = await soundHash(tx, run)
  if (hash !== seen.contentHash || hash !== run.contentHash) refuse('content_changed')
  const active = await moveRecurring(tx, run, 'active', {
    decided_by: member,
    decided_at_ms: tx.clock.now(),
    next_day: await fromToday(tx, run),
  })
  const key = `recurring.run:${run.id}:${active.version}`
  await enqueue(tx, [{ kind: 'recurring.run', key, args: { recurringId: run.id } }])
  return active
}

/**
 * Gives a draft to the approvers. Refuses with `content_changed` when what stands now is not what the person saw, and
 * with the code of the first block otherwise. The same person's repeat changes nothing.
 */
export async function submitRecurring(tx: Tx, seen: SeenRun): Promise<RecurringRow> {
  const run = await findOwnRecurring(tx, seen.id)
  const member = memberOf(tx.actor)
  if (run.state === 'in_review' && run.submittedBy === member && run.contentHash === seen.contentHash) return run
  if (run.state !== 'draft') refuse('state_conflict')
  const hash = await soundHash(tx, run)
  if (hash !== seen.contentHash) refuse('content_changed')
  return moveRecurring(tx, run, 'in_review', { content_hash: hash, submitted_by: member })
}

/** The fingerprint of what a run says now; refuses with the code of the first thing that keeps it from going on. */
async function soundHash(tx: Tx, run: RecurringRow): Promise<string> {
  const content = contentOfRun(run)
  const [version] = await readVersions(tx, [content.templateVersionId])
  if (version === undefined) throw new Error(`run ${run.id} has no template version`)
  const [block] = runBlocks(content, version)
  if (block !== undefined) refuse(block.code, { field: block.field })
  return hashRun(run.id, content)
}

/** Made, changed or submitted it: the trail knows, whatever the row says now. */
async function isRunMaker(tx: Tx, run: RecurringRow, member: Id<'member'>): Promise<boolean> {
  if (run.createdBy === member || run.submittedBy === member) return true
  const acts = await sql<{ id: string }>(
    tx.em,
    "select id from trail where object_id = ? and actor = ? and act in ('recurring.created', 'recurring.edited', 'recurring.in_review') limit 1",
    [run.id, member],
  )
  return acts.length > 0
}
