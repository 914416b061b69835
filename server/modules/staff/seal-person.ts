import type { Id } from '../../../contract/ids.ts'
import { normaliseRow, rosterFields } from '../../../contract/roster-row.ts'
import type { House } from '../../kernel/house.ts'

/** What we know of a person that is personal. `userid` is folded to lower case: WeCom compares without regard to it. */
export interface PersonFacts {
  readonly name: string
  readonly phone: string | null
  readonly staffNo: string | null
  readonly hireDate: string | null
  readonly note: string | null
  readonly userid: string | null
}

const place = (rowId: string) => ({ table: 'person', column: 'sealed', rowId })

/** Fingerprints for exact search: one purpose for lists and for people, so that the two can be compared. */
export function indexesOf(house: House, facts: Pick<PersonFacts, 'name' | 'phone' | 'staffNo' | 'userid'>) {
  const print = (purpose: string, value: string | null): string | null =>
    value === null || value === '' ? null : house.seal.blindIndex(`staff.${purpose}`, value)
  return {
    phoneIndex: print('phone', facts.phone),
    staffNoIndex: print('staffNo', facts.staffNo),
    userIdIndex: print('userid', facts.userid === null ? null : facts.userid.toLowerCase()),
    nameIndex: print('name', facts.name),
  }
}

/**
 * The fingerprints of a text that somebody searches for: read as a cell of a list is read, so that width, blanks and a
 * country's number make no difference. What it cannot be is null.
 */
export function indexesOfSearch(house: House, text: string) {
  const { person } = normaliseRow({ name: text, phone: text, staffNo: text, wecomUserId: text }, new Set(rosterFields))
  const { name, phone, staffNo, wecomUserId } = person
  const tail = staffNo !== null && /^\d{4}$/.test(staffNo) ? phoneTailIndex(house, staffNo) : null
  return { ...indexesOf(house, { name, phone, staffNo, userid: wecomUserId }), phoneTailIndex: tail }
}

/** The fingerprint of the last four digits of a phone. */
export function phoneTailIndex(house: House, phone: string | null): string | null {
  return phone === null ? null : house.seal.blindIndex('staff.phoneTail', phone.slice(-4))
}

/** The columns of a person's row that follow from the facts: one sealed text and its fingerprints. */
export function sealPerson(house: House, id: Id<'person'>, facts: PersonFacts) {
  const indexes = indexesOf(house, facts)
  return {
    sealed: house.seal.seal(place(id), JSON.stringify(facts)),
    ...indexes,
    nameIndex: indexes.nameIndex ?? house.seal.blindIndex('staff.name', ''),
    phoneTailIndex: phoneTailIndex(house, facts.phone),
  }
}

/** Opens a person's sealed facts; throws SealBroken. */
export function openFacts(house: House, row: { readonly id: string; readonly sealed: Uint8Array }): PersonFacts {
  return JSON.parse(house.seal.open(place(row.id), row.sealed)) as PersonFacts
}
