import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import { describeRowFault, normaliseRow, type RowFault } from '../../../contract/roster-row.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import { newAccount } from './match-rows.ts'
import { indexesOf, openFacts, sealPerson, type PersonFacts } from './seal-person.ts'
import { Person } from './tables.ts'

/** How a person can be reached, as somebody who knows better says. */
export interface Correction {
  readonly wecomUserId?: string | null | undefined
  readonly phone?: string | null | undefined
}

/**
 * Corrects the WeCom account or the phone of a person of the actor's company, by the rules of the staff list. A new
 * phone forgets what a look-up by the old one found, so that it is looked up again. Refuses with `not_found` for
 * another company's person, `malformed_request` for what no list may hold, `person_taken` when somebody else of the
 * company has that account or phone, `state_conflict` when the person changed meanwhile.
 */
export async function correctPerson(tx: Tx, personId: Id<'person'>, correction: Correction): Promise<void> {
  const person = await findOwn(tx, Person, personId)
  const before = openFacts(tx.house, person)
  const space = await readUserIdSpace(tx, person.companyId)
  const said = readCorrection(correction)
  const phoneChanges = said.phone !== null && said.phone !== before.phone
  const forgets = phoneChanges && person.matched !== 'listed'
  const { matched, ...account } =
    said.userid !== null ? await accountSaid(tx, space, person.companyId, said.userid) : keptAccount(before, forgets)
  const facts: PersonFacts = { ...before, phone: said.phone ?? before.phone, ...account }
  const columns = sealPerson(tx.house, space, personId, facts)
  for (const index of [columns.userIdIndex, columns.listedUserIdIndex])
    if (said.userid !== null && index !== null)
      for (const column of ['user_id_index', 'listed_user_id_index'] as const)
        await refuseTaken(tx, person.companyId, personId, column, index)
  if (phoneChanges) await refuseTaken(tx, person.companyId, personId, 'phone_index', columns.phoneIndex)
  const changed = await tx.em.nativeUpdate(
    Person,
    { id: personId, version: person.version },
    { ...columns, matched: matched ?? person.matched, version: person.version + 1, changedAtMs: tx.clock.now() },
  )
  if (changed !== 1) refuse('state_conflict')
  const what = [said.userid === null ? [] : 'userid', phoneChanges ? 'phone' : []].flat().join(',')
  await trail(tx, { objectId: personId, act: 'person.corrected', note: what })
}

function readCorrection(correction: Correction): { phone: string | null; userid: string | null } {
  const cells = { name: '-', phone: correction.phone ?? '', wecomUserId: correction.wecomUserId ?? '' }
  const { person, faults } = normaliseRow(cells, new Set(['name', 'phone', 'wecomUserId']))
  const [fault] = faults
  if (fault)
    refuse('malformed_request', {
      field: fault.field,
      detail: { zh: sayFault(fault, 'zh'), en: sayFault(fault, 'en') },
    })
  return { phone: person.phone, userid: person.wecomUserId }
}

function sayFault(fault: RowFault, lang: Lang): string {
  const { message, suggestion } = describeRowFault(fault, lang)
  return lang === 'zh' ? `${message}：${suggestion}。` : `${message}: ${suggestion}.`
}

type SaidAccount = Partial<ReturnType<typeof newAccount>>

/** In a provider's space a person may name the account as WeCom's directory shows it to us, or as their own corp has it. */
async function accountSaid(
  tx: Tx,
  space: UserIdSpace,
  companyId: Id<'company'>,
  userid: string,
): Promise<SaidAccount & Pick<PersonFacts, 'userid'>> {
  const listed = newAccount(space, userid)
  if (space === 'folded') return listed
  const { userIdIndex } = indexesOf(tx.house, space, { name: '', phone: null, staffNo: null, userid })
  const [member] = await sql(
    tx.em,
    "select 1 from directory_member where company_id = ? and user_id_index = ? and state = 'present'",
    [companyId, userIdIndex],
  )
  const known = { userid, listedUserid: null, matched: 'listed' } as const
  return member ? known : { ...listed, listedUnknown: false }
}

const keptAccount = (before: PersonFacts, forgets: boolean): SaidAccount & Pick<PersonFacts, 'userid'> =>
  forgets ? { userid: null, matched: 'unknown' } : { userid: before.userid }

async function refuseTaken(
  tx: Tx,
  companyId: Id<'company'>,
  personId: Id<'person'>,
  column: 'user_id_index' | 'listed_user_id_index' | 'phone_index',
  value: string | null,
): Promise<void> {
  const [other] = await sql(
    tx.em,
    `select 1 from person where company_id = ? and ${column} = ? and state = 'active' and id <> ? limit 1`,
    [companyId, value, personId],
  )
  if (other) refuse('person_taken', { field: column === 'phone_index' ? 'phone' : 'wecomUserId' })
}

/**
 * Forgets that WeCom did not know these people, so that the next message looks their numbers up again; the misses still
 * count against the day's ration. Returns how many were forgotten.
 */
export async function forgetMatches(tx: Tx, personIds: readonly Id<'person'>[]): Promise<number> {
  if (personIds.length === 0) return 0
  const ids = [...new Set(personIds)].sort()
  return change(
    tx.em,
    `update person set matched = 'unknown', version = version + 1 where matched = 'none' and id in (${ids.map(() => '?').join(',')})`,
    ids,
  )
}
