import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { inSpace, readUserIdSpace } from '../company/read-user-id-space.ts'
import { linkPeople } from './close-sync.ts'
import { openFactsOf, splitDepartments } from './directory-rows.ts'
import { personOfChange } from './read-directory.ts'
import type { ChangeKind } from './record-changes.ts'
import { openFacts, sealPerson } from './seal-person.ts'
import { Person } from './tables.ts'

/** A difference as somebody of the company decides about it. */
export interface OpenChange {
  readonly id: Id<'directoryChange'>
  readonly companyId: Id<'company'>
  readonly memberId: Id<'directoryMember'>
  readonly kind: ChangeKind
  readonly open: boolean
  readonly from: string
  readonly to: string
  readonly personId: Id<'person'> | null
}

/** A difference of the actor's company, with our person behind it. Refuses with `not_found`. */
export async function readChange(tx: Tx, id: Id<'directoryChange'>): Promise<OpenChange> {
  const [row] = await sql<{
    company: Id<'company'>
    member: Id<'directoryMember'>
    kind: ChangeKind
    state: string
    from_departments: string | null
    to_departments: string | null
    person: Id<'person'> | null
  }>(
    tx.em,
    `select c.company_id as company, c.member_id as member, c.kind, c.state, c.from_departments, c.to_departments,
       (${personOfChange}) as person
     from directory_change c join directory_member m on m.id = c.member_id where c.id = ? and c.company_id = ?`,
    [id, companyOf(tx.actor)],
  )
  if (!row) refuse('not_found')
  return {
    id,
    companyId: row.company,
    memberId: row.member,
    kind: row.kind,
    open: row.state === 'open',
    from: row.from_departments ?? '',
    to: row.to_departments ?? '',
    personId: row.person,
  }
}

/** A difference as `readChange` reads it, held until the end of the transaction: who decides second sees the first. */
export async function holdChange(tx: Tx, id: Id<'directoryChange'>): Promise<OpenChange> {
  // A write that changes nothing takes the lock on either database.
  await change(tx.em, 'update directory_change set state = state where id = ? and company_id = ?', [
    id,
    companyOf(tx.actor),
  ])
  return readChange(tx, id)
}

/** Ends a difference in somebody's name; false when it was not open any more. */
export async function settleChange(
  tx: Tx,
  { id, personId }: Pick<OpenChange, 'id' | 'personId'>,
  to: 'done' | 'dismissed',
): Promise<boolean> {
  const settled = await change(
    tx.em,
    "update directory_change set state = ?, person_id = coalesce(person_id, ?), decided_at_ms = ?, decided_by = ? where id = ? and state = 'open'",
    [to, personId, tx.clock.now(), memberOf(tx.actor), id],
  )
  if (settled !== 1) return false
  await trail(tx, { objectId: id, act: `directory_change.${to}`, fromState: 'open', toState: to })
  return true
}

/** Marks a person as gone from the company. False when they were already. */
export async function markLeft(tx: Tx, personId: Id<'person'>): Promise<boolean> {
  const left = await change(
    tx.em,
    "update person set state = 'left', version = version + 1, changed_at_ms = ? where id = ? and state = 'active'",
    [tx.clock.now(), personId],
  )
  if (left !== 1) return false
  await trail(tx, { objectId: personId, act: 'person.left', fromState: 'active', toState: 'left' })
  return true
}

/**
 * Gives a person the department that a move brought them to, by its name. False where the name is not known: then the
 * department stays as the list has it.
 */
export async function movePerson(tx: Tx, moved: OpenChange): Promise<boolean> {
  if (moved.personId === null) return false
  const name = await departmentName(tx, moved)
  if (name === null) return false
  await change(
    tx.em,
    'update person set department = ?, version = version + 1, changed_at_ms = ? where id = ? and coalesce(department, ?) <> ?',
    [name, tx.clock.now(), moved.personId, '', name],
  )
  await trail(tx, { objectId: moved.personId, act: 'person.moved' })
  return true
}

/** The department that is new to them, else the first of those where they are. */
async function departmentName(tx: Tx, { companyId, from, to }: OpenChange): Promise<string | null> {
  const [before, after] = [new Set(splitDepartments(from)), splitDepartments(to)]
  const chosen = after.find((id) => !before.has(id)) ?? after[0]
  if (chosen === undefined) return null
  const [row] = await sql<{ name: string | null }>(
    tx.em,
    'select name from directory_department where company_id = ? and department_id = ?',
    [companyId, chosen],
  )
  return row?.name ?? null
}

/**
 * Gives a person the second account that they proved to have, in place of their first. False where the account belongs
 * to somebody else of the staff by now.
 */
export async function takeAccount(tx: Tx, { companyId, memberId, personId }: OpenChange): Promise<boolean> {
  const [member] = await sql<{ user: string; sealed: Uint8Array }>(
    tx.em,
    'select user_id_index as user, sealed from directory_member where id = ?',
    [memberId],
  )
  const person = personId && (await tx.em.findOne(Person, { id: personId }, { disableIdentityMap: true }))
  const [owner] = await sql<{ id: string }>(
    tx.em,
    "select id from person where company_id = ? and user_id_index = ? and state = 'active' and id <> ? limit 1",
    [companyId, member?.user ?? '', personId],
  )
  if (!member || !person || owner) return false
  const space = await readUserIdSpace(tx, companyId)
  const { userid } = openFactsOf(tx.house, { id: memberId, sealed: member.sealed })
  const facts = { ...openFacts(tx.house, person), userid: inSpace(space, userid) }
  await tx.em.nativeUpdate(
    Person,
    { id: person.id },
    {
      ...sealPerson(tx.house, space, person.id, facts),
      matched: 'found',
      version: person.version + 1,
      changedAtMs: tx.clock.now(),
    },
  )
  await trail(tx, { objectId: person.id, act: 'person.account_changed' })
  await linkPeople(tx, companyId, [{ id: memberId, user: member.user, person: null }])
  return true
}

/**
 * Somebody who joined, as a person of the staff: the one who has the account already, else whoever left with it and is
 * back, else a new one with the account and what WeCom lets us know of the name (nothing, for a third-party app). Returns
 * the person.
 */
export async function addJoiner(tx: Tx, joined: OpenChange): Promise<Id<'person'>> {
  const { companyId, memberId } = joined
  const [member] = await sql<{ user: string; sealed: Uint8Array; person: Id<'person'> | null }>(
    tx.em,
    'select user_id_index as user, sealed, person_id as person from directory_member where id = ?',
    [memberId],
  )
  if (!member) throw new Error('directory: a difference without its member')
  const row = { id: memberId, user: member.user, person: member.person }
  const known = (await linkPeople(tx, companyId, [row])).get(member.user)
  if (known) return known
  const { userid, name } = openFactsOf(tx.house, { id: memberId, sealed: member.sealed })
  const back = await bringBack(tx, { companyId, user: member.user, name })
  if (back !== null) {
    await linkPeople(tx, companyId, [row])
    return back
  }
  const id = tx.newId('person')
  const space = await readUserIdSpace(tx, companyId)
  const facts = { name: name ?? '', phone: null, staffNo: null, hireDate: null, note: null }
  await tx.em.insert(Person, {
    id,
    companyId,
    ...sealPerson(tx.house, space, id, { ...facts, userid: inSpace(space, userid) }),
    department: await departmentName(tx, joined),
    matched: 'found',
    state: 'active',
    version: 1,
    changedAtMs: tx.clock.now(),
  })
  await trail(tx, { objectId: id, act: 'person.joined', toState: 'active' })
  await linkPeople(tx, companyId, [row])
  return id
}

/**
 * Makes whoever left with this account last active again, and has them given back what was taken from them. Null where
 * nobody did, or WeCom tells another name: a company may give an account to somebody new.
 */
async function bringBack(
  tx: Tx,
  { companyId, user, name }: { readonly companyId: Id<'company'>; readonly user: string; readonly name: string | null },
): Promise<Id<'person'> | null> {
  const where = { companyId, userIdIndex: user, state: 'left' as const }
  const left = await tx.em.findOne(Person, where, {
    orderBy: { changedAtMs: 'desc', id: 'desc' },
    disableIdentityMap: true,
  })
  if (left === null) return null
  const before = openFacts(tx.house, left).name
  if (name !== null && before !== '' && name !== before) return null
  const now = tx.clock.now()
  const back = await change(
    tx.em,
    "update person set state = 'active', version = version + 1, changed_at_ms = ? where id = ? and state = 'left'",
    [now, left.id],
  )
  if (back !== 1) return null
  await trail(tx, { objectId: left.id, act: 'person.returned', fromState: 'left', toState: 'active' })
  const key = `returners.give-back:${left.id}:${now}`
  await enqueue(tx, [{ kind: 'returners.give-back', key, args: { companyId } }])
  return left.id
}
