import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** The active companies whose connection to WeCom works. */
export async function readConnectedCompanies(tx: Tx): Promise<Id<'company'>[]> {
  const rows = await sql<{ id: Id<'company'> }>(
    tx.em,
    `select company.id from company join wecom_connection on wecom_connection.company_id = company.id
     where company.state = 'active' and wecom_connection.state = 'active' order by company.id`,
  )
  return rows.map((row) => row.id)
}
