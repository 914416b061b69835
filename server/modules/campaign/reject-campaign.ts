import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { memberOf } from '../../kernel/tenant.ts'
import { moveCampaign } from './move-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import { sealWord } from './seal-words.ts'
import type { CampaignRow } from './tables.ts'

/** Sends a campaign in review back to its maker, with a word. `state_conflict` when it is not in review. */
export async function rejectCampaign(
  tx: Tx,
  decision: { readonly id: Id<'campaign'>; readonly word: string },
): Promise<CampaignRow> {
  const campaign = await findOwnCampaign(tx, decision.id)
  if (campaign.state !== 'in_review') refuse('state_conflict')
  return moveCampaign(tx, campaign, 'rejected', {
    word_sealed: sealWord(tx, campaign.id, decision.word),
    decided_by: memberOf(tx.actor),
    decided_at_ms: tx.clock.now(),
  })
}
