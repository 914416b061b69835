import { deliveryReasonCodes, deliveryReasons, type DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { forgetMatches } from '../staff/correct-person.ts'
import { sendJob } from './carry-people.ts'
import { moveDeliveries } from './move-deliveries.ts'

/** From where a message can be planned once more. */
export type Again = 'failed' | 'revoked'

export interface Resend {
  readonly campaignId: Id<'campaign'>
  /** Whose message failed, or was recalled. */
  readonly state?: Again | undefined
  /** Only those with this reason; without it and without ids, all of them. */
  readonly reason?: DeliveryReason | undefined
  readonly deliveryIds?: readonly Id<'delivery'>[] | undefined
}

/**
 * Plans messages that failed, or were recalled, once more and returns how many. Refuses with `delivery_not_retryable` when
 * a named one stands elsewhere, or failed for a reason that a repeat does not mend; with `not_found` for other companies' ones.
 */
export async function resendDeliveries(tx: Tx, resend: Resend): Promise<number> {
  const campaign = await findOwnCampaign(tx, resend.campaignId)
  const from = resend.state ?? 'failed'
  if (resend.deliveryIds) return planNamed(tx, campaign.id, resend.deliveryIds, from, resend.reason)
  const reasons = retryable(resend.reason)
  const [row] = await sql<{ count: unknown }>(
    tx.em,
    `select count(*) as count from delivery where campaign_id = ? and state = ? and reason in (${slots(reasons)})`,
    [campaign.id, from, ...reasons],
  )
  await planFailed(tx, { campaignId: campaign.id, from, reason: resend.reason ?? null, afterId: null })
  return readSum(row?.count)
}

export interface FailedPiece {
  readonly campaignId: Id<'campaign'>
  readonly from: Again
  readonly reason: string | null
  readonly afterId: Id<'delivery'> | null
}

/**
 * Job `deliveries.resend`: the next 1,000 that failed, by id, so that each is planned once and one that fails again
 * meanwhile is left alone. The rest follows as the next job.
 */
export async function planFailed(tx: Tx, piece: FailedPiece): Promise<void> {
  const reasons = retryable(piece.reason ?? undefined)
  const failed = await sql<{ id: Id<'delivery'> }>(
    tx.em,
    `select id from delivery where campaign_id = ? and state = ? and reason in (${slots(reasons)}) and id > ? order by id limit ?`,
    [piece.campaignId, piece.from, ...reasons, piece.afterId ?? '', limits.cardsPerSlice],
  )
  const last = failed.at(-1)
  if (!last) return
  await planAgain(
    tx,
    piece.campaignId,
    failed.map(({ id }) => id),
    piece.from,
  )
  if (failed.length < limits.cardsPerSlice) return
  const { campaignId, from } = piece
  const args = { campaignId, from, afterId: last.id, ...(piece.reason ? { reason: piece.reason } : {}) }
  await enqueue(tx, [{ kind: 'deliveries.resend', key: `deliveries.resend:${tx.newId('job')}`, args, lane: 'bulk' }])
}

/**
 * One job for up to 1,000 that are planned again; whom WeCom did not know is looked up again, for they may have been
 * added since. Returns how many still stood in `from`.
 */
export async function planAgain(
  tx: Tx,
  campaignId: Id<'campaign'>,
  ids: readonly Id<'delivery'>[],
  from: Again = 'failed',
): Promise<number> {
  const people = await sql<{ id: Id<'person'> }>(
    tx.em,
    `select person_id as id from delivery where state = ? and id in (${slots(ids)})`,
    [from, ...ids],
  )
  const planned = await moveDeliveries(tx, { objectId: campaignId, ids, from, to: 'planned' })
  await forgetMatches(
    tx,
    people.map((person) => person.id),
  )
  if (planned > 0) await enqueue(tx, [sendJob(tx, campaignId, planned, tx.clock.now())])
  return planned
}

async function planNamed(
  tx: Tx,
  campaignId: Id<'campaign'>,
  named: readonly Id<'delivery'>[],
  from: Again,
  reason: DeliveryReason | undefined,
): Promise<number> {
  const ids = [...new Set(named)]
  if (ids.length === 0) return 0
  const rows = await sql<{ id: Id<'delivery'>; state: string; reason: DeliveryReason | null }>(
    tx.em,
    `select id, state, reason from delivery where campaign_id = ? and id in (${slots(ids)})`,
    [campaignId, ...ids],
  )
  if (rows.length !== ids.length) refuse('not_found')
  const reasons = retryable(reason)
  const fits = rows.every((row) => row.state === from && row.reason !== null && reasons.includes(row.reason))
  if (!fits || (await planAgain(tx, campaignId, ids, from)) !== ids.length) refuse('delivery_not_retryable')
  return ids.length
}

/** The reasons that a repeat can mend: all of them, or the one that is asked for. */
function retryable(reason: string | undefined): DeliveryReason[] {
  const all = deliveryReasonCodes.filter((code) => deliveryReasons[code].retryable)
  if (reason === undefined) return all
  const one = all.filter((code) => code === reason)
  return one.length > 0 ? one : refuse('delivery_not_retryable')
}

const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')
