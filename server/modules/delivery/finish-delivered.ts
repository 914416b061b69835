import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { finishCampaign } from '../campaign/run-campaign.ts'
import { readOrder } from '../order/read-order.ts'
import { isAnyUnderWay, readDeliveryCounts } from './read-deliveries.ts'

/**
 * Finishes a campaign when its order is issued and nobody's message is pending. Asked after each recorded batch, when
 * its transaction is over: of two batches that end at once, the later one sees both.
 */
export async function finishDelivered(edge: Edge, campaignId: Id<'campaign'>): Promise<void> {
  if (!(await edge.read((tx) => isDelivered(tx, campaignId)))) return
  const finished = await edge.tx((tx) => finishCampaign(tx, campaignId))
  if (finished) edge.log.info({ campaignId }, 'campaign finished')
}

async function isDelivered(tx: Tx, campaignId: Id<'campaign'>): Promise<boolean> {
  const campaign = await readCampaign(tx, campaignId)
  if (!campaign?.orderId || campaign.state !== 'running') return false
  const order = await readOrder(tx, campaign.orderId)
  if (order?.state !== 'issued' && order?.state !== 'closed') return false
  if (await isAnyUnderWay(tx, campaignId)) return false
  return (await readDeliveryCounts(tx, campaignId)).pending === 0
}
