import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { readBrands } from '../catalog/read-template.ts'
import { Merchant } from './tables.ts'

/** Makes a merchant of a brand. Refuses with `not_found` for no such brand, `merchant_name_taken` within the brand. */
export async function createMerchant(
  tx: Tx,
  merchant: { readonly brandId: Id<'brand'>; readonly name: string },
): Promise<Id<'merchant'>> {
  const { brandId } = merchant
  if ((await readBrands(tx, [brandId])).length === 0) refuse('not_found')
  const id = tx.newId('merchant')
  const row = { id, brandId, name: merchant.name, state: 'active' as const, version: 1, createdAtMs: tx.clock.now() }
  try {
    await tx.em.insert(Merchant, row)
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('merchant_name_taken', { field: 'name' })
    throw error
  }
  await trail(tx, { objectId: id, act: 'merchant.created', toState: 'active' })
  return id
}
