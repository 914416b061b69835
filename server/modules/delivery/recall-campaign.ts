import type { Recalled } from '../../../contract/hr/delivery.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { moveDeliveries } from './move-deliveries.ts'

/** WeCom takes a message back within 24 hours (protocols wecom 5.4); a little less, for a call takes its time. */
export const RECALL_MS = 24 * 3_600_000 - 60_000

/** How many messages of a campaign can still be taken back, by its calls alone: a page looks twice a second. */
export async function countRecallable(tx: Tx, campaignId: Id<'campaign'>): Promise<number> {
  const [row] = await sql<{ people: unknown }>(
    tx.em,
    `select sum(people) as people from delivery_batch
      where campaign_id = ? and state = 'sent' and recall_state is null and first_call_at_ms > ?`,
    [campaignId, tx.clock.now() - RECALL_MS],
  )
  return readSum(row?.people)
}

/** The calls of a campaign whose message can still be taken back, and those for which it is too late, with who has not opened it. */
async function readRecallable(tx: Tx, campaignId: Id<'campaign'>) {
  const rows = await sql<{ id: Id<'deliveryBatch'>; atMs: unknown; unopened: unknown }>(
    tx.em,
    `select delivery_batch.id as id, max(delivery_batch.first_call_at_ms) as atMs, count(*) as unopened
      from delivery_batch join delivery on delivery.batch_id = delivery_batch.id and delivery.state = 'sent'
      where delivery_batch.campaign_id = ? and delivery_batch.state = 'sent' and delivery_batch.recall_state is null
      group by delivery_batch.id order by delivery_batch.id`,
    [campaignId],
  )
  const since = tx.clock.now() - RECALL_MS
  const batches = rows.map((row) => ({ id: row.id, atMs: readSum(row.atMs), people: readSum(row.unopened) }))
  return { young: batches.filter(({ atMs }) => atMs > since), old: batches.filter(({ atMs }) => atMs <= since) }
}

/**
 * Takes a campaign's messages back: a job for each call younger than 24 hours, and what has not left does not leave any
 * more. Cards stay valid and stand in the card pack; whoever opened theirs keeps it open. Refuses with `not_found` for
 * another company's campaign. A second time finds nothing to take back.
 */
export async function recallCampaign(tx: Tx, id: Id<'campaign'>): Promise<Recalled> {
  const campaign = await findOwnCampaign(tx, id)
  const { young, old } = await readRecallable(tx, campaign.id)
  for (const batch of young)
    await change(tx.em, "update delivery_batch set recall_state = 'asked' where id = ? and recall_state is null", [
      batch.id,
    ])
  // Those under way: the sender asks back what goes through, and does not begin what it has not begun.
  await change(
    tx.em,
    "update delivery_batch set recall_state = 'asked' where campaign_id = ? and state = 'planned' and recall_state is null",
    [campaign.id],
  )
  await enqueue(
    tx,
    young.map((batch) => recallJob(batch.id)),
  )
  const stopped = await stopPlanned(tx, campaign.id)
  const people = sum(young)
  await trail(tx, { objectId: campaign.id, act: 'campaign.recalled', note: `${people} ${stopped}` })
  return { batches: young.length, people, stopped, tooOld: sum(old) }
}

/** The job that takes one call's message back. */
export const recallJob = (batchId: Id<'deliveryBatch'>) =>
  ({ kind: 'batch.recall', key: `batch.recall:${batchId}`, args: { batchId } }) as const

const sum = (batches: readonly { readonly people: number }[]): number =>
  batches.reduce((all, { people }) => all + people, 0)

/**
 * Stops those of these people who were planned only after their campaign was recalled: their cards were made late. Who is
 * sent to again after a recall was planned before, and goes on.
 */
export async function stopLate(
  tx: Tx,
  campaign: { readonly id: Id<'campaign'>; readonly decidedAtMs?: number | null | undefined },
  personIds: readonly Id<'person'>[],
): Promise<void> {
  const [recalled] = await sql(
    tx.em,
    "select id from trail where object_id = ? and act = 'campaign.recalled' and at_ms >= ? limit 1",
    [campaign.id, campaign.decidedAtMs ?? 0],
  )
  if (recalled === undefined || personIds.length === 0) return
  const rows = await sql<{ id: Id<'delivery'> }>(
    tx.em,
    `select id from delivery where campaign_id = ? and state = 'planned' and version = 1
        and person_id in (${personIds.map(() => '?').join(',')})`,
    [campaign.id, ...personIds],
  )
  const ids = rows.map((row) => row.id)
  await moveDeliveries(tx, { objectId: campaign.id, ids, from: 'planned', to: 'revoked', reason: 'recalled' })
}

/** Nobody who is planned, or carried to another day, gets a message any more. */
async function stopPlanned(tx: Tx, campaignId: Id<'campaign'>): Promise<number> {
  for (let stopped = 0; ;) {
    const rows = await sql<{ id: Id<'delivery'> }>(
      tx.em,
      "select id from delivery where campaign_id = ? and state = 'planned' order by id limit ?",
      [campaignId, limits.cardsPerSlice],
    )
    if (rows.length === 0) return stopped
    const ids = rows.map((row) => row.id)
    stopped += await moveDeliveries(tx, {
      objectId: campaignId,
      ids,
      from: 'planned',
      to: 'revoked',
      reason: 'recalled',
    })
  }
}
