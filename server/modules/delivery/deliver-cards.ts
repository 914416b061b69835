import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'
import { readCampaign, readCampaignByOrder } from '../campaign/read-campaign.ts'
import { startCampaign } from '../campaign/run-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { inSpace, spaceOf } from '../company/read-user-id-space.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { readSliceHolders } from '../order/read-order.ts'
import { matchPeople, type Match } from '../staff/match-people.ts'
import { laneFor } from './carry-people.ts'
import { finishDelivered } from './finish-delivered.ts'
import { isUserId } from './message-bodies.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { stopLate } from './recall-campaign.ts'
import { besideTheRush, messageBody } from './rules.ts'
import { DeliveryBatch } from './tables.ts'

type Campaign = NonNullable<Awaited<ReturnType<typeof readCampaign>>>
interface Planned {
  readonly id: Id<'delivery'>
  readonly personId: Id<'person'>
}
/** How long look-ups rest when WeCom does not answer and does not say for how long. */
const LOOK_UP_AGAIN_MS = 5_000

/**
 * Job `cards.deliver`: plans one message for each holder of a slice, and at the campaign's time finds their WeCom
 * accounts and writes a batch with its exact body. May be run again after any stop, and by two at once: only what is
 * still planned is taken.
 */
export async function deliverCards(edge: Edge, sliceId: Id<'orderSlice'>): Promise<void> {
  const slice = await edge.read((tx) => readSliceHolders(tx, sliceId))
  const campaign = slice && (await edge.read((tx) => readCampaignByOrder(tx, slice.orderId)))
  if (!slice || !campaign) return
  const personIds = [...new Set(slice.holderIds as Id<'person'>[])].sort()
  const due = await edge.tx((tx) => planDeliveries(tx, campaign, personIds, sliceId))
  if (!due) return
  const planned = await edge.read((tx) => readPlanned(tx, campaign.id, personIds))
  await sendPlanned(edge, campaign, planned, { kind: 'cards.deliver', args: { sliceId } })
}

/**
 * Job `deliveries.send`: sends what was planned again after it had failed, up to 1,000 people at a time. What is left,
 * also where another worker took the same people, is the next job's.
 */
export async function deliverAgain(edge: Edge, campaignId: Id<'campaign'>): Promise<void> {
  const campaign = await edge.read((tx) => readCampaign(tx, campaignId))
  if (!campaign) return
  const planned = await edge.read((tx) => readPlanned(tx, campaignId, null))
  const work: Work = { kind: 'deliveries.send', args: { campaignId } }
  if (!(await sendPlanned(edge, campaign, planned, work))) return
  const left = await edge.read((tx) => readPlanned(tx, campaignId, null))
  if (left.length > 0) await edge.tx((tx) => enqueueAnew(tx, work, left.length, tx.clock.now()))
}

/** Writes the plan of a slice, once a person. False when its time has not come: then the job stands for that time. */
async function planDeliveries(
  tx: Tx,
  campaign: Campaign,
  personIds: readonly Id<'person'>[],
  sliceId: Id<'orderSlice'>,
): Promise<boolean> {
  const rows = personIds.map((personId) => ({
    id: tx.newId('delivery'),
    company_id: campaign.companyId,
    campaign_id: campaign.id,
    person_id: personId,
    state: 'planned',
    version: 1,
    attempts: 0,
  }))
  await insertIgnore(tx.em, 'delivery', rows)
  await startCampaign(tx, campaign.id)
  await stopLate(tx, campaign, personIds)
  const dueAtMs = campaign.sendAtMs == null ? 0 : besideTheRush(tx.house, campaign.sendAtMs)
  if (dueAtMs <= tx.clock.now()) return true
  const key = `cards.deliver:${sliceId}:${dueAtMs}`
  const lane = laneFor(campaign.heads ?? rows.length)
  await enqueue(tx, [{ kind: 'cards.deliver', key, args: { sliceId }, lane, readyAtMs: dueAtMs }])
  return false
}

/** Planned deliveries of a campaign that wait for nothing, at most 1,000: those of some people, or the oldest. */
async function readPlanned(
  tx: Tx,
  campaignId: Id<'campaign'>,
  personIds: readonly Id<'person'>[] | null,
): Promise<Planned[]> {
  const some = personIds === null ? '' : `and person_id in (${personIds.map(() => '?').join(',')})`
  return sql<Planned>(
    tx.em,
    `select id, person_id as personId from delivery
      where campaign_id = ? and state = 'planned' and (waits_until_ms is null or waits_until_ms <= ?) ${some}
      order by id limit ${limits.cardsPerSlice}`,
    [campaignId, tx.clock.now(), ...(personIds ?? [])],
  )
}

/** The job at work: where WeCom makes us wait, it is written anew, for a job that is given back dies in the end. */
interface Work {
  readonly kind: 'cards.deliver' | 'deliveries.send'
  readonly args: Readonly<Record<string, string>>
}

/** False when WeCom makes us wait: the work is written for later, and nobody's message has moved. */
async function sendPlanned(edge: Edge, campaign: Campaign, planned: readonly Planned[], work: Work): Promise<boolean> {
  if (planned.length > 0) {
    const { companyId } = campaign
    const app = await edge.read((tx) => readWecomApp(tx, companyId))
    const people = planned.map((each) => each.personId)
    const matches = app ? await matchOrWait(edge, companyId, people) : new Map<Id<'person'>, Match>()
    if (matches instanceof OutsideError) {
      edge.log.warn({ code: matches.code, outcome: matches.outcome }, 'looking up people waits for WeCom')
      const readyAtMs = edge.clock.now() + Math.max(matches.retryAfterMs, LOOK_UP_AGAIN_MS)
      await edge.tx((tx) => enqueueAnew(tx, work, people.length, readyAtMs))
      return false
    }
    const again = work.kind === 'deliveries.send'
    await edge.tx((tx) => writeBatch(tx, { campaign, planned, matches, app, again }))
  }
  await finishDelivered(edge, campaign.id)
  return true
}

/** Everybody's account or the reason; the error itself where WeCom makes us wait. */
async function matchOrWait(edge: Edge, companyId: Id<'company'>, people: readonly Id<'person'>[]) {
  try {
    return await matchPeople(edge, companyId, people)
  } catch (error) {
    if (error instanceof OutsideError) return error
    throw error
  }
}

async function enqueueAnew(tx: Tx, work: Work, people: number, readyAtMs: number): Promise<void> {
  const key = `${work.kind}:${tx.newId('job')}`
  await enqueue(tx, [{ ...work, key, lane: laneFor(people), readyAtMs }])
}

interface Batch {
  readonly campaign: Campaign
  readonly planned: readonly Planned[]
  readonly matches: ReadonlyMap<Id<'person'>, Match>
  readonly app: WecomApp | null
  readonly again: boolean
}

/** One transaction: who cannot be reached fails with the reason; the others go into a batch with its exact bytes. */
async function writeBatch(tx: Tx, { campaign, planned, matches, app, again }: Batch): Promise<void> {
  const failed = new Map<DeliveryReason, Id<'delivery'>[]>()
  const userIds = new Map<Id<'delivery'>, string>()
  for (const { id, personId } of planned) {
    const match = app ? (matches.get(personId) ?? { reason: 'no_wecom_account' as const }) : noApp
    if ('userid' in match && isUserId(match.userid)) userIds.set(id, match.userid)
    else {
      const reason = 'userid' in match ? 'no_wecom_account' : match.reason
      failed.set(reason, [...(failed.get(reason) ?? []), id])
    }
  }
  for (const [reason, ids] of failed)
    await moveDeliveries(tx, { objectId: campaign.id, ids, from: 'planned', to: 'failed', reason })
  if (!app || userIds.size === 0) return
  const batchId = tx.newId('deliveryBatch')
  const ids = [...userIds.keys()]
  const step = { objectId: batchId, ids, from: 'planned', to: 'sending', batchId, attempts: 1 } as const
  if ((await moveDeliveries(tx, step)) === 0) return
  // Another worker may have taken some of them: the body names those that this batch really holds.
  const held = await sql<{ id: Id<'delivery'> }>(tx.em, 'select id from delivery where batch_id = ? order by id', [
    batchId,
  ])
  const people = byUserId(
    held.map(({ id }) => id),
    userIds,
    (userid) => inSpace(spaceOf(app.kind), userid),
  )
  const company = await readCompany(tx, campaign.companyId)
  const body = messageBody({
    agentId: app.agentId,
    companyName: company?.name ?? '',
    companyCode: company?.code ?? '',
    campaignId: campaign.id,
    title: campaign.title,
    occasion: campaign.occasion,
    cover: campaign.cover,
    publicUrl: tx.house.publicUrl,
    userIds: people.touser,
    again: again ? batchId : null,
  })
  const place = (column: string) => ({ table: 'delivery_batch', column, rowId: batchId })
  await tx.em.insert(DeliveryBatch, {
    id: batchId,
    companyId: campaign.companyId,
    campaignId: campaign.id,
    state: 'planned',
    people: held.length,
    bodySealed: tx.house.seal.seal(place('body_sealed'), body),
    peopleSealed: tx.house.seal.seal(place('people_sealed'), JSON.stringify(people.deliveries)),
    calls: 0,
    createdAtMs: tx.clock.now(),
  })
  const lane = laneFor(held.length)
  await enqueue(tx, [{ kind: 'batch.send', key: `batch.send:${batchId}`, args: { batchId }, lane }])
}

const noApp: Match = { reason: 'app_not_connected' }

/** Who is named in the call, and whose deliveries stand behind each name as it is compared in the company's space. */
function byUserId(
  ids: readonly Id<'delivery'>[],
  userIds: ReadonlyMap<Id<'delivery'>, string>,
  compared: (userid: string) => string,
) {
  const touser = new Map<string, string>()
  const deliveries: Record<string, Id<'delivery'>[]> = {}
  for (const id of ids) {
    const userid = userIds.get(id)
    if (userid === undefined) continue
    const key = compared(userid)
    if (!touser.has(key)) touser.set(key, userid)
    deliveries[key] = [...(deliveries[key] ?? []), id]
  }
  return { touser: [...touser.values()], deliveries }
}
