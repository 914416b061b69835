import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { DeliveryCounts } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { CardState, DeliveryState } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import type { WaitsFor } from './send-limits.ts'
import type { DeliveryBatchRow } from './tables.ts'

/** See `DeliveryCounts`; `repeats` are messages beyond the first of a person who has one. */
export interface DeliveryFigures extends DeliveryCounts {
  readonly repeats: number
  readonly heads: number
}
/** The counts of a campaign that has no heads yet. */
export const noDeliveries: DeliveryFigures = {
  heads: 0,
  pending: 0,
  carried: 0,
  sent: 0,
  opened: 0,
  claimed: 0,
  failed: 0,
  revoked: 0,
  repeats: 0,
}

/** The counts of one campaign: pending + sent + failed + revoked are its approved heads, at every moment. */
export async function readDeliveryCounts(tx: Tx, campaignId: Id<'campaign'>): Promise<DeliveryFigures> {
  return (await readManyCounts(tx, [campaignId])).get(campaignId) ?? noDeliveries
}

/** The counts of many campaigns, by four queries however many; one that does not exist is not in the answer. */
export async function readManyCounts(
  tx: Tx,
  campaignIds: readonly Id<'campaign'>[],
): Promise<Map<Id<'campaign'>, DeliveryFigures>> {
  if (campaignIds.length === 0) return new Map()
  const slots = campaignIds.map(() => '?').join(',')
  const heads = await sql<{ id: Id<'campaign'>; count: unknown }>(
    tx.em,
    `select id, heads as count from campaign where id in (${slots})`,
    campaignIds,
  )
  // These read an index alone: a page looks here twice a second while 200,000 messages go out.
  const states = await sql<{ id: string; state: DeliveryState; count: unknown }>(
    tx.em,
    `select campaign_id as id, state, count(*) as count from delivery where campaign_id in (${slots}) group by campaign_id, state`,
    campaignIds,
  )
  const repeats = await sql<{ id: string; count: unknown }>(
    tx.em,
    `select campaign_id as id, sum(attempts - 1) as count from delivery
      where campaign_id in (${slots}) and attempts > 1 and state in ('sent', 'opened', 'claimed') group by campaign_id`,
    campaignIds,
  )
  const waiting = await sql<{ id: string; count: unknown }>(
    tx.em,
    `select campaign_id as id, count(*) as count from delivery
      where campaign_id in (${slots}) and waits_until_ms is not null group by campaign_id`,
    campaignIds,
  )
  return new Map(
    heads.map(({ id, count }) => {
      const of = (...names: DeliveryState[]) =>
        total(states.filter((row) => row.id === id && names.includes(row.state)))
      const [all, sent, failed, revoked] = [
        readSum(count),
        of('sent', 'opened', 'claimed'),
        of('failed'),
        of('revoked'),
      ]
      const figures = {
        heads: all,
        pending: all - sent - failed - revoked,
        carried: total(waiting.filter((row) => row.id === id)),
        sent,
        opened: of('opened', 'claimed'),
        claimed: of('claimed'),
        failed,
        revoked,
        repeats: total(repeats.filter((row) => row.id === id)),
      }
      return [id, figures]
    }),
  )
}

const total = (rows: readonly { readonly count: unknown }[]): number =>
  rows.reduce((sum, row) => sum + readSum(row.count), 0)

/** Whether somebody's message has been planned and has no outcome yet. */
export async function isAnyUnderWay(tx: Tx, campaignId: Id<'campaign'>): Promise<boolean> {
  const rows = await sql(
    tx.em,
    "select 1 from delivery where campaign_id = ? and state in ('planned', 'sending') limit 1",
    [campaignId],
  )
  return rows.length > 0
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

/** Who waits for which limit of WeCom, and until when. */
export async function readCarried(tx: Tx, campaignId: Id<'campaign'>) {
  const rows = await sql<{ limitedBy: WaitsFor; untilMs: unknown; people: unknown }>(
    tx.em,
    `select waits_for as limitedBy, waits_until_ms as untilMs, count(*) as people from delivery
      where campaign_id = ? and waits_until_ms is not null group by waits_until_ms, waits_for
      order by waits_until_ms, waits_for`,
    [campaignId],
  )
  return rows.map((row) => ({ ...row, untilMs: readSum(row.untilMs), people: readSum(row.people) }))
}

/** Calls of a campaign that were asked back, oldest first, and what became of each. */
export async function readRecalls(tx: Tx, campaignId: Id<'campaign'>) {
  const rows = await sql<{ people: unknown; atMs: unknown; state: RecallState }>(
    tx.em,
    `select people, coalesce(first_call_at_ms, created_at_ms) as atMs, recall_state as state from delivery_batch
      where campaign_id = ? and recall_state is not null and state = 'sent' order by id`,
    [campaignId],
  )
  return rows.map((row) => ({
    people: readSum(row.people),
    sentAtMs: readSum(row.atMs),
    state: row.state === 'calling' ? ('asked' as const) : row.state,
  }))
}
type RecallState = NonNullable<DeliveryBatchRow['recallState']>

export interface DeliveryFilter {
  readonly campaignId: Id<'campaign'>
  readonly state?: 'pending' | 'sent' | 'opened' | 'claimed' | 'failed' | 'revoked' | undefined
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
  /** Null: it is not made yet. */
  readonly cardId: Id<'card'> | null
  readonly cardState: CardState | null
  readonly state: DeliveryState
  readonly reason: DeliveryReason | null
  readonly sentAtMs: number | null
  readonly openedAtMs: number | null
  readonly claimedAtMs: number | null
  readonly waitsUntilMs: number | null
}
const statesOf = {
  pending: "(delivery.state is null or delivery.state in ('planned', 'sending'))",
  sent: "delivery.state in ('sent', 'opened', 'claimed')",
  opened: "delivery.state in ('opened', 'claimed')",
  claimed: "delivery.state = 'claimed'",
  failed: "delivery.state = 'failed'",
  revoked: "delivery.state = 'revoked'",
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
    `select item.seq as seq, item.holder_id as personId, item.face_fen as faceFen, card.id as cardId,
        card.state as cardState, delivery.id as deliveryId,
        coalesce(delivery.state, 'planned') as state, delivery.reason as reason,
        delivery.sent_at_ms as sentAtMs, delivery.opened_at_ms as openedAtMs,
        delivery.claimed_at_ms as claimedAtMs, delivery.waits_until_ms as waitsUntilMs
      from campaign join order_item item on item.order_id = campaign.order_id
      left join card on card.order_item_id = item.id
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
    cardId: row.cardId as Id<'card'> | null,
    cardState: row.cardState as CardState | null,
    state: row.state as DeliveryState,
    reason: row.reason as DeliveryReason | null,
    sentAtMs: instant(row.sentAtMs),
    openedAtMs: instant(row.openedAtMs),
    claimedAtMs: instant(row.claimedAtMs),
    waitsUntilMs: instant(row.waitsUntilMs),
  }))
}
