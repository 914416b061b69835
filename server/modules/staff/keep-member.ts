import type { Id } from '../../../contract/ids.ts'
import type { WecomMember } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readUserIdSpace } from '../company/read-user-id-space.ts'
import { holdCompany } from '../company/hold-company.ts'
import { linkPeople } from './close-sync.ts'
import { joinDepartments, memberIndex, openFactsOf, sealFacts } from './directory-rows.ts'
import { recordChanges } from './record-changes.ts'
import { DirectoryMember } from './tables.ts'

/**
 * Writes what WeCom says of one member now: present with these departments, or (null) no longer within what the app may
 * see. The differences stand for HR as those of a reading do; a reading that is under way does not undo them. Before
 * the first reading nothing is written: it will see for itself. Harmless to repeat.
 */
export async function keepMember(
  tx: Tx,
  companyId: Id<'company'>,
  userid: string,
  member: WecomMember | null,
): Promise<void> {
  await holdCompany(tx, companyId)
  const [last] = await sql<{ id: Id<'directorySync'>; state: string }>(
    tx.em,
    "select id, state from directory_sync where company_id = ? and state <> 'failed' order by id desc limit 1",
    [companyId],
  )
  if (!last) return
  const space = await readUserIdSpace(tx, companyId)
  const userIdIndex = memberIndex(tx.house, space, userid)
  const known = await tx.em.findOne(DirectoryMember, { companyId, userIdIndex }, { disableIdentityMap: true })
  if (member === null) return known?.state === 'present' ? markGone(tx, known) : undefined
  const now = tx.clock.now()
  const departments = joinDepartments(member.departments)
  const facts = known ? openFactsOf(tx.house, known) : { userid: member.userid, name: null }
  const id = known?.id ?? tx.newId('directoryMember')
  const columns = {
    sealed: sealFacts(tx.house, id, { ...facts, name: member.name ?? facts.name }),
    departments,
    seenDepartments: departments,
    state: 'present' as const,
    syncId: last.id,
    changedAtMs: now,
  }
  if (known) await tx.em.nativeUpdate(DirectoryMember, { id }, columns)
  else await tx.em.insert(DirectoryMember, { id, companyId, userIdIndex, firstSeenAtMs: now, ...columns })
  const people = await linkPeople(tx, companyId, [{ id, user: userIdIndex, person: known?.personId ?? null }])
  const changed = { memberId: id, personId: people.get(userIdIndex) ?? null, to: departments }
  if (known?.state !== 'present') await recordChanges(tx, companyId, 'joined', [{ ...changed, from: null }])
  else if (known.departments !== departments)
    await recordChanges(tx, companyId, 'moved', [{ ...changed, from: known.departments }])
}

interface Known {
  readonly id: Id<'directoryMember'>
  readonly companyId: Id<'company'>
  readonly departments: string
  readonly personId?: Id<'person'> | null | undefined
}

async function markGone(tx: Tx, known: Known): Promise<void> {
  const { id, companyId, departments, personId = null } = known
  await tx.em.nativeUpdate(DirectoryMember, { id }, { state: 'gone', changedAtMs: tx.clock.now() })
  await recordChanges(tx, companyId, 'left', [{ memberId: id, personId, from: departments, to: null }])
}
