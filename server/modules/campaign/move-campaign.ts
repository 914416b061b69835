import { campaignMoves, type CampaignState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { releaseBudget } from '../wallet/release-budget.ts'
import { readCampaign } from './read-campaign.ts'
import type { CampaignRow } from './tables.ts'

/**
 * Moves a campaign on from exactly what the caller read: `state_conflict` when it left that state, `content_changed`
 * when somebody changed it meanwhile. The caller's transaction rolls back in both cases. Returns it as it stands now.
 * A campaign that is a draft again, sent back or given up holds nothing of any budget any more.
 */
export async function moveCampaign(
  tx: Tx,
  seen: CampaignRow,
  to: CampaignState,
  set: Readonly<Record<string, string | number | Buffer | null>> = {},
): Promise<CampaignRow> {
  const more = { ...set, changed_at_ms: tx.clock.now() }
  const step = { table: 'campaign', id: seen.id, from: seen.state, to, moves: campaignMoves, set: more }
  if (!campaignMoves[seen.state].includes(to as never) || !(await move(tx, step))) refuse('state_conflict')
  // The row is ours until the commit: had anybody written between our read and our move, its version tells.
  const now = await readCampaign(tx, seen.id)
  if (now?.version !== seen.version + 1) refuse('content_changed')
  if (to === 'draft' || to === 'rejected' || to === 'cancelled') await releaseBudget(tx, seen.id)
  await tellApprovers(tx, seen, now)
  return now
}

/** Whoever approves has a card in WeCom: with the review it is sent, with its end it is closed. */
async function tellApprovers(tx: Tx, before: CampaignRow, now: CampaignRow): Promise<void> {
  const args = { campaignId: now.id }
  const job = (kind: string) => ({ kind, key: `${kind}:${now.id}:${now.version}`, args })
  if (before.state === 'in_review') await enqueue(tx, [job('approval.close')])
  if (now.state === 'in_review') await enqueue(tx, [job('approval.ask')])
}
