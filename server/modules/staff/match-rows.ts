import type { Id } from '../../../contract/ids.ts'
import type { RosterField, RosterPerson } from '../../../contract/roster-row.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { inSpace, readUserIdSpace, type UserIdSpace } from '../company/read-user-id-space.ts'
import type { Matched } from './read-people.ts'
import { inOrder, nextWindow } from './row-order.ts'
import { openFacts, type PersonFacts } from './seal-person.ts'
import { openRow, shortDepartment } from './seal-row.ts'

/** A row of a list that may be applied, with its fingerprints. */
export interface ValidRow extends KeyedRow {
  readonly sealed: Uint8Array
  readonly department: string | null
}

interface KnownPerson {
  readonly id: Id<'person'>
  readonly sealed: Uint8Array
  readonly department: string | null
  readonly phone_index: string | null
  readonly staff_no_index: string | null
  /** By which a list knows them: the listed account where WeCom knows the person by another one. */
  readonly user_id_index: string | null
  readonly matched: Matched
  readonly state: 'active' | 'left'
  readonly version: number
}

/** What applying a row does: the person it is about as that person is to be, and how it differs from now. */
export interface RowEffect {
  readonly row: ValidRow
  readonly kind: 'joiner' | 'changed' | 'unchanged'
  /** The person as we have it; null for somebody new. Somebody who left and is listed again is a joiner too. */
  readonly known: { readonly id: Id<'person'>; readonly version: number; readonly state: 'active' | 'left' } | null
  readonly facts: PersonFacts
  readonly department: string | null
  readonly matched: Matched
  /** True when there is anything to write, even where no field differs. */
  readonly writes: boolean
  readonly fields: readonly { readonly field: RosterField; readonly before: string; readonly after: string }[]
}

const rowColumns = 'id, row_no, sealed, department, phone_index, staff_no_index, user_id_index'

/**
 * Rows without a fault that were not taken out, in order, from the next window of row numbers after one. `last` is where
 * to go on, null at the end of the list.
 */
export async function readValidRows(
  tx: Tx,
  wish: {
    readonly rosterId: Id<'roster'>
    readonly after: number
    readonly span: number
    readonly unapplied?: boolean
  },
): Promise<{ rows: ValidRow[]; last: number | null }> {
  const window = await nextWindow(tx, wish)
  if (window === null) return { rows: [], last: null }
  const more = wish.unapplied === true ? ' and person_id is null' : ''
  const rows = await sql<ValidRow>(
    tx.em,
    `select ${rowColumns} from roster_row where roster_id = ? and row_no between ? and ? and faulty = 0 and removed = 0${more}`,
    [wish.rosterId, ...window],
  )
  return { rows: inOrder(rows), last: window[1] }
}

interface KeyedRow {
  readonly id: Id<'rosterRow'>
  readonly row_no: number
  readonly phone_index: string | null
  readonly staff_no_index: string | null
  readonly user_id_index: string | null
}

/**
 * What each row means for the company's people. Every person belongs to at most one row of the list: the first with
 * their WeCom account, else with their staff number, else with their phone. A phone alone does not tie somebody whose
 * account or staff number is another: numbers are given to new people. So the outcome is the same in whatever slices,
 * and however often, a list is matched.
 */
export async function matchRows(
  tx: Tx,
  companyId: Id<'company'>,
  rosterId: Id<'roster'>,
  rows: readonly ValidRow[],
): Promise<RowEffect[]> {
  const known = {
    user_id_index: await knownBy(tx, companyId, 'user_id_index', rows),
    staff_no_index: await knownBy(tx, companyId, 'staff_no_index', rows),
    phone_index: await knownBy(tx, companyId, 'phone_index', rows),
  }
  const candidates = keyColumns.flatMap((column) => [...known[column].values()].flat())
  const owners = {
    user_id_index: await firstRowsBy(tx, rosterId, 'user_id_index', candidates),
    staff_no_index: await firstRowsBy(tx, rosterId, 'staff_no_index', candidates),
    phone_index: await firstRowsBy(tx, rosterId, 'phone_index', candidates),
  }
  const ownerOf = (person: KnownPerson): string | null => {
    const by = (column: KeyColumn) => owners[column].get(person[column] ?? '')
    const phoneRow = by('phone_index')
    const last = phoneRow && mayBe(phoneRow, person) ? phoneRow.id : null
    return by('user_id_index')?.id ?? by('staff_no_index')?.id ?? last
  }
  const space = await readUserIdSpace(tx, companyId)
  return rows.map((row) => {
    const fitting = keyColumns.flatMap((column) => known[column].get(row[column] ?? '') ?? [])
    return effectOf(tx, space, row, fitting.find((person) => ownerOf(person) === row.id) ?? null)
  })
}

/** Whether a row with somebody's phone can be about them: nothing speaks against it. */
function mayBe(row: KeyedRow, person: KnownPerson): boolean {
  const differ = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b
  return !differ(row.user_id_index, person.user_id_index) && !differ(row.staff_no_index, person.staff_no_index)
}

/** For each key of these people the first row of the list that has it, faulty or not. */
async function firstRowsBy(tx: Tx, rosterId: Id<'roster'>, column: KeyColumn, people: readonly KnownPerson[]) {
  const keys = [...new Set(people.flatMap((person) => person[column] ?? []))]
  const first = new Map<string, KeyedRow>()
  if (keys.length === 0) return first
  const rows = await sql<KeyedRow>(
    tx.em,
    `select id, row_no, phone_index, staff_no_index, user_id_index from roster_row
     where roster_id = ? and removed = 0 and ${column} in (${keys.map(() => '?').join(',')})`,
    [rosterId, ...keys],
  )
  for (const row of inOrder(rows)) {
    const key = row[column]
    if (key !== null && !first.has(key)) first.set(key, row)
  }
  return first
}

/** By what people are known, the strongest first. */
const keyColumns = ['user_id_index', 'staff_no_index', 'phone_index'] as const
type KeyColumn = (typeof keyColumns)[number]

/** The account by which a list knows a person. */
const listedAccount = 'coalesce(listed_user_id_index, user_id_index)'

function conditionOf(column: KeyColumn, keys: number): string {
  const some = Array.from({ length: keys }, () => '?').join(',')
  if (column !== 'user_id_index') return `${column} in (${some})`
  return `(listed_user_id_index in (${some}) or (listed_user_id_index is null and user_id_index in (${some})))`
}

/** People by one of their keys, those who are still there first. */
async function knownBy(tx: Tx, companyId: Id<'company'>, column: KeyColumn, rows: readonly ValidRow[]) {
  const keys = [...new Set(rows.flatMap((row) => row[column] ?? []))]
  const found = new Map<string, KnownPerson[]>()
  if (keys.length === 0) return found
  const people = await sql<KnownPerson>(
    tx.em,
    `select id, sealed, department, phone_index, staff_no_index, ${listedAccount} as user_id_index, matched, state, version
     from person where company_id = ? and ${conditionOf(column, keys.length)}`,
    column === 'user_id_index' ? [companyId, ...keys, ...keys] : [companyId, ...keys],
  )
  const rank = ({ state, id }: KnownPerson): string => `${state} ${id}`
  for (const person of people.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))) {
    const key = person[column]
    if (key !== null) found.set(key, [...(found.get(key) ?? []), person])
  }
  return found
}

function effectOf(tx: Tx, space: UserIdSpace, row: ValidRow, known: KnownPerson | null): RowEffect {
  const { person } = openRow(tx.house, row)
  if (known === null) {
    const { matched, ...account } = newAccount(space, person.wecomUserId)
    const facts = { ...factsOf(person, null), ...account }
    return { row, kind: 'joiner', known, facts, department: row.department, matched, writes: true, fields: [] }
  }
  const before = openFacts(tx.house, known)
  const { matched, ...account } = accountOf(space, person, before, known.matched)
  const facts = { ...factsOf(person, before), ...account }
  const department = shortDepartment(person.department) ?? known.department
  const fields = differences({ ...before, department: known.department }, { ...facts, department })
  const back = known.state === 'left'
  return {
    row,
    kind: back ? 'joiner' : fields.length > 0 ? 'changed' : 'unchanged',
    known: { id: known.id, version: Number(known.version), state: known.state },
    facts,
    department,
    matched,
    writes: back || fields.length > 0 || matched !== known.matched,
    fields,
  }
}

/** What the list says, and where it says nothing what we knew: a blank cell erases nothing. */
function factsOf(
  person: RosterPerson,
  before: PersonFacts | null,
): Omit<PersonFacts, 'userid' | 'listedUserid' | 'listedUnknown'> {
  return {
    name: person.name,
    phone: person.phone ?? before?.phone ?? null,
    staffNo: person.staffNo ?? before?.staffNo ?? null,
    hireDate: person.hireDate ?? before?.hireDate ?? null,
    birthday: person.birthday ?? before?.birthday ?? null,
    note: person.note ?? before?.note ?? null,
  }
}

type Account = Pick<PersonFacts, 'userid' | 'listedUserid' | 'listedUnknown'> & { readonly matched: Matched }

/** What an account that a list names says: in a provider's space it must be asked for first. */
export function newAccount(space: UserIdSpace, listed: string | null): Account {
  if (listed === null) return { userid: null, matched: 'unknown' }
  if (space === 'folded') return { userid: inSpace(space, listed), matched: 'listed' }
  return { userid: null, listedUserid: listed, matched: 'unknown' }
}

/** The account of the list; without one, what we knew, unless it was looked up by a phone that is no longer theirs. */
function accountOf(space: UserIdSpace, person: RosterPerson, before: PersonFacts, matched: Matched): Account {
  const { userid, listedUserid, listedUnknown } = before
  const kept: Account = {
    userid,
    matched,
    ...(listedUserid === undefined ? {} : { listedUserid }),
    ...(listedUnknown === undefined ? {} : { listedUnknown }),
  }
  const listed = person.wecomUserId === null ? null : inSpace(space, person.wecomUserId)
  if (listed !== null) {
    if (space === 'folded') return newAccount(space, listed)
    return listed === userid || listed === listedUserid ? kept : newAccount(space, listed)
  }
  const otherPhone = person.phone !== null && person.phone !== before.phone
  return otherPhone && matched !== 'listed' ? { ...kept, userid: null, matched: 'unknown' } : kept
}

type Comparable = PersonFacts & { readonly department: string | null }
type TextKey = Exclude<keyof Comparable, 'listedUserid' | 'listedUnknown'>

function differences(before: Comparable, after: Comparable): RowEffect['fields'] {
  const pairs: [RosterField, TextKey][] = [
    ['staffNo', 'staffNo'],
    ['name', 'name'],
    ['phone', 'phone'],
    ['department', 'department'],
    ['wecomUserId', 'userid'],
    ['hireDate', 'hireDate'],
    ['birthday', 'birthday'],
    ['note', 'note'],
  ]
  const textOf = (one: Comparable, key: TextKey): string =>
    (key === 'userid' ? (one.listedUserid ?? one.userid) : one[key]) ?? ''
  return pairs.flatMap(([field, key]) => {
    const [was, is] = [textOf(before, key), textOf(after, key)]
    return was === is ? [] : { field, before: was, after: is }
  })
}

/** People looked through for leavers at once: one look at all of them would keep everybody else waiting. */
const PEOPLE_PER_PAGE = 1000

/** Some of a company's people by id: after one, up to another; null is the end. */
export interface StaffPage {
  readonly after: string
  readonly upTo: string | null
}

/** The company's people now, cut into pages of 1,000. */
export async function pageStaff(tx: Tx, companyId: Id<'company'>): Promise<StaffPage[]> {
  const ends = await sql<{ id: string }>(
    tx.em,
    `select id from (
       select id, row_number() over (order by id) as place from person where company_id = ? and state = 'active'
     ) placed where place % ${PEOPLE_PER_PAGE} = 0 order by id`,
    [companyId],
  )
  const bounds = ['', ...ends.map((end) => end.id)]
  return bounds.map((after, index) => ({ after, upTo: bounds[index + 1] ?? null }))
}

export interface Leaver {
  readonly id: Id<'person'>
  readonly sealed: Uint8Array
  readonly department: string | null
}

/** Those of a page of the company's people who are on no row of the list, by id. */
export async function readLeavers(
  tx: Tx,
  wish: { readonly companyId: Id<'company'>; readonly rosterId: Id<'roster'>; readonly page: StaffPage },
): Promise<Leaver[]> {
  const { after, upTo } = wish.page
  const missing = notOnList(wish.rosterId)
  return sql<Leaver>(
    tx.em,
    `select p.id, p.sealed, p.department from person p
     where p.company_id = ? and p.state = 'active' and p.id > ?${upTo === null ? '' : ' and p.id <= ?'} and ${missing.text} order by p.id`,
    [wish.companyId, after, ...(upTo === null ? [] : [upTo]), ...missing.values],
  )
}

/**
 * People (`p`) who are on no row of the list, as a condition. Rows with faults and rows that
 * were taken out count as well, and a faulty row also by its name: nobody leaves because of a typing slip.
 */
const notOnList = (rosterId: Id<'roster'>) => {
  const no = (condition: string): string =>
    `not exists (select 1 from roster_row r where r.roster_id = ? and ${condition})`
  const conditions = [
    'r.person_id = p.id',
    'r.user_id_index = coalesce(p.listed_user_id_index, p.user_id_index)',
    'r.staff_no_index = p.staff_no_index',
    'r.phone_index = p.phone_index',
    'r.faulty = 1 and r.name_index = p.name_index',
  ]
  return { text: conditions.map(no).join(' and '), values: conditions.map(() => rosterId) }
}
