import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'

/**
 * Holds a company's wallet until the end of the transaction. Whoever is going to spend from it calls this before the first
 * row is written: a company that pays many orders at once then waits here, and not with rows that others wait for.
 */
export async function holdWallet(tx: Tx, companyId: Id<'company'>): Promise<void> {
  await change(tx.em, 'update wallet set version = version where company_id = ?', [companyId])
}
