import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import { instantOf } from '../../kernel/company-day.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { readVersions } from '../catalog/read-template.ts'
import { readCompany } from '../company/read-company.ts'
import { addOrderItems, beginOrder, completeOrder, placeOrder } from '../order/place-order.ts'
import { cancelOrder } from '../order/cancel-order.ts'
import { itemsOf } from './approve-campaign.ts'
import { holdBudgetsOf, useBudgetsOf } from './hold-budgets-of.ts'
import { moveCampaign } from './move-campaign.ts'
import { planCampaign, type Plan } from './plan-campaign.ts'
import { planRunDay } from './plan-run-day.ts'
import { readCampaign } from './read-campaign.ts'
import { companyToday, readRecurring, readSpent } from './read-recurring.ts'
import { MADE_UP_DAYS } from './recurring-rules.ts'
import { sealGreeting } from './seal-words.ts'
import { Campaign, type CampaignRow, type RecurringRow } from './tables.ts'

/**
 * Makes the campaigns of a run for every day of its company that has begun and was not looked at: days missed by more
 * than three are left out, with a line in the trail. Each day has one campaign at most, whatever stops this, runs at once
 * or comes again: the run's row says which day is next, and the campaign's unique key has the last word.
 */
export async function runRecurring(edge: Edge, id: Id<'recurring'>): Promise<void> {
  for (;;) {
    const day = await edge.tx((tx) => nextDayOf(tx, id))
    if (day === null) return
    const large = await edge.read((tx) => readLargePlan(tx, id, day))
    const orderId = large && (await writeLargeOrder(edge, large))
    if (!(await edge.tx((tx) => makeDay(tx, { id, day, orderId })))) return
  }
}

/** The day to look at next, not further back than may be made up for; null when there is none now. */
async function nextDayOf(tx: Tx, id: Id<'recurring'>): Promise<string | null> {
  const run = await readRecurring(tx, id)
  if (run?.state !== 'active' || !run.nextDay) return null
  const company = await readCompany(tx, run.companyId)
  const { day: today } = await companyToday(tx, run.companyId)
  if (company?.state !== 'active' || run.nextDay > today) return null
  const first = addDays(today, -MADE_UP_DAYS)
  if (run.nextDay >= first) return run.nextDay
  const moved = await change(tx.em, 'update recurring set next_day = ? where id = ? and next_day = ?', [
    first,
    id,
    run.nextDay,
  ])
  if (moved === 1) await trail(tx, { objectId: id, act: 'recurring.days_missed', note: `${run.nextDay} ${first}` })
  return moved === 1 ? first : null
}

/**
 * Makes the campaign of a day and places its order under the run's approval, or leaves it for a person where a limit, a
 * department's budget or a rule says no. Returns whether there may be another day to look at. `orderId`: a large order that was written before.
 */
async function makeDay(
  tx: Tx,
  wish: { readonly id: Id<'recurring'>; readonly day: string; readonly orderId: Id<'order'> | null },
): Promise<boolean> {
  const { id, day, orderId } = wish
  const after = addDays(day, 1)
  const step = "update recurring set next_day = ? where id = ? and state = 'active' and next_day = ?"
  if ((await change(tx.em, step, [after, id, day])) !== 1) return true
  const run = await readRecurring(tx, id)
  if (run === null) return false
  const [made] = await sql(tx.em, 'select id from campaign where recurring_id = ? and run_day = ?', [id, day])
  if (made) return true
  const { day: today } = await companyToday(tx, run.companyId)
  const campaign = await insertDay(tx, run, day)
  const plan = await planCampaign(tx, campaign)
  if (plan.heads.length === 0) return leaveDay(tx, { campaign, run, day, again: day === today })
  await trail(tx, { objectId: campaign.id, act: 'campaign.created', toState: 'draft', note: id })
  if (day < today) await trail(tx, { objectId: campaign.id, act: 'campaign.made_up', note: day })
  const submitted = await moveCampaign(tx, campaign, 'in_review', {
    content_hash: plan.contentHash,
    heads: plan.heads.length,
    face_total_fen: plan.faceTotalFen,
    price_total_fen: plan.priceTotalFen,
    submitted_by: run.submittedBy ?? run.createdBy,
  })
  const spent = await readSpent(tx, id, day)
  const short = await holdBudgetsOf(tx, campaign, plan)
  const overLimit = spent + plan.priceTotalFen > run.monthlyLimitFen ? 'over_monthly_limit' : null
  const why = plan.blocks[0]?.code ?? overLimit ?? (short.length > 0 ? 'budget_exceeded' : null)
  if (why !== null) {
    await trail(tx, { objectId: campaign.id, act: 'campaign.waits', note: why })
    if (orderId !== null) await cancelOrder(tx, orderId)
    return true
  }
  await approveDay(tx, { campaign: submitted, plan, run, orderId })
  return true
}

/** Nobody has this day: nothing stays of it. Today is looked at again, for somebody may be added to the staff. */
async function leaveDay(
  tx: Tx,
  { campaign, run, day, again }: { campaign: CampaignRow; run: RecurringRow; day: string; again: boolean },
): Promise<boolean> {
  await tx.em.nativeDelete(Campaign, { id: campaign.id })
  if (again) await change(tx.em, 'update recurring set next_day = ? where id = ?', [day, run.id])
  return !again
}

async function insertDay(tx: Tx, run: RecurringRow, day: string): Promise<CampaignRow> {
  const [id, now] = [tx.newId('campaign'), tx.clock.now()]
  const { timeZone } = await companyToday(tx, run.companyId)
  await tx.em.insert(Campaign, {
    id,
    companyId: run.companyId,
    state: 'draft',
    version: 1,
    title: run.title,
    // The message of years with the company is not that of the company's own birthday.
    occasion: run.kind === 'birthday' ? 'birthday' : 'thanks',
    cover: run.cover,
    templateVersionId: run.templateVersionId,
    rosterId: null,
    selection: JSON.stringify({ kind: 'run' }),
    amountFrom: 'same',
    faceFen: run.faceFen,
    greetingSealed: sealGreeting(tx, id, run.greeting),
    sendAtMs: instantOf(day, run.sendAtMinute, timeZone),
    createdBy: run.createdBy,
    recurringId: run.id,
    runDay: day,
    createdAtMs: now,
    changedAtMs: now,
  })
  const campaign = await readCampaign(tx, id)
  if (campaign === null) throw new Error(`campaign ${id} is not there`)
  return campaign
}

async function approveDay(
  tx: Tx,
  given: {
    readonly campaign: CampaignRow
    readonly plan: Plan
    readonly run: RecurringRow
    readonly orderId: Id<'order'> | null
  },
): Promise<void> {
  const { campaign, plan, run } = given
  const items = itemsOf(plan)
  const orderId = given.orderId ?? (await placeOrder(tx, { companyId: run.companyId, items }))
  const promised = { itemCount: items.length, totalFen: plan.priceTotalFen }
  // Throws where somebody came or went since the order was written: the day is then done again.
  if (given.orderId !== null && !(await completeOrder(tx, orderId, promised)))
    throw new Error(`order ${orderId} of run ${run.id} was not there to be completed`)
  await moveCampaign(tx, campaign, 'approved', {
    order_id: orderId,
    decided_by: run.decidedBy ?? null,
    decided_at_ms: tx.clock.now(),
  })
  await useBudgetsOf(tx, campaign, plan)
  const key = `recurring.pay:${campaign.id}`
  await enqueue(tx, [{ kind: 'recurring.pay', key, args: { campaignId: campaign.id } }])
}

interface LargePlan {
  readonly companyId: Id<'company'>
  readonly items: ReturnType<typeof itemsOf>
}

/** What a day would order where that is more than one transaction should write; null otherwise. */
async function readLargePlan(tx: Tx, id: Id<'recurring'>, day: string): Promise<LargePlan | null> {
  const run = await readRecurring(tx, id)
  if (run === null) return null
  const [version] = await readVersions(tx, [run.templateVersionId])
  if (version === undefined) throw new Error(`run ${id} has no template version`)
  const { heads } = await planRunDay(tx, { recurringId: id, runDay: day, faceFen: run.faceFen }, version)
  return heads.length > limits.cardsPerSlice ? { companyId: run.companyId, items: itemsOf({ heads, version }) } : null
}

/** Written slice by slice, in a state that takes no money; one that is never used is swept by `orders.sweep`. */
async function writeLargeOrder(edge: Edge, { companyId, items }: LargePlan): Promise<Id<'order'>> {
  const orderId = await edge.tx((tx) => beginOrder(tx, companyId))
  for (let from = 0; from < items.length; from += limits.cardsPerSlice) {
    const slice = items.slice(from, from + limits.cardsPerSlice)
    await edge.tx((tx) => addOrderItems(tx, orderId, from, slice))
  }
  return orderId
}
