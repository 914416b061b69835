import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { breakConnection } from '../company/break-connection.ts'
import { readAccounts } from '../company/read-accounts.ts'
import { readMemberNames } from '../company/read-members.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { answeredBody, outcomeOf, type AnswerCode } from './approval-card.ts'
import { isAsked, readSubject } from './approval-subject.ts'
import { readQuestion } from './ask-approval.ts'
import { moveNotifications } from './move-notifications.ts'
import { openCall, openCode, sealCall } from './seal-notification.ts'
import { Notification, type NotificationRow } from './tables.ts'

/** A code changes a card within 72 hours, once (protocols wecom 5.3). */
const CODE_MS = 72 * 3_600_000

/**
 * Job `approval.update`: puts the outcome in the place of an approval card's buttons, with bytes that were stored before
 * the call. A code that is dead or used is no fault: the card had its change, or keeps its buttons, which change nothing.
 */
export async function updateApproval(edge: Edge, id: Id<'notification'>, code: AnswerCode): Promise<void> {
  const call = await edge.tx((tx) => prepare(tx, id, code))
  if (call === null) return
  try {
    await edge.ports.wecom.updateCard(call.app, call.body)
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ outcome: error.outcome, code: error.code }, 'an approval card was not changed')
    if (error.outcome === 'unknown' || error.outcome === 'busy') throw error
    if (error.outcome === 'broken') await edge.tx((tx) => breakConnection(tx, call.companyId, error.code))
  }
  await edge.tx((tx) => close(tx, id, call.codeAtMs))
}

interface Update {
  readonly app: WecomApp
  readonly companyId: Id<'company'>
  readonly body: string
  readonly codeAtMs: number
}

/** Stores the bytes of the change. Null, with the card closed, when it cannot be changed. */
async function prepare(tx: Tx, id: Id<'notification'>, code: AnswerCode): Promise<Update | null> {
  const card = await tx.em.findOne(Notification, { id, kind: 'approval' }, { disableIdentityMap: true })
  if (!card || card.state === 'planned' || card.state === 'sending') return null
  const codeAtMs = card.responseCodeAtMs ?? 0
  const app = await readWecomApp(tx, card.companyId)
  const before = openCall(tx, id, card.bodySealed)
  // A stop came between call and record: the very same bytes once more.
  if (app && before?.kind === 'update' && before.codeAtMs === codeAtMs && card.responseCodeSealed)
    return { app, companyId: card.companyId, body: before.body, codeAtMs }
  const body = app && codeAtMs > tx.clock.now() - CODE_MS ? await bodyOf(tx, card, app, code) : null
  if (!app || body === null) {
    await close(tx, id, codeAtMs)
    return null
  }
  await change(tx.em, 'update notification set body_sealed = ? where id = ?', [
    sealCall(tx, id, { kind: 'update', body, codeAtMs }),
    id,
  ])
  return { app, companyId: card.companyId, body, codeAtMs }
}

async function bodyOf(tx: Tx, card: NotificationRow, app: WecomApp, code: AnswerCode): Promise<string | null> {
  const about = readSubject(card.subject)
  const campaign = about && (await readCampaign(tx, about.campaignId))
  const receiver = (await readAccounts(tx, card.companyId)).find((member) => member.id === card.receiverId)
  if (!campaign || !receiver || !card.responseCodeSealed) return null
  const decidedBy = campaign.decidedBy ?? null
  const decider = decidedBy === null ? null : ((await readMemberNames(tx, [decidedBy])).get(decidedBy) ?? null)
  const asked = await isAsked(tx, card.subject)
  const to = {
    agentId: app.agentId,
    userId: receiver.userid,
    responseCode: openCode(tx, card.id, card.responseCodeSealed),
  }
  return answeredBody(await readQuestion(tx, campaign), to, outcomeOf(code, { state: campaign.state, asked, decider }))
}

/** The code is spent, unless a press brought another meanwhile. */
async function close(tx: Tx, id: Id<'notification'>, codeAtMs: number): Promise<void> {
  await change(
    tx.em,
    'update notification set response_code_sealed = null, body_sealed = null where id = ? and coalesce(response_code_at_ms, 0) = ?',
    [id, codeAtMs],
  )
  const step = { carrierId: id, ids: [id], to: 'closed' } as const
  if ((await moveNotifications(tx, { ...step, from: 'answered' })) === 0)
    await moveNotifications(tx, { ...step, from: 'sent' })
}
