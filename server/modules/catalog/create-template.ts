import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { Brand, TemplateVersion } from './tables.ts'

export interface NewBrand {
  readonly name: string
  /** 2 to 8 digits, no other brand's. */
  readonly issuerPrefix: string
  /** Who collects WeChat payments for it; without, the brand takes none. */
  readonly wechatPay?: { readonly mchid: string; readonly appid: string } | null
}

/** Makes a brand whose card numbers begin with its prefix, at key epoch 0. */
export async function createBrand(tx: Tx, brand: NewBrand): Promise<Id<'brand'>> {
  if (!/^\d{2,8}$/.test(brand.issuerPrefix)) throw new RangeError('an issuer prefix has 2 to 8 digits')
  const id = tx.newId('brand')
  await tx.em.insert(Brand, {
    id,
    name: brand.name,
    issuerPrefix: brand.issuerPrefix,
    keyEpoch: 0,
    mchid: brand.wechatPay?.mchid ?? null,
    appid: brand.wechatPay?.appid ?? null,
    createdAtMs: tx.clock.now(),
  })
  return id
}

export interface NewTemplate {
  readonly brandId: Id<'brand'>
  readonly name: string
  readonly named: boolean
  /** The faces to choose from; empty: any in steps between minimum and maximum. */
  readonly faces?: readonly Fen[]
  readonly minFaceFen: Fen
  readonly maxFaceFen: Fen
  readonly stepFen: Fen
  readonly validDays: number | null
  readonly coolingOffMs: number
  /** What a card costs, in basis points of its face; 10,000 when it is not said. */
  readonly priceBp?: number
  readonly cover?: string
  readonly scope: string
}

/** Makes a card template with its first, immutable version; returns the version's id. */
export async function createTemplate(tx: Tx, template: NewTemplate): Promise<Id<'templateVersion'>> {
  const id = tx.newId('templateVersion')
  const { faces = [], priceBp = 10_000, cover = 'plain', ...facts } = template
  await tx.em.insert(TemplateVersion, {
    id,
    templateId: tx.newId('template'),
    number: 1,
    kind: 'stored_value',
    faces: JSON.stringify(faces),
    priceBp,
    cover,
    ...facts,
    createdAtMs: tx.clock.now(),
  })
  return id
}
