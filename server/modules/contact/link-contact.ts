import type { Id } from '../../../contract/ids.ts'
import { isId } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { contactTicketOf, sameIndex } from './seal-contact.ts'

/**
 * Writes which of our staff an outside contact is, once they proved it: the contact whose welcome message led here, or
 * that WeCom told of when the phone was asked who it is. A contact that is somebody already stays so. Its tag follows.
 */
export async function linkContact(
  tx: Tx,
  proven: {
    readonly companyId: Id<'company'>
    readonly personId: Id<'person'>
    /** `contactTicketOf` a contact; anything else is passed over. */
    readonly ticket: string | null
  },
): Promise<void> {
  const contactId = contactOf(tx, proven.ticket)
  if (contactId !== null)
    await change(
      tx.em,
      'update external_contact set person_id = ?, version = version + 1 where id = ? and company_id = ? and person_id is null',
      [proven.personId, contactId, proven.companyId],
    )
  const theirs = await sql<{ id: Id<'externalContact'>; version: number }>(
    tx.em,
    'select id, version from external_contact where company_id = ? and person_id = ?',
    [proven.companyId, proven.personId],
  )
  await enqueue(
    tx,
    theirs.map(({ id, version }) => ({
      kind: 'contact.tag',
      key: `contact.tag:${id}:claimed:${version}`,
      args: { contactId: id },
    })),
  )
}

/** The contact that a ticket of ours names; null for a ticket that is not ours. */
export function contactOf(tx: Pick<Tx, 'house'>, ticket: string | null): Id<'externalContact'> | null {
  const id = ticket?.split('.')[0]
  if (ticket === null || !isId('externalContact', id)) return null
  return sameIndex(contactTicketOf(tx.house, id), ticket) ? id : null
}
