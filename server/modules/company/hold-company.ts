import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'

/**
 * Holds a company's row until the end of the transaction, so that two changes of its members or its connection come one
 * after the other: an ignored insert followed by an update would else bring them to a deadlock on MariaDB. A write that
 * changes nothing takes the lock. Refuses with `not_found`.
 */
export async function holdCompany(tx: Tx, companyId: Id<'company'>): Promise<void> {
  await change(tx.em, 'update company set created_at_ms = created_at_ms where id = ?', [companyId])
  const rows = await sql(tx.em, 'select 1 from company where id = ?', [companyId])
  if (rows.length === 0) refuse('not_found')
}
