import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readSum } from '../../kernel/columns.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readUserIdSpace } from '../company/read-user-id-space.ts'
import { indexesOfSearch, openFacts } from './seal-person.ts'

/** Whether we know the WeCom userid: from the list, from a look-up, that there is none, or not yet. */
export type Matched = 'unknown' | 'listed' | 'found' | 'none'

export interface OpenPerson {
  readonly id: Id<'person'>
  readonly name: string
  readonly phone: string | null
  readonly department: string | null
  readonly staffNo: string | null
  /** As it is kept: in lower case in a corp's own space. */
  readonly userid: string | null
  readonly matched: Matched
}

interface PersonRow {
  readonly id: Id<'person'>
  readonly sealed: Uint8Array
  readonly department: string | null
  readonly matched: Matched
  readonly state: 'active' | 'left'
}

const PER_QUERY = 1000
const FOUND_AT_MOST = 50

/** The people with these ids, opened, in the order asked for; ids that nobody has are passed over. */
export async function openPeople(tx: Tx, personIds: readonly Id<'person'>[]): Promise<OpenPerson[]> {
  const people = new Map<string, OpenPerson>()
  for (let from = 0; from < personIds.length; from += PER_QUERY) {
    const ids = personIds.slice(from, from + PER_QUERY)
    const slots = ids.map(() => '?').join(',')
    const rows = await sql<PersonRow>(
      tx.em,
      `select id, sealed, department, matched, state from person where id in (${slots})`,
      ids,
    )
    for (const row of rows) people.set(row.id, opened(tx, row))
  }
  return personIds.flatMap((id) => people.get(id) ?? [])
}

function opened(tx: Tx, row: PersonRow): OpenPerson {
  const { name, phone, staffNo, userid } = openFacts(tx.house, row)
  return { id: row.id, name, phone, department: row.department, staffNo, userid, matched: row.matched }
}

/** How many people a company has now. */
export async function countPeople(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const [row] = await sql<{ people: unknown }>(
    tx.em,
    "select count(*) as people from person where company_id = ? and state = 'active'",
    [companyId],
  )
  return readSum(row?.people)
}

/**
 * The people of the actor's company whose name, phone, staff number or WeCom account is exactly the text, or whose
 * phone ends in it where it is four digits; at most 50, newest first. People who left are among them.
 */
export async function searchPeople(
  tx: Tx,
  text: string,
): Promise<(OpenPerson & { readonly state: 'active' | 'left' })[]> {
  const companyId = companyOf(tx.actor)
  const index = indexesOfSearch(tx.house, await readUserIdSpace(tx, companyId), text)
  const ways: [string, string | null][] = [
    ['name_index', index.nameIndex],
    ['phone_index', index.phoneIndex],
    ['staff_no_index', index.staffNoIndex],
    ['user_id_index', index.userIdIndex],
    ['listed_user_id_index', index.userIdIndex],
    ['phone_tail_index', index.phoneTailIndex],
  ]
  const found = new Map<string, PersonRow>()
  for (const [column, value] of ways) {
    if (value === null) continue
    const rows = await sql<PersonRow>(
      tx.em,
      `select id, sealed, department, matched, state from person where company_id = ? and ${column} = ? order by id desc limit ?`,
      [companyId, value, FOUND_AT_MOST],
    )
    for (const row of rows) found.set(row.id, row)
  }
  const rows = [...found.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, FOUND_AT_MOST)
  return rows.map((row) => ({ ...opened(tx, row), state: row.state }))
}
