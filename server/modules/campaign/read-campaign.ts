import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { openCampaign } from './seal-words.ts'
import { Campaign, type CampaignRow } from './tables.ts'

/** The campaign, or null. For the house itself; an id from outside goes through `findOwnCampaign`. */
export async function readCampaign(tx: Tx, id: Id<'campaign'>): Promise<CampaignRow | null> {
  const row = await tx.em.findOne(Campaign, { id }, { disableIdentityMap: true })
  return row && openCampaign(tx, row)
}

/** The campaign whose approval placed this order; null for an order of another origin. */
export async function readCampaignByOrder(tx: Tx, orderId: Id<'order'>): Promise<CampaignRow | null> {
  const row = await tx.em.findOne(Campaign, { orderId }, { disableIdentityMap: true })
  return row && openCampaign(tx, row)
}

/** A campaign of the actor's company; anything else is 404. */
export const findOwnCampaign = async (tx: Tx, id: Id<'campaign'>): Promise<CampaignRow> =>
  openCampaign(tx, await findOwn(tx, Campaign, id))
