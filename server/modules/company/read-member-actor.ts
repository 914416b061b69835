import type { Id } from '../../../contract/ids.ts'
import type { Actor, Tx } from '../../kernel/context.ts'
import { readBound } from '../../kernel/sql.ts'
import { rolesOf } from './read-members.ts'

/** The member as one who acts, with the roles of this moment; null once they were removed or the company is suspended. */
export async function readMemberActor(
  tx: Tx,
  companyId: Id<'company'>,
  memberId: Id<'member'>,
): Promise<MemberActor | null> {
  const [row] = await readBound<{ roles: string }>(
    tx.em,
    `select member.roles as roles from member join company on company.id = member.company_id
      where member.id = ? and company.id = ? and member.state = 'active' and company.state = 'active'`,
    [memberId, companyId],
  )
  return row ? { kind: 'member', companyId, memberId, roles: rolesOf(row.roles) } : null
}
export type MemberActor = Extract<Actor, { readonly kind: 'member' }>
