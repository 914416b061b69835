import type { Id } from '../../../contract/ids.ts'
import { normaliseRow, rosterFields } from '../../../contract/roster-row.ts'
import type { House } from '../../kernel/house.ts'
import { inSpace, type UserIdSpace } from '../company/read-user-id-space.ts'

/** What we know of a person that is personal. */
export interface PersonFacts {
  readonly name: string
  readonly phone: string | null
  readonly staffNo: string | null
  readonly hireDate: string | null
  /** MM-DD. */
  readonly birthday?: string | null
  readonly note: string | null
  /** As it is kept in the company's space: folded to lower case in a corp's own, as it came in a provider's. */
  readonly userid: string | null
  /**
   * In a provider's space only: the account that a list names, which is the corp's own id as a rule and stands for
   * another one there. `listedUnknown`: WeCom did not know it, so it is not asked for again.
   */
  readonly listedUserid?: string | null
  readonly listedUnknown?: boolean
}

/** What `indexesOf` makes fingerprints of. */
type Keys = Pick<PersonFacts, 'name' | 'phone' | 'staffNo' | 'userid' | 'listedUserid'>

const place = (rowId: string) => ({ table: 'person', column: 'sealed', rowId })

/** Fingerprints for exact search: one purpose for lists and for people, so that the two can be compared. */
export function indexesOf(house: House, space: UserIdSpace, facts: Keys) {
  const print = (purpose: string, value: string | null): string | null =>
    value === null || value === '' ? null : house.seal.blindIndex(`staff.${purpose}`, value)
  const userid = (value: string | null) => print('userid', value === null ? null : inSpace(space, value))
  return {
    phoneIndex: print('phone', facts.phone),
    staffNoIndex: print('staffNo', facts.staffNo),
    userIdIndex: userid(facts.userid),
    listedUserIdIndex: userid(facts.listedUserid ?? null),
    nameIndex: print('name', facts.name),
  }
}

/**
 * The fingerprints of a text that somebody searches for: read as a cell of a list is read, so that width, blanks and a
 * country's number make no difference. What it cannot be is null.
 */
export function indexesOfSearch(house: House, space: UserIdSpace, text: string) {
  const { person } = normaliseRow({ name: text, phone: text, staffNo: text, wecomUserId: text }, new Set(rosterFields))
  const { name, phone, staffNo, wecomUserId } = person
  const tail = staffNo !== null && /^\d{4}$/.test(staffNo) ? phoneTailIndex(house, staffNo) : null
  return { ...indexesOf(house, space, { name, phone, staffNo, userid: wecomUserId }), phoneTailIndex: tail }
}

/** The fingerprint of the last four digits of a phone. */
export function phoneTailIndex(house: House, phone: string | null): string | null {
  return phone === null ? null : house.seal.blindIndex('staff.phoneTail', phone.slice(-4))
}

/** Days of the year on which somebody may get a card. */
export type PersonDay = 'birthday' | 'hireDay'

/** The fingerprint of a day of the year (MM-DD) as people have it. */
export function dayIndex(house: House, day: PersonDay, monthDay: string): string {
  return house.seal.blindIndex(`staff.${day}`, monthDay)
}

/** The fingerprints of the days of the year that a person has; null for one that is not known. */
export function dayIndexesOf(house: House, { birthday, hireDate }: Pick<PersonFacts, 'birthday' | 'hireDate'>) {
  return {
    birthdayIndex: birthday ? dayIndex(house, 'birthday', birthday) : null,
    hireDayIndex: hireDate ? dayIndex(house, 'hireDay', hireDate.slice(5)) : null,
  }
}

/** The columns of a person's row that follow from the facts: one sealed text and its fingerprints. */
export function sealPerson(house: House, space: UserIdSpace, id: Id<'person'>, facts: PersonFacts) {
  const indexes = indexesOf(house, space, facts)
  return {
    sealed: house.seal.seal(place(id), JSON.stringify(facts)),
    ...indexes,
    nameIndex: indexes.nameIndex ?? house.seal.blindIndex('staff.name', ''),
    phoneTailIndex: phoneTailIndex(house, facts.phone),
    ...dayIndexesOf(house, facts),
  }
}

/** Opens a person's sealed facts; throws SealBroken. */
export function openFacts(house: House, row: { readonly id: string; readonly sealed: Uint8Array }): PersonFacts {
  return JSON.parse(house.seal.open(place(row.id), row.sealed)) as PersonFacts
}
