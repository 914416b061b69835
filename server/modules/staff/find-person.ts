import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readUserIdSpace } from '../company/read-user-id-space.ts'
import { indexesOf } from './seal-person.ts'

/**
 * The active person of a company who has this WeCom userid, compared as its space compares: without regard to case in a
 * corp's own, exactly in a provider's. Null when there is none.
 */
export async function findPersonByUserId(
  tx: Tx,
  companyId: Id<'company'>,
  userid: string,
): Promise<{ readonly id: Id<'person'> } | null> {
  const space = await readUserIdSpace(tx, companyId)
  const { userIdIndex } = indexesOf(tx.house, space, { name: '', phone: null, staffNo: null, userid })
  const [row] = await sql<{ id: Id<'person'> }>(
    tx.em,
    "select id from person where company_id = ? and user_id_index = ? and state = 'active' order by id limit 1",
    [companyId, userIdIndex],
  )
  return row ?? null
}

/** Whether this person is still with the company: a session of somebody who left ends here. */
export async function isPersonActive(tx: Tx, personId: Id<'person'>): Promise<boolean> {
  const [row] = await sql(tx.em, "select 1 from person where id = ? and state = 'active'", [personId])
  return row !== undefined
}
