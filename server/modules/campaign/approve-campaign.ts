import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { memberOf } from '../../kernel/tenant.ts'
import { cancelOrder } from '../order/cancel-order.ts'
import { addOrderItems, beginOrder, completeOrder, placeOrder, type NewItem } from '../order/place-order.ts'
import { useBudgetsOf } from './hold-budgets-of.ts'
import { moveCampaign } from './move-campaign.ts'
import { planCampaign, type Plan } from './plan-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import { refuseBlocked, type Seen } from './submit-campaign.ts'
import type { CampaignRow } from './tables.ts'

/**
 * Approves what the person saw and places its order, exactly one whatever runs at once. Refuses with `maker_is_checker`
 * for whoever made, changed or submitted it (whatever their roles), `content_changed` when the submitted content, the
 * content now and the content seen are not one, `state_conflict` when it is not in review, or the code of a block;
 * `budget_exceeded` where it does not hold what a department's budget of today must give. What it holds becomes used.
 *
 * Up to 1,000 heads it is one transaction. A larger order is written slice by slice first, in a state that takes no
 * money, and becomes payable in the transaction that moves the campaign; a stop in between leaves the campaign in
 * review, and an order that nobody can pay.
 */
export async function approveCampaign(edge: Edge, seen: Seen): Promise<Id<'order'>> {
  const first = await edge.read((tx) => judge(tx, seen))
  if ('orderId' in first) return first.orderId
  const { campaign, plan } = first
  if (plan.heads.length <= limits.cardsPerSlice) return edge.tx((tx) => approveSmall(tx, seen))
  const orderId = await edge.tx((tx) => beginOrder(tx, campaign.companyId))
  try {
    await writeItems(edge, orderId, itemsOf(plan))
    return await edge.tx((tx) => approveWritten(tx, seen, orderId))
  } catch (error) {
    // Left as it is, nobody can pay it either: what went wrong first is what the person should hear of.
    await edge.tx((tx) => dropOrder(tx, orderId)).catch((err: unknown) => edge.log.warn({ orderId, err }, 'order left'))
    throw error
  }
}

type Judgement = { readonly orderId: Id<'order'> } | { readonly campaign: CampaignRow; readonly plan: Plan }

/** Whether this person may approve what they saw, from what the database says in this scope. */
async function judge(tx: Tx, seen: Seen): Promise<Judgement> {
  const campaign = await findOwnCampaign(tx, seen.id)
  const member = memberOf(tx.actor)
  // The same approver's repeat gets the same answer.
  const repeated = campaign.decidedBy === member && campaign.contentHash === seen.contentHash
  if (repeated && campaign.state !== 'cancelled' && campaign.orderId) return { orderId: campaign.orderId }
  if (await isMaker(tx, campaign, member)) refuse('maker_is_checker')
  if (campaign.state !== 'in_review') refuse('state_conflict')
  const plan = await planCampaign(tx, campaign)
  if (plan.contentHash !== seen.contentHash || plan.contentHash !== campaign.contentHash) refuse('content_changed')
  refuseBlocked(plan)
  return { campaign, plan }
}

/** Made, changed or submitted it: the trail knows, whatever the row says now. */
export async function isMaker(tx: Tx, campaign: CampaignRow, member: Id<'member'>): Promise<boolean> {
  if (campaign.createdBy === member || campaign.submittedBy === member) return true
  const acts = await sql<{ id: string }>(
    tx.em,
    "select id from trail where object_id = ? and actor = ? and act in ('campaign.created', 'campaign.edited', 'campaign.in_review') limit 1",
    [campaign.id, member],
  )
  return acts.length > 0
}

async function approveSmall(tx: Tx, seen: Seen): Promise<Id<'order'>> {
  const judged = await judge(tx, seen)
  if ('orderId' in judged) return judged.orderId
  const { campaign, plan } = judged
  const orderId = await placeOrder(tx, { companyId: campaign.companyId, items: itemsOf(plan) })
  await approveWith(tx, judged, orderId)
  return orderId
}

/** The large order stands; everything is judged once more, now with the transaction that decides. */
async function approveWritten(tx: Tx, seen: Seen, orderId: Id<'order'>): Promise<Id<'order'>> {
  const judged = await judge(tx, seen)
  if ('orderId' in judged) refuse('state_conflict')
  const { plan } = judged
  const promised = { itemCount: plan.heads.length, totalFen: plan.priceTotalFen }
  if (!(await completeOrder(tx, orderId, promised))) refuse('state_conflict')
  await approveWith(tx, judged, orderId)
  return orderId
}

async function approveWith(
  tx: Tx,
  { campaign, plan }: { readonly campaign: CampaignRow; readonly plan: Plan },
  orderId: Id<'order'>,
): Promise<void> {
  await moveCampaign(tx, campaign, 'approved', {
    order_id: orderId,
    heads: plan.heads.length,
    face_total_fen: plan.faceTotalFen,
    price_total_fen: plan.priceTotalFen,
    decided_by: memberOf(tx.actor),
    decided_at_ms: tx.clock.now(),
  })
  await useBudgetsOf(tx, campaign, plan)
}

/** One item of an order a head. */
export function itemsOf({
  heads,
  version,
}: Pick<Plan, 'heads'> & { readonly version: { readonly id: Id<'templateVersion'> } }): NewItem[] {
  return heads.map(({ personId, faceFen, priceFen }) => ({
    holderId: personId,
    templateVersionId: version.id,
    faceFen,
    priceFen,
  }))
}

async function writeItems(edge: Edge, orderId: Id<'order'>, items: readonly NewItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += limits.cardsPerSlice) {
    const slice = items.slice(from, from + limits.cardsPerSlice)
    if (!(await edge.tx((tx) => addOrderItems(tx, orderId, from, slice)))) refuse('state_conflict')
  }
}

/** Takes an order back that was written for nothing. Had the decision been committed after all, the order stays. */
async function dropOrder(tx: Tx, orderId: Id<'order'>): Promise<void> {
  const [used] = await sql<{ id: string }>(tx.em, 'select id from campaign where order_id = ?', [orderId])
  if (used === undefined) await cancelOrder(tx, orderId)
}
