import type { CampaignContent } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { checkReferences } from './create-campaign.ts'
import { moveCampaign } from './move-campaign.ts'
import { findOwnCampaign, readCampaign } from './read-campaign.ts'
import { sealGreeting } from './seal-words.ts'
import type { CampaignRow } from './tables.ts'

/**
 * Replaces what a campaign says, from the version that the person saw (`content_changed` otherwise). One that was in
 * review or sent back is a draft again and must be submitted anew: its hash is void. Later states: `state_conflict`.
 */
export async function editCampaign(
  tx: Tx,
  edit: { readonly id: Id<'campaign'>; readonly version: number; readonly content: CampaignContent },
): Promise<CampaignRow> {
  const seen = await findOwnCampaign(tx, edit.id)
  // What a run made is what was approved with it: it is approved or given up as it is.
  if (seen.recurringId) refuse('state_conflict')
  if (seen.version !== edit.version) refuse('content_changed')
  await checkReferences(tx, edit.content)
  const draft = seen.state === 'draft' ? seen : await moveCampaign(tx, seen, 'draft')
  const { selection, ...words } = edit.content
  const columns = {
    title: words.title,
    occasion: words.occasion,
    cover: words.cover,
    template_version_id: words.templateVersionId,
    roster_id: words.rosterId,
    selection: JSON.stringify(selection),
    amount_from: words.amountFrom,
    face_fen: words.faceFen,
    greeting_sealed: sealGreeting(tx, edit.id, words.greeting),
    send_at_ms: words.sendAtMs,
    content_hash: null,
    heads: null,
    face_total_fen: null,
    price_total_fen: null,
    submitted_by: null,
    changed_at_ms: tx.clock.now(),
  }
  const sets = Object.keys(columns).map((column) => `${column} = ?`)
  const changed = await change(
    tx.em,
    `update campaign set version = version + 1, ${sets.join(', ')} where id = ? and state = 'draft' and version = ?`,
    [...Object.values(columns), edit.id, draft.version],
  )
  if (changed !== 1) refuse('content_changed')
  await trail(tx, { objectId: edit.id, act: 'campaign.edited' })
  return (await readCampaign(tx, edit.id)) ?? refuse('not_found')
}
