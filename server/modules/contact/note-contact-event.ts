import type { Id } from '../../../contract/ids.ts'
import type { ExternalContactState } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { fieldOf, happenedAtMs, type WecomEventView } from '../company/read-event.ts'
import { greetContact } from './greet-contact.ts'
import { findContact, keepContact, type ContactRow } from './keep-contact.ts'

/**
 * Takes an event change_external_contact (protocols wecom 6.9). Events come twice, late, in any order or never: the time
 * that WeCom gives decides which news is newer, and what was lost is found by polling. Whoever was added by one of our QR
 * codes is greeted at once and tagged.
 */
export async function noteContactEvent(edge: Edge, event: WecomEventView): Promise<void> {
  const { companyId, changeType } = event
  const externalUserId = fieldOf(event, 'ExternalUserID')
  const follower = fieldOf(event, 'UserID')
  const state = stateOf(changeType, fieldOf(event, 'Source'))
  if (companyId === null || externalUserId === null || follower === null || changeType === null) return
  // Agreeing to the archiving of chats brings a code for a welcome and changes nothing between the two.
  if (state === null && changeType !== 'msg_audit_approved') return
  const token = fieldOf(event, 'State')
  const contact = await edge.tx(async (tx) => {
    if (state === null) return findContact(tx, companyId, { externalUserId, follower })
    const contactWayId = token === null ? null : await findWayByState(tx, companyId, token)
    const news = { companyId, externalUserId, follower, contactWayId, atMs: happenedAtMs(event), state }
    const kept = await keepContact(tx, news)
    if (kept !== null && kept.state === 'added') await askTag(tx, kept)
    return kept
  })
  const welcomeCode = fieldOf(event, 'WelcomeCode')
  if (contact !== null && welcomeCode !== null && contact.state !== 'removed')
    await greetContact(edge, contact, { welcomeCode, receivedAtMs: event.receivedAtMs })
}

/** The state that a change leads to; null for a change that leads to none. */
function stateOf(changeType: string | null, source: string | null): ExternalContactState | null {
  switch (changeType) {
    case 'add_external_contact':
      return 'added'
    case 'add_half_external_contact':
      return 'half'
    case 'del_external_contact':
      return source === 'DELETE_BY_TRANSFER' ? 'moved' : 'removed'
    case 'del_follow_user':
      return 'removed'
    // The customer stays with whom they were.
    case 'transfer_fail':
      return 'added'
    default:
      return null
  }
}

/** The QR code of a company whose state WeCom gave back; null for any other state. */
export async function findWayByState(
  tx: Tx,
  companyId: Id<'company'>,
  state: string,
): Promise<Id<'contactWay'> | null> {
  const [row] = await sql<{ id: Id<'contactWay'> }>(
    tx.em,
    'select id from contact_way where company_id = ? and token = ?',
    [companyId, state],
  )
  return row?.id ?? null
}

/** Has a contact's tag brought in line with whether they have claimed. */
export async function askTag(tx: Tx, contact: Pick<ContactRow, 'id' | 'version'>): Promise<void> {
  const key = `contact.tag:${contact.id}:${contact.version}`
  await enqueue(tx, [{ kind: 'contact.tag', key, args: { contactId: contact.id } }])
}
