import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { Company } from './tables.ts'

export interface NewCompany {
  /** What people type to sign in: 2 to 32 of a-z, 0-9 and hyphen. */
  readonly code: string
  readonly name: string
  readonly paymentRoute: 'strict' | 'non_cash'
}

/** Makes a tenant. Refuses with `company_code_taken`; throws RangeError on a code or a name that cannot be one. */
export async function createCompany(tx: Tx, company: NewCompany): Promise<Id<'company'>> {
  if (!/^[a-z0-9-]{2,32}$/.test(company.code)) throw new RangeError('a company code is a slug of 2 to 32 characters')
  const name = company.name.trim()
  if (name === '' || name.length > 100) throw new RangeError('a company name has 1 to 100 characters')
  const id = tx.newId('company')
  const { code, paymentRoute } = company
  try {
    await tx.em.insert(Company, { id, code, name, paymentRoute, state: 'active', createdAtMs: tx.clock.now() })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('company_code_taken', { field: 'code' })
    throw error
  }
  await trail(tx, { objectId: id, act: 'company.created', toState: 'active' })
  return id
}
