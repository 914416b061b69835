import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { Company } from './tables.ts'

export interface CompanyChange {
  readonly id: Id<'company'>
  readonly name: string
  readonly paymentRoute: 'strict' | 'non_cash'
}

/**
 * Brings a company's name and payment route in line. Returns false when they already were, or there is no such
 * company. Throws RangeError on a name that cannot be one.
 */
export async function changeCompany(tx: Tx, change: CompanyChange): Promise<boolean> {
  const { id, paymentRoute } = change
  const name = change.name.trim()
  if (name === '' || name.length > 100) throw new RangeError('a company name has 1 to 100 characters')
  const differs = { $or: [{ name: { $ne: name } }, { paymentRoute: { $ne: paymentRoute } }] }
  const changed = await tx.em.nativeUpdate(Company, { id, ...differs }, { name, paymentRoute })
  if (changed !== 1) return false
  await trail(tx, { objectId: id, act: 'company.changed', note: `payment route ${paymentRoute}` })
  return true
}
