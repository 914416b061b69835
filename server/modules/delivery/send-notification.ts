import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { breakConnection } from '../company/break-connection.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { isAsked } from './approval-subject.ts'
import { callAndJudge, type Call, type Ending } from './judge-send.ts'
import { moveNotifications } from './move-notifications.ts'
import { closeJob, sendNotificationJob } from './notification-jobs.ts'
import { closeDay, releaseSends, renewSends, reserveSends, type Carrier } from './reserve-sends.ts'
import { besideTheRush, mayRepeat } from './rules.ts'
import { openCall, sealCode, type CallAtWork } from './seal-notification.ts'
import { Notification, type NotificationRow } from './tables.ts'

type Sending = Extract<CallAtWork, { readonly kind: 'send' }>
type Postponed = { readonly postponed: true }

/**
 * Job `notification.send`: makes the one call that carries a notification and those beside it, with the bytes that were
 * stored, inside WeCom's limits, and records what became of each receiver. Repeats are the same bytes, as with cards.
 * Throws `busy` when another worker begins the same call at this moment.
 */
export async function sendNotification(edge: Edge, id: Id<'notification'>): Promise<void> {
  const row = await edge.read((tx) => tx.em.findOne(Notification, { id }, { disableIdentityMap: true }))
  if (!row || (row.state !== 'planned' && row.state !== 'sending')) return
  const call = openCall(edge, id, row.bodySealed)
  if (call?.kind !== 'send') return
  const begun = await edge.tx((tx) => begin(tx, row, call))
  if (begun === null || 'postponed' in begun) return
  const ending = 'app' in begun ? await callAndJudge(edge, begun) : begun
  await edge.tx((tx) => record(tx, row, call, 'app' in begun ? begun : null, ending))
}

/** Writes that a call is about to be made; or says how it ends without one. Null: nobody needs to be told any more. */
async function begin(tx: Tx, row: NotificationRow, sending: Sending): Promise<Call | Ending | Postponed | null> {
  const now = tx.clock.now()
  const firstCallAtMs = row.firstCallAtMs ?? null
  const doubtful = firstCallAtMs !== null
  if (firstCallAtMs !== null && !mayRepeat(firstCallAtMs, now)) return { failed: 'outcome_unknown', reached: true }
  const ids = idsOf(sending)
  if (!doubtful && row.kind === 'approval' && !(await isAsked(tx, row.subject))) {
    await moveNotifications(tx, { carrierId: row.id, ids, from: 'planned', to: 'cancelled' })
    return null
  }
  const app = await readWecomApp(tx, row.companyId)
  if (!app) return { failed: doubtful ? 'outcome_unknown' : 'app_not_connected', reached: doubtful }
  const quietAtMs = besideTheRush(tx.house, now)
  if (quietAtMs > now) return postpone(tx, row, quietAtMs)
  const untilMs = doubtful
    ? await renewSends(tx, carrierOf(row, sending), row.lastCallAtMs ?? firstCallAtMs)
    : await reserveAll(tx, carrierOf(row, sending), now)
  if (untilMs !== null) return postpone(tx, row, untilMs)
  const begun = await change(
    tx.em,
    "update notification set calls = calls + 1, first_call_at_ms = coalesce(first_call_at_ms, ?), last_call_at_ms = ? where id = ? and state in ('planned', 'sending') and calls = ?",
    [now, now, row.id, row.calls],
  )
  if (begun !== 1) refuse('busy')
  await moveNotifications(tx, { carrierId: row.id, ids, from: 'planned', to: 'sending' })
  return { app, body: sending.body, calls: row.calls + 1, doubtful, atMs: now }
}

/** Counts everybody or nobody: these messages can wait for whoever got too many. Answers until when. */
async function reserveAll(tx: Tx, carrier: Carrier, now: number): Promise<number | null> {
  const { taken, waiting } = await reserveSends(tx, carrier)
  if (waiting.size === 0) return null
  await releaseSends(tx, { ...carrier, userIds: taken }, now)
  return Math.max(...[...waiting.values()].map(({ untilMs }) => untilMs))
}

async function record(
  tx: Tx,
  row: NotificationRow,
  sending: Sending,
  call: Call | null,
  ending: Ending,
): Promise<void> {
  const now = await tx.em.findOneOrFail(Notification, { id: row.id }, { disableIdentityMap: true })
  const stale = now.calls !== (call?.calls ?? row.calls)
  if ((now.state !== 'sending' && now.state !== 'planned') || (stale && !('sent' in ending))) return
  const carrier = carrierOf(row, sending)
  const countedAtMs = call?.atMs ?? tx.clock.now()
  if ('later' in ending) {
    if (ending.noEffect && call) await uncall(tx, carrier, row, countedAtMs)
    return sendAgain(tx, row, `${now.calls}`, tx.clock.now() + ending.later)
  }
  if ('closedUntilMs' in ending) {
    await closeDay(tx, carrier, countedAtMs)
    await change(tx.em, 'update notification set first_call_at_ms = null where id = ?', [row.id])
    return sendAgain(tx, row, `${now.calls}`, ending.closedUntilMs)
  }
  if ('failed' in ending) {
    if (!ending.reached && call) await releaseSends(tx, carrier, countedAtMs)
    if (ending.broken !== undefined) await breakConnection(tx, row.companyId, ending.broken)
    return fail(tx, row, idsOf(sending), ending.failed, now.state)
  }
  await recordSent(tx, row, sending, ending.sent)
}

async function recordSent(
  tx: Tx,
  row: NotificationRow,
  { people }: Sending,
  sent: Extract<Ending, { sent: unknown }>['sent'],
): Promise<void> {
  const refused = new Set([...sent.invalidUsers, ...sent.unlicensedUsers].map((userId) => userId.toLowerCase()))
  const lost = Object.entries(people).flatMap(([userId, ids]) => (refused.has(userId.toLowerCase()) ? ids : []))
  const reached = Object.values(people)
    .flat()
    .filter((id) => !lost.includes(id))
  const now = tx.clock.now()
  await fail(tx, row, lost, 'not_visible', 'sending')
  await moveNotifications(tx, { carrierId: row.id, ids: reached, from: 'sending', to: 'sent', sentAtMs: now })
  const { messageId, responseCode } = sent
  const code = responseCode === null ? null : sealCode(tx, row.id, responseCode)
  await change(
    tx.em,
    'update notification set message_id = ?, response_code_sealed = ?, response_code_at_ms = ? where id = ?',
    [messageId, code, code === null ? null : now, row.id],
  )
  // Decided while the card was on its way.
  if (row.kind === 'approval' && !(await isAsked(tx, row.subject))) await enqueue(tx, [closeJob(row)])
}

async function fail(
  tx: Tx,
  row: NotificationRow,
  ids: readonly Id<'notification'>[],
  reason: DeliveryReason,
  from: 'planned' | 'sending',
): Promise<void> {
  await moveNotifications(tx, { carrierId: row.id, ids, from, to: 'failed', reason })
}

async function uncall(tx: Tx, carrier: Carrier, row: NotificationRow, countedAtMs: number): Promise<void> {
  await change(tx.em, 'update notification set first_call_at_ms = null where id = ?', [row.id])
  await releaseSends(tx, carrier, countedAtMs)
}

async function postpone(tx: Tx, row: NotificationRow, untilMs: number): Promise<Postponed> {
  await sendAgain(tx, row, tx.newId('job'), untilMs)
  return { postponed: true }
}

async function sendAgain(tx: Tx, row: NotificationRow, turn: string, readyAtMs: number): Promise<void> {
  await enqueue(tx, [{ ...sendNotificationJob(row.id), key: `notification.send:${row.id}:${turn}`, readyAtMs }])
}

const idsOf = ({ people }: Sending): Id<'notification'>[] => Object.values(people).flat()

const carrierOf = (row: NotificationRow, { people }: Sending): Carrier => ({
  companyId: row.companyId,
  id: row.id,
  userIds: Object.keys(people),
})
