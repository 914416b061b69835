import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { countPeople } from './read-people.ts'

/** How many accounts a company has at the least, and from what we know it: WeCom's directory, or the staff lists. */
export interface KnownAccounts {
  readonly accounts: number
  readonly from: 'directory' | 'people'
}

/** Accounts of a company as far as we see them: members of the directory where it was read, else people on the lists. */
export async function countAccounts(tx: Tx, companyId: Id<'company'>): Promise<KnownAccounts> {
  const [row] = await sql<{ members: unknown }>(
    tx.em,
    "select count(*) as members from directory_member where company_id = ? and state = 'present'",
    [companyId],
  )
  const members = readSum(row?.members)
  return members > 0
    ? { accounts: members, from: 'directory' }
    : { accounts: await countPeople(tx, companyId), from: 'people' }
}
