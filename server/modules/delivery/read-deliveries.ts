import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import type { DeliveryState } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

export interface DeliveryFigures {
  /** The approved heads whose message neither left nor failed, those without a plan yet included. */
  readonly pending: number
  /** Accepted by WeCom; those that were opened included. */
  readonly sent: number
  readonly failed: number
  readonly opened: number
  /** Messages beyond the first of a person who has one. */
  readonly repeats: number
  readonly heads: number
}
const nothing: DeliveryFigures = { pending: 0, sent: 0, failed: 0, opened: 0, repeats: 0, heads: 0 }

/** The counts of one campaign: pending + sent + failed are its approved heads, at every moment. */
export async function readDeliveryCounts(tx: Tx, campaignId: Id<'campaign'>): Promise<DeliveryFigures> {
  return (await readManyCounts(tx, [campaignId])).get(campaignId) ?? nothing
}

/** The counts of many campaigns by one query; a campaign that does not exist is not in the answer. */
export async function readManyCounts(
  tx: Tx,
  campaignIds: readonly Id<'campaign'>[],
): Promise<Map<Id<'campaign'>, DeliveryFigures>> {
  if (campaignIds.length === 0) return new Map()
  const rows = await sql<
    { id: Id<'campaign'>; heads: unknown } & Record<'sent' | 'failed' | 'opened' | 'more', unknown>
  >(
    tx.em,
    `select campaign.id as id, max(campaign.heads) as heads,
        sum(case when delivery.state in ('sent', 'opened', 'claimed') then 1 else 0 end) as sent,
        sum(case when delivery.state in ('failed', 'revoked') then 1 else 0 end) as failed,
        sum(case when delivery.state in ('opened', 'claimed') then 1 else 0 end) as opened,
        sum(case when delivery.state in ('sent', 'opened', 'claimed') and delivery.attempts > 1
          then delivery.attempts - 1 else 0 end) as more
      from campaign left join delivery on delivery.campaign_id = campaign.id
      where campaign.id in (${campaignIds.map(() => '?').join(',')}) group by campaign.id`,
    campaignIds,
  )
  return new Map(
    rows.map((row) => {
      const [heads, sent, failed] = [readSum(row.heads), readSum(row.sent), readSum(row.failed)]
      const figures = { heads, sent, failed, pending: heads - sent - failed }
      return [row.id, { ...figures, opened: readSum(row.opened), repeats: readSum(row.more) }]
    }),
  )
}

/** How many failed for which reason, most first. */
export async function readFailures(tx: Tx, campaignId: Id<'campaign'>) {
  const rows = await sql<{ reason: DeliveryReason; count: unknown }>(
    tx.em,
    "select reason, count(*) as count from delivery where campaign_id = ? and state = 'failed' group by reason order by count(*) desc, reason",
    [campaignId],
  )
  return rows.map((row) => ({ reason: row.reason, count: readSum(row.count) }))
}

export interface DeliveryFilter {
  readonly campaignId: Id<'campaign'>
  readonly state?: 'pending' | 'sent' | 'opened' | 'failed' | undefined
  readonly reason?: DeliveryReason | undefined
  readonly personIds?: readonly Id<'person'>[] | undefined
  /** The place in the order after which the page begins. */
  readonly afterSeq?: number | undefined
  readonly limit: number
}
export interface Recipient {
  readonly seq: number
  readonly personId: Id<'person'>
  readonly deliveryId: Id<'delivery'> | null
  readonly faceFen: number
  readonly state: DeliveryState
  readonly reason: DeliveryReason | null
  readonly sentAtMs: number | null
  readonly openedAtMs: number | null
}
const statesOf = {
  pending: "(delivery.state is null or delivery.state in ('planned', 'sending'))",
  sent: "delivery.state in ('sent', 'opened', 'claimed')",
  opened: "delivery.state in ('opened', 'claimed')",
  failed: "delivery.state in ('failed', 'revoked')",
} as const

/** One page of the people of a campaign, in the order of its list, with what they get and what became of the message. */
export async function readRecipients(tx: Tx, filter: DeliveryFilter): Promise<Recipient[]> {
  if (filter.personIds?.length === 0) return []
  const where = ['campaign.id = ?', 'item.seq > ?']
  const values: unknown[] = [filter.campaignId, filter.afterSeq ?? -1]
  if (filter.state) where.push(statesOf[filter.state])
  if (filter.reason) {
    where.push('delivery.reason = ?')
    values.push(filter.reason)
  }
  if (filter.personIds) {
    where.push(`item.holder_id in (${filter.personIds.map(() => '?').join(',')})`)
    values.push(...filter.personIds)
  }
  const rows = await sql<Record<keyof Recipient, unknown>>(
    tx.em,
    `select item.seq as seq, item.holder_id as personId, item.face_fen as faceFen, delivery.id as deliveryId,
        coalesce(delivery.state, 'planned') as state, delivery.reason as reason,
        delivery.sent_at_ms as sentAtMs, delivery.opened_at_ms as openedAtMs
      from campaign join order_item item on item.order_id = campaign.order_id
      left join delivery on delivery.campaign_id = campaign.id and delivery.person_id = item.holder_id
      where ${where.join(' and ')} order by item.seq limit ?`,
    [...values, filter.limit],
  )
  const instant = (value: unknown) => (value === null ? null : readSum(value))
  return rows.map((row) => ({
    seq: readSum(row.seq),
    personId: row.personId as Id<'person'>,
    deliveryId: row.deliveryId as Id<'delivery'> | null,
    faceFen: readSum(row.faceFen),
    state: row.state as DeliveryState,
    reason: row.reason as DeliveryReason | null,
    sentAtMs: instant(row.sentAtMs),
    openedAtMs: instant(row.openedAtMs),
  }))
}
