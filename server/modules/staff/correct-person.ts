import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import { describeRowFault, normaliseRow, type RowFault } from '../../../contract/roster-row.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { openFacts, sealPerson, type PersonFacts } from './seal-person.ts'
import { Person } from './tables.ts'

const DAY_MS = 86_400_000

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
  const said = readCorrection(correction)
  const phoneChanges = said.phone !== null && said.phone !== before.phone
  const forgets = phoneChanges && person.matched !== 'listed'
  const facts: PersonFacts = {
    ...before,
    phone: said.phone ?? before.phone,
    userid: said.userid ?? (forgets ? null : before.userid),
  }
  const matched = said.userid !== null ? 'listed' : forgets ? 'unknown' : person.matched
  const columns = sealPerson(tx.house, personId, facts)
  if (said.userid !== null && columns.userIdIndex !== person.userIdIndex)
    await refuseTaken(tx, person.companyId, personId, 'user_id_index', columns.userIdIndex)
  if (phoneChanges) await refuseTaken(tx, person.companyId, personId, 'phone_index', columns.phoneIndex)
  const changed = await tx.em.nativeUpdate(
    Person,
    { id: personId, version: person.version },
    { ...columns, matched, version: person.version + 1, changedAtMs: tx.clock.now() },
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
  return { phone: person.phone, userid: person.wecomUserId?.toLowerCase() ?? null }
}

function sayFault(fault: RowFault, lang: Lang): string {
  const { message, suggestion } = describeRowFault(fault, lang)
  return lang === 'zh' ? `${message}：${suggestion}。` : `${message}: ${suggestion}.`
}

async function refuseTaken(
  tx: Tx,
  companyId: Id<'company'>,
  personId: Id<'person'>,
  column: 'user_id_index' | 'phone_index',
  value: string | null,
): Promise<void> {
  const [other] = await sql(
    tx.em,
    `select 1 from person where company_id = ? and ${column} = ? and state = 'active' and id <> ? limit 1`,
    [companyId, value, personId],
  )
  if (other) refuse('person_taken', { field: column === 'phone_index' ? 'phone' : 'wecomUserId' })
}

/** A person as it was read, and what a look-up by mobile gave: a userid, or null where WeCom knows no such number. */
export interface LookedUp {
  readonly id: Id<'person'>
  readonly version: number
  readonly facts: PersonFacts
  readonly userid: string | null
}

/**
 * Keeps what look-ups gave, except for people who were changed meanwhile: they are looked up again. A number that WeCom
 * did not know is counted in any case, for WeCom counts it too.
 */
export async function keepLookedUp(tx: Tx, people: readonly LookedUp[]): Promise<void> {
  const now = tx.clock.now()
  for (const { id, version, facts, userid } of people) {
    if (userid === null)
      await change(
        tx.em,
        'update person set misses = case when missed_at_ms > ? then misses + 1 else 1 end, missed_at_ms = ? where id = ?',
        [now - DAY_MS, now, id],
      )
    const columns = sealPerson(tx.house, id, { ...facts, userid })
    await change(
      tx.em,
      "update person set sealed = ?, user_id_index = ?, matched = ?, changed_at_ms = ?, version = version + 1 where id = ? and version = ? and matched = 'unknown'",
      [columns.sealed, columns.userIdIndex, userid === null ? 'none' : 'found', now, id, version],
    )
  }
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
