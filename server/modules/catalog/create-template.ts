import type { Fen } from '../../../contract/fen.ts'
import type { TemplateView } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { checkTerms } from './rules.ts'
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
  /** For so long after its payment an unused card may be given back; none when it is not said. */
  readonly rightMs?: number
  /** What a card costs, in basis points of its face; 10,000 when it is not said. */
  readonly priceBp?: number
  readonly cover?: TemplateView['cover']
  readonly scope: string
}

/**
 * Makes a card template with its first, immutable version; returns the version's id. Refuses what no card may be: see
 * `checkTerms`. A version that stands here keeps the rules of cards, whoever chooses it later.
 */
export async function createTemplate(tx: Tx, template: NewTemplate): Promise<Id<'templateVersion'>> {
  return insertVersion(tx, tx.newId('template'), 1, template)
}

/**
 * Adds a version to a template; cards and campaigns of older versions stay as they are. Two at once give two numbers
 * or one error, never one number twice (the unique index decides). Refuses with `not_found` for an unknown template.
 */
export async function addTemplateVersion(
  tx: Tx,
  templateId: Id<'template'>,
  template: NewTemplate,
): Promise<Id<'templateVersion'>> {
  const [newest] = await tx.em.find(
    TemplateVersion,
    { templateId },
    { orderBy: { number: 'desc' }, limit: 1, disableIdentityMap: true },
  )
  if (newest === undefined) refuse('not_found')
  if (newest.brandId !== template.brandId) refuse('template_refused', { field: 'brandId' })
  return insertVersion(tx, templateId, newest.number + 1, template)
}

async function insertVersion(tx: Tx, templateId: Id<'template'>, number: number, template: NewTemplate) {
  const { faces = [], priceBp = 10_000, cover = 'plain', rightMs = 0, ...facts } = template
  checkTerms({ ...facts, faces, priceBp, rightMs })
  const id = tx.newId('templateVersion')
  await tx.em.insert(TemplateVersion, {
    id,
    templateId,
    number,
    kind: 'stored_value',
    faces: JSON.stringify(faces),
    priceBp,
    cover,
    rightMs,
    ...facts,
    createdAtMs: tx.clock.now(),
  })
  return id
}
