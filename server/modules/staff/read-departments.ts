import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

const PER_QUERY = 1000
/** More than a company has; what a list offers to choose from. */
const MOST = 1000

/**
 * The department of each of these people, empty for those without one: as a list says it (a person's first row counts),
 * or as the staff says it now where no list is given. People whom neither knows are left out.
 */
export async function readDepartments(
  tx: Tx,
  wish: { readonly rosterId: Id<'roster'> | null; readonly personIds: readonly string[] },
): Promise<Map<string, string>> {
  const { rosterId, personIds } = wish
  const found = new Map<string, string>()
  for (let from = 0; from < personIds.length; from += PER_QUERY) {
    const some = personIds.slice(from, from + PER_QUERY)
    const slots = some.map(() => '?').join(',')
    const rows = await sql<{ person: string; department: string | null }>(
      tx.em,
      rosterId === null
        ? `select id as person, department from person where id in (${slots})`
        : `select person_id as person, department from roster_row
            where roster_id = ? and faulty = 0 and removed = 0 and person_id in (${slots}) order by row_no`,
      rosterId === null ? some : [rosterId, ...some],
    )
    for (const { person, department } of rows) if (!found.has(person)) found.set(person, department ?? '')
  }
  return found
}

/** The departments of a company's staff now, by name; without the empty one. */
export async function nameDepartments(tx: Tx, companyId: Id<'company'>): Promise<string[]> {
  const rows = await sql<{ department: string }>(
    tx.em,
    `select distinct department from person
      where company_id = ? and state = 'active' and department is not null order by department limit ${MOST}`,
    [companyId],
  )
  return rows.map((row) => row.department).filter((name) => name !== '')
}
