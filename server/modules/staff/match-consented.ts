import type { Id } from '../../../contract/ids.ts'
import { readPhone } from '../../../contract/roster-row.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { holdCompany } from '../company/hold-company.ts'
import { inSpace, readUserIdSpace } from '../company/read-user-id-space.ts'
import { memberIndex } from './directory-rows.ts'
import { recordChanges } from './record-changes.ts'
import { indexesOf, openFacts, sealPerson } from './seal-person.ts'
import { Person } from './tables.ts'

/** `taken`: the mobile's person has another account, or the account another person; `unknown`: nobody has this mobile. */
export type ConsentMatch =
  | { readonly kind: 'matched'; readonly personId: Id<'person'> }
  | { readonly kind: 'taken' }
  | { readonly kind: 'unknown' }

/**
 * Ties an account to the person of the staff whose mobile its owner proved to have. Once: one account belongs to one
 * person, and a second account for the same mobile is refused and stands in the directory's differences, for HR to
 * decide. Harmless to repeat.
 */
export async function matchConsented(
  tx: Tx,
  companyId: Id<'company'>,
  proved: { readonly userid: string; readonly mobile: string },
): Promise<ConsentMatch> {
  await holdCompany(tx, companyId)
  const space = await readUserIdSpace(tx, companyId)
  const phone = readPhone(proved.mobile).value
  if (phone === null) return { kind: 'unknown' }
  const userid = inSpace(space, proved.userid)
  const { phoneIndex, userIdIndex } = indexesOf(tx.house, space, { name: '', phone, staffNo: null, userid })
  const find = (where: { phoneIndex: string | null } | { userIdIndex: string | null }) =>
    tx.em.find(
      Person,
      { companyId, state: 'active', ...where },
      { limit: 2, orderBy: { id: 'asc' }, disableIdentityMap: true },
    )
  const [[person, second], [owner]] = [await find({ phoneIndex }), await find({ userIdIndex })]
  if (!person || second) return { kind: 'unknown' }
  if (owner?.id === person.id) return { kind: 'matched', personId: person.id }
  const facts = openFacts(tx.house, person)
  if (owner || facts.userid !== null) {
    await tellHr(tx, companyId, memberIndex(tx.house, space, userid), person.id)
    return { kind: 'taken' }
  }
  const columns = sealPerson(tx.house, space, person.id, { ...facts, userid })
  await tx.em.nativeUpdate(
    Person,
    { id: person.id },
    { ...columns, matched: 'found', version: person.version + 1, changedAtMs: tx.clock.now() },
  )
  await trail(tx, { objectId: person.id, act: 'person.matched', note: 'consent' })
  return { kind: 'matched', personId: person.id }
}

async function tellHr(tx: Tx, companyId: Id<'company'>, userIdIndex: string, personId: Id<'person'>): Promise<void> {
  await trail(tx, { objectId: personId, act: 'person.second_account' })
  const [member] = await sql<{ id: Id<'directoryMember'>; departments: string }>(
    tx.em,
    'select id, departments from directory_member where company_id = ? and user_id_index = ?',
    [companyId, userIdIndex],
  )
  if (!member) return
  const second = { memberId: member.id, personId, from: null, to: member.departments }
  await recordChanges(tx, companyId, 'second', [second])
}
