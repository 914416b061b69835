import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { finishCampaign } from '../campaign/run-campaign.ts'
import { readOrder } from '../order/read-order.ts'
import { readDeliveryCounts } from './read-deliveries.ts'

/**
 * Finishes a campaign when its order is issued and nobody's message is pending. Asked after each recorded batch, in a
 * transaction of its own: of two batches that end at once, the later one sees both.
 */
export async function finishDelivered(edge: Edge, campaignId: Id<'campaign'>): Promise<void> {
  const over = await edge.tx(async (tx) => {
    const campaign = await readCampaign(tx, campaignId)
    if (!campaign?.orderId || campaign.state !== 'running') return false
    const order = await readOrder(tx, campaign.orderId)
    if (order?.state !== 'issued' && order?.state !== 'closed') return false
    const counts = await readDeliveryCounts(tx, campaignId)
    return counts.pending === 0 && (await finishCampaign(tx, campaignId))
  })
  if (over) edge.log.info({ campaignId }, 'campaign finished')
}
