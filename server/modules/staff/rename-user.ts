import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { holdCompany } from '../company/hold-company.ts'
import { readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import { renameMember } from '../company/rename-member.ts'
import { memberIndex, openFactsOf, sealFacts } from './directory-rows.ts'
import { dismiss, recordChanges } from './record-changes.ts'
import { openFacts, sealPerson } from './seal-person.ts'
import { DirectoryMember, Person } from './tables.ts'

interface Renaming {
  readonly companyId: Id<'company'>
  readonly space: UserIdSpace
  readonly from: string
  readonly to: string
}

/**
 * Moves all that stands under one userid to another: the member of the directory, our person, who may use the console.
 * WeCom renames a userid that it made by itself, once. Where a reading was faster and took the new one for somebody who
 * joined and the old one for somebody who left, the two become one again. Harmless to repeat.
 */
export async function renameUser(tx: Tx, companyId: Id<'company'>, from: string, to: string): Promise<void> {
  await holdCompany(tx, companyId)
  const space = await readUserIdSpace(tx, companyId)
  const renaming: Renaming = { companyId, space, from, to }
  if (memberIndex(tx.house, space, from) === memberIndex(tx.house, space, to)) return
  const personId = await renamePerson(tx, renaming)
  await renameMember(tx, companyId, from, to)
  await renameInDirectory(tx, renaming, personId)
}

async function renamePerson(tx: Tx, { companyId, space, from, to }: Renaming): Promise<Id<'person'> | null> {
  const person = await personOf(tx, companyId, memberIndex(tx.house, space, from))
  const taken = await personOf(tx, companyId, memberIndex(tx.house, space, to))
  // Both accounts have a person: which of them it is, only somebody who knows them can say.
  if (person === null || taken !== null) return person?.id ?? taken?.id ?? null
  const facts = { ...openFacts(tx.house, person), userid: space === 'folded' ? to.toLowerCase() : to }
  const columns = sealPerson(tx.house, space, person.id, facts)
  await tx.em.nativeUpdate(
    Person,
    { id: person.id },
    { ...columns, version: person.version + 1, changedAtMs: tx.clock.now() },
  )
  await trail(tx, { objectId: person.id, act: 'person.renamed' })
  return person.id
}

const personOf = (tx: Tx, companyId: Id<'company'>, userIdIndex: string) =>
  tx.em.findOne(
    Person,
    { companyId, userIdIndex, state: 'active' },
    { orderBy: { id: 'asc' }, disableIdentityMap: true },
  )

async function renameInDirectory(tx: Tx, renaming: Renaming, personId: Id<'person'> | null): Promise<void> {
  const { companyId, space, from, to } = renaming
  const find = (userid: string) =>
    tx.em.findOne(
      DirectoryMember,
      { companyId, userIdIndex: memberIndex(tx.house, space, userid) },
      { disableIdentityMap: true },
    )
  const [old, fresh] = [await find(from), await find(to)]
  if (!old) return
  if (fresh) {
    await dismissAll(tx, [old.id, fresh.id])
    await change(tx.em, 'delete from directory_change where member_id = ?', [fresh.id])
    await change(tx.em, 'delete from directory_member where id = ?', [fresh.id])
  }
  const now = tx.clock.now()
  const facts = openFactsOf(tx.house, old)
  const { departments, seenDepartments, syncId } = fresh ?? old
  await tx.em.nativeUpdate(
    DirectoryMember,
    { id: old.id },
    {
      userIdIndex: memberIndex(tx.house, space, to),
      sealed: sealFacts(tx.house, old.id, { ...facts, userid: to }),
      departments,
      seenDepartments,
      syncId,
      personId,
      state: 'present',
      changedAtMs: now,
    },
  )
  await recordChanges(tx, companyId, 'renamed', [
    { memberId: old.id, personId, from: old.departments, to: departments },
  ])
}

async function dismissAll(tx: Tx, memberIds: readonly Id<'directoryMember'>[]): Promise<void> {
  const open = await sql<{ id: Id<'directoryChange'> }>(
    tx.em,
    "select id from directory_change where state = 'open' and kind in ('joined', 'left') and member_id in (?, ?)",
    memberIds,
  )
  await dismiss(
    tx,
    open.map((one) => one.id),
  )
}
