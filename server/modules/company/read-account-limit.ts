import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { WecomConnection } from './tables.ts'

/** How many accounts the company may have in WeCom, as WeCom or the company told us; null while nobody did. */
export async function readAccountLimit(tx: Tx, companyId: Id<'company'>): Promise<number | null> {
  const where = { companyId }
  const row = await tx.em.findOne(WecomConnection, where, { disableIdentityMap: true, fields: ['accountLimit'] })
  return row?.accountLimit ?? null
}
