import { fen } from '../../contract/fen.ts'
import type { Id } from '../../contract/ids.ts'
import type { RosterState } from '../../contract/states.ts'
import { namePlace } from '../modules/staff/receive-roster.ts'
import { sealRow } from '../modules/staff/seal-row.ts'
import { Roster, RosterRow } from '../modules/staff/tables.ts'
import { somePeople, type TestPerson } from './campaigns.ts'
import type { TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'

export interface ListedPerson extends TestPerson {
  readonly amountFen?: number | null
}

export interface TestRoster {
  readonly id: Id<'roster'>
  readonly rowIds: readonly Id<'rosterRow'>[]
  readonly personIds: readonly Id<'person'>[]
}

/** A list of a company that was applied: its people are staff, its rows point at them. `again` lists a person twice. */
export async function aUsedRoster(
  database: TestDatabase,
  company: TestCompany,
  listed: readonly ListedPerson[],
  more: { readonly state?: RosterState; readonly again?: readonly number[] } = {},
): Promise<TestRoster> {
  const personIds = await somePeople(database, company.id, listed)
  const order = [...listed.keys(), ...(more.again ?? [])]
  const id = await database.tx(async (tx) => {
    const rosterId = tx.newId('roster')
    await tx.em.insert(Roster, {
      id: rosterId,
      companyId: company.id,
      state: more.state ?? 'used',
      version: 1,
      nameSealed: tx.house.seal.seal(namePlace(rosterId), '九月在职.xlsx'),
      contentIndex: tx.house.seal.blindIndex('test', rosterId),
      sizeBytes: 1,
      chunkCount: 0,
      rowsRead: order.length,
      rowCount: order.length,
      faultyCount: 0,
      markLeavers: false,
      createdBy: company.members.hr,
      createdAtMs: tx.clock.now(),
      usedAtMs: tx.clock.now(),
      eraseAtMs: tx.clock.now(),
    })
    return rosterId
  })
  const rowIds: Id<'rosterRow'>[] = []
  for (let from = 0; from < order.length; from += 1000)
    await database.tx(async (tx) => {
      const rows = order.slice(from, from + 1000).map((index, at) => {
        const { name, phone = null, userid = null, department = null, amountFen = null } = listed[index] as ListedPerson
        const amount = amountFen === null ? null : fen(amountFen)
        const blank = { staffNo: null, hireDate: null, note: null }
        const person = { ...blank, name, phone, department, wecomUserId: userid, amountFen: amount }
        const rowId = tx.newId('rosterRow')
        const sealed = sealRow(tx.house, 'folded', rowId, { cells: {}, person })
        const flags = { faulty: false, removed: false, readingVersion: 1, personId: personIds[index] ?? null }
        return { id: rowId, rosterId: id, rowNo: from + at + 2, ...sealed, ...flags }
      })
      await tx.em.insertMany(RosterRow, rows)
      rowIds.push(...rows.map((row) => row.id))
    })
  return { id, rowIds, personIds }
}
