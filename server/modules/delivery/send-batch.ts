import { z } from 'zod'
import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import { idField } from '../../../contract/fields.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomSent } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { breakConnection } from '../company/break-connection.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { carryPeople, laneFor } from './carry-people.ts'
import { finishDelivered } from './finish-delivered.ts'
import { callAndJudge, type Call, type Ending } from './judge-send.ts'
import { recipientsOf, withRecipients } from './message-bodies.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { closeDay, releaseSends, renewSends, reserveSends, type Carrier } from './reserve-sends.ts'
import { recallJob } from './recall-campaign.ts'
import { besideTheRush, mayRepeat } from './rules.ts'
import { DeliveryBatch, type DeliveryBatchRow } from './tables.ts'

/** userid, as it is compared in the company's space, -> the deliveries that it stands for. */
const People = z.record(z.string(), z.array(idField('delivery')))
type People = z.infer<typeof People>

/** A moment at which the batch is looked at again, without a call before. */
interface Postponed {
  readonly postponedUntilMs: number
}

/**
 * Job `batch.send`: makes one call of message/send with the bytes that were stored, and records what became of each
 * person. Before the first call the people are counted against WeCom's limits, and those who do not fit are planned for
 * later; from then on the bytes never change. A call without an answer is repeated with the same bytes while WeCom passes
 * over repeats, so nobody gets two messages; after that the people are left as `outcome_unknown` for somebody to decide.
 * Throws `busy` when another worker begins the same call at this moment.
 */
export async function sendBatch(edge: Edge, batchId: Id<'deliveryBatch'>): Promise<void> {
  const batch = await edge.read((tx) => tx.em.findOne(DeliveryBatch, { id: batchId }, { disableIdentityMap: true }))
  if (!batch) return
  if (batch.state === 'planned') {
    const begun = await edge.tx((tx) => beginCall(tx, batch))
    if (begun !== null && 'postponedUntilMs' in begun) return
    if (begun !== null) {
      const ending = 'app' in begun ? await callAndJudge(edge, begun) : begun
      await edge.tx((tx) => record(tx, batch, 'app' in begun ? begun : null, ending))
    }
  }
  await finishDelivered(edge, batch.campaignId)
}

/** Writes that a call is about to be made; or says how the batch ends without one, which is null when nobody is left. */
async function beginCall(tx: Tx, batch: DeliveryBatchRow): Promise<Call | Ending | Postponed | null> {
  const now = tx.clock.now()
  const firstCallAtMs = batch.firstCallAtMs ?? null
  const doubtful = firstCallAtMs !== null
  if (firstCallAtMs !== null && !mayRepeat(firstCallAtMs, now)) return { failed: 'outcome_unknown', reached: true }
  if (!doubtful && batch.recallState != null) return { failed: 'recalled', reached: false }
  const app = await readWecomApp(tx, batch.companyId)
  if (!app) return { failed: doubtful ? 'outcome_unknown' : 'app_not_connected', reached: doubtful }
  const quietAtMs = besideTheRush(tx.house, now)
  if (quietAtMs > now) return postpone(tx, batch, quietAtMs)
  const begun = await change(
    tx.em,
    "update delivery_batch set calls = calls + 1, first_call_at_ms = coalesce(first_call_at_ms, ?), last_call_at_ms = ? where id = ? and state = 'planned' and calls = ?",
    [now, now, batch.id, batch.calls],
  )
  if (begun !== 1) refuse('busy')
  const body = tx.house.seal.open(placeOf(batch.id, 'body_sealed'), batch.bodySealed)
  const call = { app, calls: batch.calls + 1, doubtful, atMs: now }
  if (doubtful) {
    const lastCallAtMs = batch.lastCallAtMs ?? firstCallAtMs
    const untilMs = await renewSends(tx, carrierOf(tx, batch), lastCallAtMs)
    if (untilMs === null) return { ...call, body }
    await change(tx.em, 'update delivery_batch set last_call_at_ms = ? where id = ?', [lastCallAtMs, batch.id])
    return postpone(tx, batch, untilMs)
  }
  const kept = await keepWithinLimits(tx, batch, body)
  return kept === null ? null : { ...call, body: kept }
}

/** Counts the people of a first call; who does not fit is planned for later. The bytes to send, or null for nobody. */
async function keepWithinLimits(tx: Tx, batch: DeliveryBatchRow, body: string): Promise<string | null> {
  const people = peopleOf(tx, batch)
  const { taken, waiting } = await reserveSends(tx, carrierOf(tx, batch))
  if (waiting.size === 0) return body
  const gone = [...waiting].map(([userId, wait]) => ({ ids: people[userId] ?? [], wait }))
  await carryPeople(tx, batch, gone)
  if (taken.length === 0) {
    await change(
      tx.em,
      "update delivery_batch set state = 'failed', people = 0, first_call_at_ms = null where id = ?",
      [batch.id],
    )
    return null
  }
  const stay = new Set(taken)
  const left = Object.fromEntries(Object.entries(people).filter(([userId]) => stay.has(userId)))
  const names = recipientsOf(body).filter((name) => stay.has(keyIn(left, name) ?? ''))
  const shorter = withRecipients(body, names)
  await change(tx.em, 'update delivery_batch set body_sealed = ?, people_sealed = ?, people = ? where id = ?', [
    tx.house.seal.seal(placeOf(batch.id, 'body_sealed'), shorter),
    tx.house.seal.seal(placeOf(batch.id, 'people_sealed'), JSON.stringify(left)),
    Object.values(left).flat().length,
    batch.id,
  ])
  return shorter
}

/**
 * Records the end of a call: once, whoever comes first; what a person did meanwhile (opened it) stands. That WeCom took
 * the message is true whichever call it answered; a refusal says something about the newest call only, for another
 * worker may be in the middle of one that goes through.
 */
async function record(tx: Tx, batch: DeliveryBatchRow, call: Call | null, ending: Ending): Promise<void> {
  const calls = call?.calls ?? batch.calls
  if ('later' in ending) return again(tx, batch, calls, ending)
  const now = await current(tx, batch)
  if (now.state !== 'planned') return
  const people = peopleOf(tx, now)
  const all = Object.values(people).flat()
  const sent = 'sent' in ending
  const failed = sent ? failedOf(people, ending.sent) : new Map<DeliveryReason, Id<'delivery'>[]>()
  if ('failed' in ending) failed.set(ending.failed, all)
  const lost = new Set([...failed.values()].flat())
  const reached = 'closedUntilMs' in ending ? [] : all.filter((id) => !lost.has(id))
  const recorded = await change(
    tx.em,
    `update delivery_batch set state = ?, message_id = ? where id = ? and state = 'planned' ${sent ? '' : 'and calls = ?'}`,
    [reached.length > 0 ? 'sent' : 'failed', sent ? ending.sent.messageId : null, batch.id, ...(sent ? [] : [calls])],
  )
  if (recorded !== 1) return
  await countBack(tx, batch, people, call, ending)
  const step = { objectId: batch.id, ofBatch: batch.id, from: 'sending' } as const
  await moveDeliveries(tx, { ...step, ids: reached, to: 'sent', sentAtMs: tx.clock.now() })
  if ('closedUntilMs' in ending) {
    const wait = { waitsFor: 'day_quota', untilMs: ending.closedUntilMs } as const
    return carryPeople(tx, batch, [{ ids: all, wait }])
  }
  const maybe = 'failed' in ending && ending.reached
  for (const [reason, ids] of failed) {
    const to = reason === 'recalled' ? 'revoked' : 'failed'
    await moveDeliveries(tx, {
      ...step,
      ids,
      to,
      reason,
      ...(maybe || reason === 'outcome_unknown' ? {} : { attempts: -1 }),
    })
  }
  if ('failed' in ending && ending.broken !== undefined) await breakConnection(tx, batch.companyId, ending.broken)
  // Asked back while the call was under way.
  if (reached.length > 0 && now.recallState === 'asked') await enqueue(tx, [recallJob(batch.id)])
}

/** What was counted for a call that reached nobody is counted back; a day that WeCom closed is closed for all. */
async function countBack(
  tx: Tx,
  batch: DeliveryBatchRow,
  people: People,
  call: Call | null,
  ending: Ending,
): Promise<void> {
  if (call === null) return
  const carrier = { companyId: batch.companyId, id: batch.id, userIds: Object.keys(people) }
  if ('closedUntilMs' in ending) return closeDay(tx, carrier, call.atMs)
  const nobody = 'sent' in ending ? ending.sent.messageId === null : 'failed' in ending && !ending.reached
  if (nobody && !call.doubtful) await releaseSends(tx, carrier, call.atMs)
}

/** The batch waits and is called again. A call that certainly had no effect neither begins the window nor counts. */
async function again(
  tx: Tx,
  batch: DeliveryBatchRow,
  calls: number,
  wait: { readonly later: number; readonly noEffect: boolean },
): Promise<void> {
  const now = await current(tx, batch)
  // Another worker has begun a call since: how the batch goes on is for that one to say.
  if (now.state !== 'planned' || now.calls !== calls) return
  if (wait.noEffect && now.firstCallAtMs != null) {
    const undone = await change(
      tx.em,
      "update delivery_batch set first_call_at_ms = null where id = ? and state = 'planned' and calls = ? and first_call_at_ms is not null",
      [batch.id, calls],
    )
    if (undone === 1) await releaseSends(tx, carrierOf(tx, now), now.lastCallAtMs ?? now.firstCallAtMs)
  }
  await sendLater(tx, batch, `batch.send:${batch.id}:${calls}`, tx.clock.now() + wait.later)
}

/** Looks at the batch again at that instant; no call was begun. */
async function postpone(tx: Tx, batch: DeliveryBatchRow, untilMs: number): Promise<Postponed> {
  await sendLater(tx, batch, `batch.send:${tx.newId('job')}`, untilMs)
  return { postponedUntilMs: untilMs }
}

async function sendLater(tx: Tx, batch: DeliveryBatchRow, key: string, readyAtMs: number): Promise<void> {
  await enqueue(tx, [{ kind: 'batch.send', key, args: { batchId: batch.id }, lane: laneFor(batch.people), readyAtMs }])
}

const current = (tx: Tx, batch: DeliveryBatchRow): Promise<DeliveryBatchRow> =>
  tx.em.findOneOrFail(DeliveryBatch, { id: batch.id }, { disableIdentityMap: true })

function peopleOf(tx: Tx, batch: DeliveryBatchRow): People {
  return People.parse(JSON.parse(tx.house.seal.open(placeOf(batch.id, 'people_sealed'), batch.peopleSealed)) as unknown)
}

const carrierOf = (tx: Tx, batch: DeliveryBatchRow): Carrier => ({
  companyId: batch.companyId,
  id: batch.id,
  userIds: Object.keys(peopleOf(tx, batch)),
})

/** The key under which a name of the body stands: itself, or folded where the company's space folds. */
function keyIn(people: Readonly<Record<string, unknown>>, name: string): string | undefined {
  if (Object.hasOwn(people, name)) return name
  const folded = name.toLowerCase()
  return Object.hasOwn(people, folded) ? folded : undefined
}

/**
 * WeCom's lists come in lower case and are matched inside the set that was sent (protocols wecom 5.1). Where two ids of
 * the set differ by case alone, nobody can say which of them is meant: both are left for a person to decide.
 */
function failedOf(people: People, sent: WecomSent): Map<DeliveryReason, Id<'delivery'>[]> {
  const folded = Map.groupBy(Object.entries(people), ([userId]) => userId.toLowerCase())
  const entriesOf = (userIds: readonly string[]) =>
    [...new Set(userIds.map((userid) => userid.toLowerCase()))].flatMap((name) => folded.get(name) ?? [])
  const isAlone = ([userId]: readonly [string, unknown]): boolean => folded.get(userId.toLowerCase())?.length === 1
  const idsOf = (userIds: readonly string[]) =>
    entriesOf(userIds)
      .filter(isAlone)
      .flatMap(([, ids]) => ids)
  const invisible = idsOf(sent.invalidUsers)
  const unlicensed = idsOf(sent.unlicensedUsers).filter((id) => !invisible.includes(id))
  const doubtful = entriesOf([...sent.invalidUsers, ...sent.unlicensedUsers]).filter((entry) => !isAlone(entry))
  return new Map<DeliveryReason, Id<'delivery'>[]>([
    ['not_visible', invisible],
    ['unlicensed', unlicensed],
    ['outcome_unknown', doubtful.flatMap(([, ids]) => ids)],
  ])
}

const placeOf = (rowId: Id<'deliveryBatch'>, column: string) => ({ table: 'delivery_batch', column, rowId })
