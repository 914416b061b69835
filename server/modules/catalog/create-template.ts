import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { Brand, TemplateVersion } from './tables.ts'

export interface NewBrand {
  readonly name: string
  /** 2 to 8 digits, no other brand's. */
  readonly issuerPrefix: string
}

/** Makes a brand whose card numbers begin with its prefix, at key epoch 0. */
export async function createBrand(tx: Tx, brand: NewBrand): Promise<Id<'brand'>> {
  if (!/^\d{2,8}$/.test(brand.issuerPrefix)) throw new RangeError('an issuer prefix has 2 to 8 digits')
  const id = tx.newId('brand')
  await tx.em.insert(Brand, { id, ...brand, keyEpoch: 0, createdAtMs: tx.clock.now() })
  return id
}

export interface NewTemplate {
  readonly brandId: Id<'brand'>
  readonly name: string
  readonly named: boolean
  readonly minFaceFen: Fen
  readonly maxFaceFen: Fen
  readonly stepFen: Fen
  readonly validDays: number | null
  readonly coolingOffMs: number
  readonly scope: string
}

/** Makes a card template with its first, immutable version; returns the version's id. */
export async function createTemplate(tx: Tx, template: NewTemplate): Promise<Id<'templateVersion'>> {
  const id = tx.newId('templateVersion')
  const row = { id, templateId: tx.newId('template'), number: 1, ...template, createdAtMs: tx.clock.now() }
  await tx.em.insert(TemplateVersion, row)
  return id
}
