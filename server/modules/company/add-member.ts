import type { CompanyRole } from '../../../contract/abilities.ts'
import { companyRoles } from '../../../contract/hr/session.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { holdCompany } from './hold-company.ts'
import { memberFingerprint, sealMember } from './seal-member.ts'

export interface NewMember {
  readonly companyId: Id<'company'>
  readonly name: string
  /** The userid in the company's WeCom, in whatever case. */
  readonly userid: string
  readonly roles: readonly CompanyRole[]
}

/**
 * Gives somebody of a company access to its console. Doing it again for the same userid keeps the one row and brings
 * name, roles and state up to date, so a removed member comes back. Refuses with `not_found` for no such
 * company; throws RangeError without a name, userid or role.
 */
export async function addMember(tx: Tx, member: NewMember): Promise<Id<'member'>> {
  const name = member.name.trim()
  const userid = member.userid.trim()
  const roles = companyRoles.filter((role) => member.roles.includes(role)).join(',')
  if (name === '' || userid === '' || roles === '') throw new RangeError('a member has a name, a userid and a role')
  const { companyId } = member
  await holdCompany(tx, companyId)
  const userIdIndex = await memberFingerprint(tx, companyId, userid)
  const fresh = tx.newId('member')
  await insertIgnore(tx.em, 'member', [
    {
      id: fresh,
      company_id: companyId,
      sealed: sealMember(tx, fresh, { name, userid }),
      user_id_index: userIdIndex,
      roles,
      state: 'active',
      created_at_ms: tx.clock.now(),
    },
  ])
  const [row] = await sql<{ id: Id<'member'>; state: 'active' | 'removed'; roles: string }>(
    tx.em,
    'select id, state, roles from member where company_id = ? and user_id_index = ?',
    [companyId, userIdIndex],
  )
  if (!row) throw new Error('member: the row just written is not there')
  if (row.id !== fresh)
    await change(tx.em, "update member set sealed = ?, roles = ?, state = 'active' where id = ?", [
      sealMember(tx, row.id, { name, userid }),
      roles,
      row.id,
    ])
  if (row.id === fresh) await trail(tx, { objectId: row.id, act: 'member.added', toState: 'active', note: roles })
  else if (row.state !== 'active' || row.roles !== roles)
    await trail(tx, {
      objectId: row.id,
      act: 'member.changed',
      fromState: row.state,
      toState: 'active',
      note: `${row.roles} -> ${roles}`,
    })
  return row.id
}
