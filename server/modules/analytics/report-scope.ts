import type { CampaignState } from '../../../contract/states.ts'
import { reportLimits, type ReportWish } from '../../../contract/hr/report.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays, daysBetween } from '../../../contract/wall-clock.ts'
import { readSum } from '../../kernel/columns.ts'
import { startOfDay } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { companyToday } from '../campaign/read-recurring.ts'

/** A campaign whose cards a report may count. */
export interface ReportCampaign {
  readonly id: Id<'campaign'>
  readonly title: string
  readonly state: CampaignState
  readonly orderId: Id<'order'>
  readonly approvedAtMs: number
  /** Money that arrived and did not go back before it became cards. */
  readonly fundedFen: number
  readonly heads: number
}

/** What a report is asked for, as it was understood at one instant. */
export interface ReportScope {
  readonly companyId: Id<'company'>
  readonly fromDay: string
  readonly toDay: string
  /** The first instant of the first day, and the first after the last. */
  readonly fromMs: number
  readonly toMs: number
  readonly timeZone: string
  readonly asOfMs: number
  readonly campaignId: Id<'campaign'> | null
  readonly department: string | null
  /** Newest first. */
  readonly campaigns: readonly ReportCampaign[]
  /** All campaigns that could be chosen in these days. */
  readonly choices: readonly ReportCampaign[]
}

/**
 * Reads a wish for a report of the actor's company. Refuses with `not_found` for another company's campaign, with
 * `malformed_request` where the days are reversed or one of them is missing, and with `report_too_wide` beyond
 * `reportLimits`.
 */
export async function readReportScope(tx: Tx, wish: ReportWish): Promise<ReportScope> {
  const companyId = companyOf(tx.actor)
  const { day: today, timeZone } = await companyToday(tx, companyId)
  const { fromDay, toDay } = daysOf(wish, today)
  const [fromMs, toMs] = [startOfDay(fromDay, timeZone), startOfDay(addDays(toDay, 1), timeZone)]
  if (wish.campaignId !== undefined) await findOwnCampaign(tx, wish.campaignId)
  const choices = await readReportCampaigns(tx, companyId, { fromMs, toMs })
  const campaigns = choices.filter(({ id }) => wish.campaignId === undefined || id === wish.campaignId)
  const heads = campaigns.reduce((sum, campaign) => sum + campaign.heads, 0)
  if (choices.length > reportLimits.campaigns || heads > reportLimits.heads)
    refuse('report_too_wide', { field: 'fromDay' })
  return {
    companyId,
    fromDay,
    toDay,
    fromMs,
    toMs,
    timeZone,
    campaigns,
    choices,
    asOfMs: tx.clock.now(),
    campaignId: wish.campaignId ?? null,
    department: wish.department ?? null,
  }
}

function daysOf({ fromDay, toDay }: ReportWish, today: string): { readonly fromDay: string; readonly toDay: string } {
  if (fromDay === undefined && toDay === undefined) return { fromDay: twelveMonthsBefore(today), toDay: today }
  if (fromDay === undefined) return refuse('malformed_request', { field: 'fromDay' })
  if (toDay === undefined || toDay < fromDay) return refuse('malformed_request', { field: 'toDay' })
  if (daysBetween(fromDay, toDay) >= reportLimits.days) refuse('report_too_wide', { field: 'fromDay' })
  return { fromDay, toDay }
}

/** The first day of the month eleven months before a day's. */
function twelveMonthsBefore(day: string): string {
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))]
  return month === 12 ? `${year}-01-01` : `${year - 1}-${String(month + 1).padStart(2, '0')}-01`
}

/**
 * The approved campaigns of a company whose order was placed in a span, or before it with cards made in it, newest first.
 * The company's campaigns are read by their index, and what belongs to each by its key: `coalesce` keeps the database from
 * beginning anywhere else.
 */
async function readReportCampaigns(
  tx: Tx,
  companyId: Id<'company'>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<ReportCampaign[]> {
  const rows = await sql<Record<keyof ReportCampaign, unknown>>(
    tx.em,
    `select campaign.id as id, campaign.title as title, campaign.state as state, campaign.order_id as orderId,
        campaign.heads as heads, orders.created_at_ms as approvedAtMs, orders.secured_fen - orders.returned_fen as fundedFen
      from campaign left join orders on orders.id = campaign.order_id
      where campaign.company_id = ? and campaign.state in ('approved', 'running', 'finished')
        and coalesce(orders.state, 'placing') not in ('placing', 'cancelled')
        and coalesce(orders.created_at_ms, 0) < ?
        and (coalesce(orders.created_at_ms, 0) >= ? or coalesce((select max(order_slice.issued_at_ms) from order_slice
          where order_slice.order_id = campaign.order_id), 0) >= ?)
      order by campaign.id desc limit ?`,
    [companyId, toMs, fromMs, fromMs, reportLimits.campaigns + 1],
  )
  return rows.map((row) => ({
    id: row.id as Id<'campaign'>,
    title: row.title as string,
    state: row.state as CampaignState,
    orderId: row.orderId as Id<'order'>,
    approvedAtMs: readSum(row.approvedAtMs),
    fundedFen: readSum(row.fundedFen),
    heads: readSum(row.heads),
  }))
}
