import type { Id } from '../../../contract/ids.ts'
import type { RosterCells, RosterPerson } from '../../../contract/roster-row.ts'
import type { House } from '../../kernel/house.ts'
import type { UserIdSpace } from '../company/read-user-id-space.ts'
import { indexesOf } from './seal-person.ts'

const DEPARTMENT_CHARS = 200
const place = (rowId: string) => ({ table: 'roster_row', column: 'sealed', rowId })

/** A row as a person wrote it, and what it means. */
export interface RowContent {
  readonly cells: RosterCells
  readonly person: RosterPerson
}

/** The columns of a row that follow from its content: sealed text, fingerprints, and what is counted in the open. */
export function sealRow(house: House, space: UserIdSpace, id: Id<'rosterRow'>, { cells, person }: RowContent) {
  const facts = { name: person.name, phone: person.phone, staffNo: person.staffNo, userid: person.wecomUserId }
  return {
    sealed: house.seal.seal(place(id), JSON.stringify({ cells, person })),
    department: shortDepartment(person.department),
    amountFen: person.amountFen,
    ...rowIndexes(indexesOf(house, space, facts)),
  }
}

const rowIndexes = ({ phoneIndex, staffNoIndex, userIdIndex, nameIndex }: ReturnType<typeof indexesOf>) => ({
  phoneIndex,
  staffNoIndex,
  userIdIndex,
  nameIndex,
})

/** Opens a row; throws SealBroken. */
export function openRow(house: House, row: { readonly id: string; readonly sealed: Uint8Array }): RowContent {
  return JSON.parse(house.seal.open(place(row.id), row.sealed)) as RowContent
}

/** A department as it is stored in the open: at most 200 characters. */
export function shortDepartment(department: string | null): string | null {
  if (department === null || department.length <= DEPARTMENT_CHARS) return department
  return Array.from(department).slice(0, DEPARTMENT_CHARS).join('')
}
