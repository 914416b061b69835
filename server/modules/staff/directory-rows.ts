import type { Id } from '../../../contract/ids.ts'
import type { House } from '../../kernel/house.ts'
import { inSpace, type UserIdSpace } from '../company/read-user-id-space.ts'

/** What is sealed of a member of the directory. A third-party app never learns the name. */
export interface MemberFacts {
  readonly userid: string
  readonly name: string | null
}

/** The fingerprint of a userid: the same as that of a person, so that the two are found by each other. */
export const memberIndex = (house: House, space: UserIdSpace, userid: string): string =>
  house.seal.blindIndex('staff.userid', inSpace(space, userid))

const place = (rowId: string) => ({ table: 'directory_member', column: 'sealed', rowId })

/** Seals what is known of a member for the member's own row. */
export const sealFacts = (house: House, id: Id<'directoryMember'>, facts: MemberFacts): Buffer =>
  house.seal.seal(place(id), JSON.stringify(facts))

/** Opens what `sealFacts` sealed; throws SealBroken. */
export const openFactsOf = (house: House, row: { readonly id: string; readonly sealed: Uint8Array }): MemberFacts =>
  JSON.parse(house.seal.open(place(row.id), row.sealed)) as MemberFacts

/** The longest text that `departments` holds: what does not fit is left out from the end, whole numbers only. */
const DEPARTMENTS_CHARS = 1000

/** Department numbers as they are stored: sorted, each once, by comma. */
export function joinDepartments(departments: Iterable<number>): string {
  const sorted = [...new Set(departments)].sort((a, b) => a - b)
  let text = ''
  for (const department of sorted) {
    const longer = text === '' ? String(department) : `${text},${department}`
    if (longer.length > DEPARTMENTS_CHARS) break
    text = longer
  }
  return text
}

/** The numbers that `joinDepartments` wrote. */
export const splitDepartments = (text: string): number[] => (text === '' ? [] : text.split(',').map(Number))

/** Slots of an SQL list. */
export const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')
