import type { CompanyRole } from '../../../contract/abilities.ts'
import { companyRoles } from '../../../contract/hr/session.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readBound } from '../../kernel/sql.ts'
import { memberFingerprint, openMember } from './seal-member.ts'
import { Member } from './tables.ts'

export interface MemberRow {
  readonly id: Id<'member'>
  readonly name: string
  readonly roles: readonly CompanyRole[]
  readonly state: 'active' | 'removed'
}

/** The members of a company, removed ones too, in the order in which they came. */
export async function readMembers(tx: Tx, companyId: Id<'company'>): Promise<MemberRow[]> {
  const rows = await tx.em.find(Member, { companyId }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  return rows.map((row) => ({
    id: row.id,
    name: openMember(tx, row.id, row.sealed).name,
    roles: rolesOf(row.roles),
    state: row.state,
  }))
}

/** Names by member id, removed members too; an id that nobody has is left out. The ids are ones the house stored. */
export async function readMemberNames(tx: Tx, ids: readonly Id<'member'>[]): Promise<Map<Id<'member'>, string>> {
  const wanted = [...new Set(ids)]
  if (wanted.length === 0) return new Map()
  const slots = wanted.map(() => '?').join(',')
  const rows = await readBound<{ id: Id<'member'>; sealed: Uint8Array }>(
    tx.em,
    `select id, sealed from member where id in (${slots})`,
    wanted,
  )
  return new Map(rows.map((row) => [row.id, openMember(tx, row.id, row.sealed).name]))
}

/** The active member of a company behind a userid as WeCom writes it; null when there is none. */
export async function findMemberByUserId(
  tx: Tx,
  companyId: Id<'company'>,
  userid: string,
): Promise<Id<'member'> | null> {
  const [row] = await readBound<{ id: Id<'member'> }>(
    tx.em,
    "select id from member where company_id = ? and user_id_index = ? and state = 'active'",
    [companyId, await memberFingerprint(tx, companyId, userid)],
  )
  return row?.id ?? null
}

/** The roles of a stored text; what is not a role of the closed list is dropped. */
export function rolesOf(text: string): CompanyRole[] {
  const given = text.split(',')
  return companyRoles.filter((role) => given.includes(role))
}
