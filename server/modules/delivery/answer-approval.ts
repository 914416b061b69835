import { can } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import { actAs } from '../../kernel/act-as.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { approveCampaign } from '../campaign/approve-campaign.ts'
import { fieldOf, type WecomEventView } from '../company/read-event.ts'
import { readMemberActor, type MemberActor } from '../company/read-member-actor.ts'
import { findMemberByUserId } from '../company/read-members.ts'
import { APPROVE, type AnswerCode } from './approval-card.ts'
import { readAsked, readSubject } from './approval-subject.ts'
import { readCards } from './close-approvals.ts'
import { moveNotifications } from './move-notifications.ts'
import { updateJob } from './notification-jobs.ts'
import { cardOfTask, sealCode } from './seal-notification.ts'
import { Notification, type NotificationRow } from './tables.ts'

/** For as long as cards can be changed they can decide: later ones would stay behind with another word. */
const CARD_MS = 72 * 3_600_000
/** Refusals that concern who pressed, and nobody else's card. */
const own: ReadonlySet<AnswerCode> = new Set(['forbidden', 'card_expired', 'maker_is_checker', 'decided'])
/** Refusals that pass by themselves: the press is worked once more. */
const passing: ReadonlySet<string> = new Set(['busy', 'internal', 'provider_unavailable', 'too_many_requests'])

interface Press {
  readonly card: NotificationRow
  /** Null for a receiver who may not act any more. */
  readonly actor: MemberActor | null
}

/**
 * Event `template_card_event`: somebody pressed 同意 on the card of a campaign. Approves as that member exactly what the
 * card asked about, when it was their card, they still may, and it is still the question; then the cards of all say so.
 * Anything else changes nothing but the pressed card, which says why. A press may come twice, late, or after a decision.
 *
 * WeCom would also take another card in the answer to the callback itself. It is not used: such an answer changes the card
 * of whoever pressed only, and it must be given before the work is done.
 */
export async function answerApproval(edge: Edge, event: WecomEventView): Promise<void> {
  const press = await edge.tx((tx) => notePress(tx, event))
  if (press === null) {
    edge.log.info({ eventId: event.id }, 'a press that answers none of our cards')
    return
  }
  const code = await decide(edge, press)
  await edge.tx((tx) => tell(tx, press.card, code))
}

/** Keeps the fresh code of the press with its card. Null when the card is none of ours, or somebody else's. */
async function notePress(tx: Tx, event: WecomEventView): Promise<Press | null> {
  const { companyId } = event
  const [id, userid] = [cardOfTask(tx, fieldOf(event, 'TaskId')), fieldOf(event, 'FromUserName')]
  if (companyId === null || userid === null || id === null) return null
  if (fieldOf(event, 'EventKey') !== APPROVE) return null
  const where = { id, companyId, kind: 'approval' as const }
  const card = await tx.em.findOne(Notification, where, { disableIdentityMap: true })
  const memberId = await findMemberByUserId(tx, companyId, userid)
  if (!card || memberId === null || memberId !== card.receiverId) return null
  const code = fieldOf(event, 'ResponseCode')
  if (code !== null)
    await change(tx.em, 'update notification set response_code_sealed = ?, response_code_at_ms = ? where id = ?', [
      sealCode(tx, card.id, code),
      Math.max(tx.clock.now(), (card.responseCodeAtMs ?? 0) + 1),
      card.id,
    ])
  return { card, actor: await readMemberActor(tx, companyId, memberId) }
}

/** What the press comes to: `decided` when the campaign has been decided, now or before. */
async function decide(edge: Edge, { card, actor }: Press): Promise<AnswerCode> {
  const asked = await edge.read((tx) => readAsked(tx, card.subject))
  if (asked === null) return 'decided'
  if (actor === null || !can('member', actor.roles, 'campaign.approve')) return 'forbidden'
  if (edge.clock.now() >= (card.sentAtMs ?? card.createdAtMs) + CARD_MS) return 'card_expired'
  try {
    await approveCampaign(actAs(edge, actor), asked)
    return 'decided'
  } catch (error) {
    if (!(error instanceof AppError) || passing.has(error.code)) throw error
    edge.log.info({ campaignId: asked.id, code: error.code }, 'a press on an approval card was refused')
    return error.code === 'state_conflict' ? 'decided' : error.code
  }
}

/** The pressed card says how it ended; where it ends for everybody, so do the cards of the others. */
async function tell(tx: Tx, card: NotificationRow, code: AnswerCode): Promise<void> {
  await moveNotifications(tx, { carrierId: card.id, ids: [card.id], from: 'sent', to: 'answered' })
  const ids = new Set<Id<'notification'>>([card.id])
  const about = readSubject(card.subject)
  if (!own.has(code) && about !== null)
    for (const other of await readCards(tx, card.companyId, about.campaignId))
      if (other.subject === card.subject && other.state === 'sent') ids.add(other.id)
  await enqueue(
    tx,
    [...ids].map((id) => ({ ...updateJob(tx, id, code), lane: 'fast' as const })),
  )
}
