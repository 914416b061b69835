import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import { slots } from './directory-rows.ts'
import { openFacts, sealPerson, type PersonFacts } from './seal-person.ts'

/** Rows erased or rewritten in one transaction. */
const AT_ONCE = 300

/**
 * Erases a piece of what WeCom told of a company's directory, and of the accounts that its people were known by: after the
 * company withdrew its authorisation, or its ids became those of another space. What a list of the company says stays: an
 * account that it names is asked for anew where the app has ids of its own. Says how many rows it touched; 0: done.
 */
export async function forgetDirectory(tx: Tx, companyId: Id<'company'>): Promise<number> {
  for (const table of ['directory_change', 'directory_member', 'directory_sync'] as const) {
    const rows = await sql<{ id: string }>(
      tx.em,
      `select id from ${table} where company_id = ? order by id limit ${AT_ONCE}`,
      [companyId],
    )
    if (rows.length > 0)
      return change(
        tx.em,
        `delete from ${table} where id in (${slots(rows)})`,
        rows.map((row) => row.id),
      )
  }
  const departments = await sql<{ id: number }>(
    tx.em,
    `select department_id as id from directory_department where company_id = ? order by department_id limit ${AT_ONCE}`,
    [companyId],
  )
  if (departments.length > 0)
    return change(
      tx.em,
      `delete from directory_department where company_id = ? and department_id in (${slots(departments)})`,
      [companyId, ...departments.map((row) => row.id)],
    )
  return forgetAccounts(tx, companyId)
}

async function forgetAccounts(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const space = await readUserIdSpace(tx, companyId)
  const rows = await sql<{ id: Id<'person'>; sealed: Uint8Array; matched: string }>(
    tx.em,
    `select id, sealed, matched from person where company_id = ? and (user_id_index is not null or matched <> 'unknown'
       ${space === 'folded' ? 'or listed_user_id_index is not null' : ''}) order by id limit ${AT_ONCE}`,
    [companyId],
  )
  for (const { id, sealed, matched } of rows) {
    const facts = withoutAccount(openFacts(tx.house, { id, sealed }), space, matched)
    const columns = sealPerson(tx.house, space, id, facts)
    await change(
      tx.em,
      "update person set sealed = ?, user_id_index = null, listed_user_id_index = ?, matched = 'unknown', version = version + 1, changed_at_ms = ? where id = ?",
      [columns.sealed, columns.listedUserIdIndex, tx.clock.now(), id],
    )
  }
  return rows.length
}

function withoutAccount(facts: PersonFacts, space: UserIdSpace, matched: string): PersonFacts {
  const { listedUserid, userid, ...rest } = facts
  const listed = listedUserid ?? (matched === 'listed' ? userid : null)
  if (space === 'folded' || listed === null) return { ...rest, listedUnknown: false, userid: null }
  return { ...rest, userid: null, listedUserid: listed, listedUnknown: false }
}
