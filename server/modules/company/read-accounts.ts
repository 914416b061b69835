import type { CompanyRole } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { rolesOf } from './read-members.ts'
import { openMember } from './seal-member.ts'
import { Member } from './tables.ts'

export interface MemberAccount {
  readonly id: Id<'member'>
  readonly name: string
  readonly userid: string
  readonly roles: readonly CompanyRole[]
}

/** The active members of a company with their WeCom accounts, for sending them messages. */
export async function readAccounts(tx: Tx, companyId: Id<'company'>): Promise<MemberAccount[]> {
  const where = { companyId, state: 'active' as const }
  const rows = await tx.em.find(Member, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  return rows.map((row) => {
    const { name, userid } = openMember(tx, row.id, row.sealed)
    return { id: row.id, name, userid, roles: rolesOf(row.roles) }
  })
}
