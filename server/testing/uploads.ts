import type { Id } from '../../contract/ids.ts'
import { importRoster } from '../../jobs/import-roster.ts'
import type { Ports } from '../channels/ports.ts'
import type { Edge } from '../kernel/context.ts'
import { receiveRoster } from '../modules/staff/receive-roster.ts'
import type { TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'

/** For work that calls nobody outside. */
export const noPorts = {} as Ports
let keys = 0

/** The HR of a company, at the edge. */
export const hrOf = (database: TestDatabase, company: TestCompany): Edge => database.edge(noPorts, company.as('hr'))

/** Uploads a staff list as the company's HR and reads it, as its job would. */
export async function anUpload(
  database: TestDatabase,
  company: TestCompany,
  list: string | Buffer,
  fileName = 'list.csv',
): Promise<Id<'roster'>> {
  keys += 1
  const upload = { fileName, again: true, key: `roster-${keys}` }
  const { id } = await receiveRoster(hrOf(database, company), upload, Buffer.from(list))
  await importRoster(database.edge(noPorts), id)
  return id
}
