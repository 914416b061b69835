import { z } from 'zod'
import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import { idField } from '../../../contract/fields.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomApp, WecomSent } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { laneFor } from './deliver-cards.ts'
import { finishDelivered } from './finish-delivered.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { mayRepeat, waitAfter } from './rules.ts'
import { DeliveryBatch, type DeliveryBatchRow } from './tables.ts'

/** Calls that were answered with "too many" before we say that today's quota is used up: a minute limit would be over. */
const QUOTA_CALLS = 3
const People = z.record(z.string(), z.array(idField('delivery')))

/** One call of a batch, written down before it is made. */
interface Call {
  readonly app: WecomApp
  readonly body: string
  readonly calls: number
  /** An earlier call went out and nobody knows what became of it. */
  readonly doubtful: boolean
}
type Ending =
  | { readonly sent: WecomSent }
  /** Nothing more will be tried. `reached`: some of it may have arrived all the same. */
  | { readonly failed: DeliveryReason; readonly reached: boolean }
  | { readonly later: number; readonly noEffect: boolean }

/**
 * Job `batch.send`: makes one call of message/send with the bytes that were stored, and records what became of each
 * person. A call without an answer is repeated with the same bytes while WeCom passes over repeats, so nobody gets two
 * messages; after that the people are left as `outcome_unknown` for somebody to decide. Throws `busy` when another
 * worker begins the same call at this moment.
 */
export async function sendBatch(edge: Edge, batchId: Id<'deliveryBatch'>): Promise<void> {
  const batch = await edge.read((tx) => tx.em.findOne(DeliveryBatch, { id: batchId }, { disableIdentityMap: true }))
  if (!batch) return
  if (batch.state === 'planned') {
    const begun = await edge.tx((tx) => beginCall(tx, batch))
    const ending = 'app' in begun ? await call(edge, begun) : begun
    const calls = 'app' in begun ? begun.calls : batch.calls
    await edge.tx((tx) => record(tx, batch, calls, ending))
  }
  await finishDelivered(edge, batch.campaignId)
}

/** Writes that a call is about to be made; or says how the batch ends without one. */
async function beginCall(tx: Tx, batch: DeliveryBatchRow): Promise<Call | Ending> {
  const now = tx.clock.now()
  const firstCallAtMs = batch.firstCallAtMs ?? null
  const doubtful = firstCallAtMs !== null
  if (firstCallAtMs !== null && !mayRepeat(firstCallAtMs, now)) return { failed: 'outcome_unknown', reached: true }
  const app = await readWecomApp(tx, batch.companyId)
  if (!app) return { failed: doubtful ? 'outcome_unknown' : 'app_not_connected', reached: doubtful }
  const begun = await change(
    tx.em,
    "update delivery_batch set calls = calls + 1, first_call_at_ms = coalesce(first_call_at_ms, ?) where id = ? and state = 'planned' and calls = ?",
    [now, batch.id, batch.calls],
  )
  if (begun !== 1) refuse('busy')
  const body = tx.house.seal.open(placeOf(batch.id, 'body_sealed'), batch.bodySealed)
  return { app, body, calls: batch.calls + 1, doubtful }
}

/** Calls WeCom, outside of any transaction, and judges the answer by section 9 of its protocol sheet. */
async function call(edge: Edge, { app, body, calls, doubtful }: Call): Promise<Ending> {
  try {
    return { sent: await edge.ports.wecom.send(app, body) }
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ outcome: error.outcome, code: error.code, calls }, 'a batch of messages was not answered as sent')
    // What an earlier, unanswered call did is not undone by this refusal.
    const give = (reason: DeliveryReason): Ending =>
      doubtful ? { failed: 'outcome_unknown', reached: true } : { failed: reason, reached: false }
    switch (error.outcome) {
      case 'unknown':
        return { later: waitAfter(calls), noEffect: false }
      case 'busy':
        if (isQuota(error) && calls >= QUOTA_CALLS) return give('quota_used_up')
        return { later: Math.max(error.retryAfterMs, waitAfter(calls)), noEffect: !doubtful }
      case 'refused':
        return give('refused_by_wecom')
      case 'broken':
        return give('app_not_connected')
    }
  }
}

/** 45009 on a message is the app's quota of the day (protocols wecom 10); on `gettoken` it is a block of our address. */
const isQuota = (error: OutsideError): boolean => error.code === '45009' && error.message.includes('message/send')

/** Records the end of a call: once, whoever comes first; what a person did meanwhile (opened it) stands. */
async function record(tx: Tx, batch: DeliveryBatchRow, calls: number, ending: Ending): Promise<void> {
  if ('later' in ending) return again(tx, batch, calls, ending)
  const people = People.parse(
    JSON.parse(tx.house.seal.open(placeOf(batch.id, 'people_sealed'), batch.peopleSealed)) as unknown,
  )
  const all = Object.values(people).flat()
  const failed = 'sent' in ending ? failedOf(people, ending.sent) : new Map([[ending.failed, all]])
  const lost = new Set([...failed.values()].flat())
  const sent = all.filter((id) => !lost.has(id))
  const messageId = 'sent' in ending ? ending.sent.messageId : null
  const recorded = await change(
    tx.em,
    "update delivery_batch set state = ?, message_id = ? where id = ? and state = 'planned'",
    [sent.length > 0 ? 'sent' : 'failed', messageId, batch.id],
  )
  if (recorded !== 1) return
  const step = { objectId: batch.id, ofBatch: batch.id, from: 'sending' } as const
  await moveDeliveries(tx, { ...step, ids: sent, to: 'sent', sentAtMs: tx.clock.now() })
  const reached = 'failed' in ending && ending.reached
  for (const [reason, ids] of failed)
    await moveDeliveries(tx, { ...step, ids, to: 'failed', reason, ...(reached ? {} : { attempts: -1 }) })
}

/** The batch waits and is called again. A call that certainly had no effect does not begin the window. */
async function again(
  tx: Tx,
  batch: DeliveryBatchRow,
  calls: number,
  wait: { readonly later: number; readonly noEffect: boolean },
): Promise<void> {
  if (wait.noEffect)
    await change(
      tx.em,
      "update delivery_batch set first_call_at_ms = null where id = ? and state = 'planned' and calls = ? and first_call_at_ms is not null",
      [batch.id, calls],
    )
  const key = `batch.send:${batch.id}:${calls}`
  const readyAtMs = tx.clock.now() + wait.later
  await enqueue(tx, [{ kind: 'batch.send', key, args: { batchId: batch.id }, lane: laneFor(batch.people), readyAtMs }])
}

/** WeCom's lists come in lower case and are matched inside the set that was sent (protocols wecom 5.1). */
function failedOf(people: z.infer<typeof People>, sent: WecomSent): Map<DeliveryReason, Id<'delivery'>[]> {
  const idsOf = (userIds: readonly string[]) => [
    ...new Set(userIds.flatMap((userid) => people[userid.toLowerCase()] ?? [])),
  ]
  const invisible = idsOf(sent.invalidUsers)
  const unlicensed = idsOf(sent.unlicensedUsers).filter((id) => !invisible.includes(id))
  return new Map<DeliveryReason, Id<'delivery'>[]>([
    ['not_visible', invisible],
    ['unlicensed', unlicensed],
  ])
}

const placeOf = (rowId: Id<'deliveryBatch'>, column: string) => ({ table: 'delivery_batch', column, rowId })
