import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { memberOf } from '../../kernel/tenant.ts'
import { holdBudgetsOf, refuseShort } from './hold-budgets-of.ts'
import { moveCampaign } from './move-campaign.ts'
import { planCampaign, type Plan } from './plan-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import type { CampaignRow } from './tables.ts'

/** What a person has in front of them when they decide. */
export interface Seen {
  readonly id: Id<'campaign'>
  readonly contentHash: string
}

/**
 * Gives a draft to the approvers. Refuses with `content_changed` when what stands now is not what the person saw, and
 * with the code of the first block otherwise. What it costs is held of the budgets of the departments that have one:
 * `budget_exceeded` where one does not cover it. The same person's repeat changes nothing.
 */
export async function submitCampaign(tx: Tx, seen: Seen): Promise<CampaignRow> {
  const campaign = await findOwnCampaign(tx, seen.id)
  const member = memberOf(tx.actor)
  const repeated = campaign.state === 'in_review' && campaign.submittedBy === member
  if (repeated && campaign.contentHash === seen.contentHash) return campaign
  if (campaign.state !== 'draft') refuse('state_conflict')
  const plan = await planCampaign(tx, campaign)
  if (plan.contentHash !== seen.contentHash) refuse('content_changed')
  refuseBlocked(plan)
  const submitted = await moveCampaign(tx, campaign, 'in_review', {
    content_hash: plan.contentHash,
    heads: plan.heads.length,
    face_total_fen: plan.faceTotalFen,
    price_total_fen: plan.priceTotalFen,
    submitted_by: member,
    decided_by: null,
    decided_at_ms: null,
    word_sealed: null,
  })
  refuseShort(await holdBudgetsOf(tx, campaign, plan))
  return submitted
}

/** Throws the refusal of the first thing that keeps a campaign from going on. */
export function refuseBlocked(plan: Plan): void {
  const [first] = plan.blocks
  if (first !== undefined) refuse(first.code, { field: first.field })
}
