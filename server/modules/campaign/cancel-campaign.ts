import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { cancelOrder } from '../order/cancel-order.ts'
import { moveCampaign } from './move-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import type { CampaignRow } from './tables.ts'

/**
 * Gives a campaign up, and with it an order that has no money yet. `state_conflict` once money has arrived or cards
 * are made: then there is something to give back first.
 */
export async function cancelCampaign(tx: Tx, id: Id<'campaign'>): Promise<CampaignRow> {
  const campaign = await findOwnCampaign(tx, id)
  if (campaign.orderId && !(await cancelOrder(tx, campaign.orderId))) refuse('state_conflict')
  return moveCampaign(tx, campaign, 'cancelled')
}
