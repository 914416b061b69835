import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { contactLimits } from './rules.ts'

/** Rows of one transaction. */
const BATCH = 500
const NOTHING = Buffer.alloc(0)

/**
 * Erases what a company's WeCom told us of outside people, as its withdrawal asks: contacts, who serves a QR code, whom a
 * mass sending named. Claims, links and claim pages stay: they are the company's own list, and cards can still be taken.
 * Returns how many rows it touched; 0: all is done.
 */
export async function forgetContacts(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const contacts = await sql<{ id: string }>(
    tx.em,
    `select id from external_contact where company_id = ? limit ${BATCH}`,
    [companyId],
  )
  const ways = await change(
    tx.em,
    `update contact_way set members_sealed = null, config_id = null, qr_url = null
      where company_id = ? and (members_sealed is not null or config_id is not null or qr_url is not null)`,
    [companyId],
  )
  const bodies = await change(
    tx.em,
    `update mass_send set body_sealed = ?, state = case when state = 'planned' then 'failed' else state end
      where company_id = ? and length(body_sealed) > 0`,
    [NOTHING, companyId],
  )
  return (await dropRows(tx, 'external_contact', contacts)) + ways + bodies
}

/**
 * Job `contacts.forget`: empties mass-sending tasks and deletes links that are 30 days old and over. Returns how many rows;
 * call again until there are none.
 */
export async function forgetOldContacts(tx: Tx): Promise<number> {
  const before = tx.clock.now() - contactLimits.contentKeptMs
  const bodies = await change(
    tx.em,
    `update mass_send set body_sealed = ? where created_at_ms < ? and length(body_sealed) > 0 and state <> 'planned'`,
    [NOTHING, before],
  )
  const links = await sql<{ id: string }>(
    tx.em,
    `select id from claim_link where expires_at_ms < ? and not exists
      (select 1 from claim where claim.claim_link_id = claim_link.id) limit ${BATCH}`,
    [before],
  )
  return bodies + (await dropRows(tx, 'claim_link', links))
}

function dropRows(tx: Tx, table: string, rows: readonly { readonly id: string }[]): Promise<number> | number {
  if (rows.length === 0) return 0
  const slots = rows.map(() => '?').join(',')
  const ids = rows.map(({ id }) => id)
  return change(tx.em, `delete from ${table} where id in (${slots})`, ids)
}
