import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { contactTicketOf, externalIndexOf } from './seal-contact.ts'

/**
 * The ticket by which a claim is linked to an outside contact that WeCom has just named; null for one we do not keep. It
 * lets nobody in: the mobile is proven all the same.
 */
export async function findContactTicket(
  tx: Tx,
  companyId: Id<'company'>,
  externalUserId: string,
): Promise<string | null> {
  const [row] = await sql<{ id: Id<'externalContact'> }>(
    tx.em,
    'select id from external_contact where company_id = ? and external_id_index = ? order by id desc limit 1',
    [companyId, externalIndexOf(tx.house, externalUserId)],
  )
  return row === undefined ? null : contactTicketOf(tx.house, row.id)
}

/** Whether somebody came from a claim page and wants back there. */
export const isClaimPath = (path: string): boolean => /^\/pack\/claim(-link)?\/[0-9A-Za-z]+(\?|$)/.test(path)

/** A claim page's path with the ticket of who opened it. */
export function withContact(path: string, ticket: string): string {
  const [place = '', query = ''] = path.split('?')
  const more = new URLSearchParams(query)
  more.set('contact', ticket)
  return `${place}?${more.toString()}`
}
