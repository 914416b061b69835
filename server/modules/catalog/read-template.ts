import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { Brand, TemplateVersion } from './tables.ts'

/** Template versions by id. A version never changes, so a caller may keep what it read. */
export async function readVersions(tx: Tx, ids: readonly Id<'templateVersion'>[]) {
  return tx.em.find(TemplateVersion, { id: { $in: [...ids] } }, { disableIdentityMap: true })
}

/** Brands by id. */
export async function readBrands(tx: Tx, ids: readonly Id<'brand'>[]) {
  return tx.em.find(Brand, { id: { $in: [...ids] } }, { disableIdentityMap: true })
}
