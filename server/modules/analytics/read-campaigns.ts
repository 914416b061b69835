import { fen } from '../../../contract/fen.ts'
import { occasions, type CampaignSummary, type Stages } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { CampaignState } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { noDeliveries, readManyCounts } from '../delivery/read-deliveries.ts'

export interface CampaignFacts {
  readonly id: Id<'campaign'>
  readonly title: string
  readonly occasion: string
  readonly state: CampaignState
  readonly heads: number | null
  readonly faceTotalFen: unknown
  readonly priceTotalFen: unknown
  readonly createdAtMs: unknown
  readonly orderId: Id<'order'> | null
}
const columns = `id, title, occasion, state, heads, face_total_fen as faceTotalFen, price_total_fen as priceTotalFen,
  created_at_ms as createdAtMs, order_id as orderId`

/** One page of the company's campaigns, newest first, with where money, cards and messages stand. */
export async function readCampaigns(tx: Tx, page: { readonly cursor?: string | undefined; readonly limit: number }) {
  const after = page.cursor === undefined ? [] : [page.cursor]
  const rows = await sql<CampaignFacts>(
    tx.em,
    `select ${columns} from campaign where company_id = ? ${after.length > 0 ? 'and id < ?' : ''} order by id desc limit ?`,
    [companyOf(tx.actor), ...after, page.limit + 1],
  )
  const shown = rows.slice(0, page.limit)
  return {
    campaigns: await summarise(tx, shown),
    nextCursor: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null,
  }
}

/** The company's campaigns that are under way, newest first. */
export async function readRunning(tx: Tx, limit: number): Promise<CampaignSummary[]> {
  const rows = await sql<CampaignFacts>(
    tx.em,
    `select ${columns} from campaign where company_id = ? and state in ('approved', 'running') order by id desc limit ?`,
    [companyOf(tx.actor), limit],
  )
  return summarise(tx, rows)
}

async function summarise(tx: Tx, rows: readonly CampaignFacts[]): Promise<CampaignSummary[]> {
  const stages = await readStages(tx, rows)
  return rows.map((row) => ({
    ...row,
    occasion: occasions.find((one) => one === row.occasion) ?? 'other',
    faceTotalFen: row.faceTotalFen === null ? null : fen(readSum(row.faceTotalFen)),
    createdAtMs: readSum(row.createdAtMs),
    stages: stages.get(row.id) ?? null,
  }))
}

/** The stages, and the messages sent beyond the first of a person. */
export interface StagesAndRepeats extends Stages {
  readonly repeats: number
}

/** Where money, cards and messages of some campaigns stand: a few queries in all, however many campaigns. */
export async function readStages(
  tx: Tx,
  campaigns: readonly Pick<CampaignFacts, 'id' | 'orderId' | 'heads' | 'priceTotalFen'>[],
): Promise<Map<Id<'campaign'>, StagesAndRepeats>> {
  const ordered = campaigns.filter((campaign) => campaign.orderId !== null)
  if (ordered.length === 0) return new Map()
  const orders = await readOrders(
    tx,
    ordered.map((campaign) => campaign.orderId),
  )
  const counts = await readManyCounts(
    tx,
    ordered.map((campaign) => campaign.id),
  )
  return new Map(
    ordered.map((campaign) => {
      const order = orders.get(campaign.orderId)
      const figures = counts.get(campaign.id)
      const heads = campaign.heads ?? 0
      const { heads: _heads, repeats, ...delivery } = figures ?? { ...noDeliveries, pending: heads }
      // While its items are still being written, an order does not know its total yet.
      const totalFen = fen(readSum(campaign.priceTotalFen ?? order?.totalFen))
      const securedFen = fen(order?.securedFen ?? 0)
      return [campaign.id, { heads, totalFen, securedFen, issued: order?.issued ?? 0, delivery, repeats }]
    }),
  )
}

async function readOrders(tx: Tx, ids: readonly (string | null)[]) {
  // A slice is issued whole, in one transaction: its length is its cards.
  const rows = await sql<Record<'id', string> & Record<'total' | 'secured' | 'issued', unknown>>(
    tx.em,
    `select orders.id as id, max(orders.total_fen) as total, max(orders.secured_fen) as secured,
        sum(case when order_slice.state = 'issued' then order_slice.to_seq - order_slice.from_seq else 0 end) as issued
      from orders left join order_slice on order_slice.order_id = orders.id
      where orders.id in (${ids.map(() => '?').join(',')}) group by orders.id`,
    ids,
  )
  return new Map<string | null, { totalFen: number; securedFen: number; issued: number }>(
    rows.map((row) => [
      row.id,
      { totalFen: readSum(row.total), securedFen: readSum(row.secured), issued: readSum(row.issued) },
    ]),
  )
}

/** Which campaigns use which staff list, newest first; those that came to nothing are left out. */
export async function readRosterUses(tx: Tx) {
  return sql<{ rosterId: Id<'roster'>; campaignId: Id<'campaign'>; title: string }>(
    tx.em,
    `select roster_id as rosterId, id as campaignId, title from campaign
      where company_id = ? and roster_id is not null and state not in ('rejected', 'cancelled') order by id desc limit 500`,
    [companyOf(tx.actor)],
  )
}
