import type { Fen } from '../../../contract/fen.ts'
import type { TemplateView } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { fixedFaces } from './rules.ts'
import { Brand, TemplateVersion, type TemplateVersionRow } from './tables.ts'

export type { TemplateVersionRow } from './tables.ts'

/** Template versions by id. A version never changes, so a caller may keep what it read. */
export async function readVersions(tx: Tx, ids: readonly Id<'templateVersion'>[]) {
  return tx.em.find(TemplateVersion, { id: { $in: [...ids] } }, { disableIdentityMap: true })
}

/** Brands by id. */
export async function readBrands(tx: Tx, ids: readonly Id<'brand'>[]) {
  return tx.em.find(Brand, { id: { $in: [...ids] } }, { disableIdentityMap: true })
}

/** How many brands a page lists: a platform has dozens. */
const MOST_BRANDS = 500

/** All brands, by name. */
export async function readAllBrands(tx: Tx) {
  return tx.em.find(Brand, {}, { orderBy: { name: 'asc', id: 'asc' }, limit: MOST_BRANDS, disableIdentityMap: true })
}

/** The newest version of every template, oldest template first. */
export async function readNewestVersions(tx: Tx): Promise<TemplateVersionRow[]> {
  const newest = await sql<{ id: Id<'templateVersion'> }>(
    tx.em,
    'select v.id as id from template_version v join (select template_id, max(number) as number from template_version group by template_id) n on n.template_id = v.template_id and n.number = v.number',
  )
  const where = { id: { $in: newest.map((row) => row.id) } }
  return tx.em.find(TemplateVersion, where, { orderBy: { templateId: 'asc' }, disableIdentityMap: true })
}

/** Versions as a company sees them, in the order given, with their brands. */
export async function viewTemplates(tx: Tx, versions: readonly TemplateVersionRow[]): Promise<TemplateView[]> {
  const brands = new Map((await readBrands(tx, [...new Set(versions.map((one) => one.brandId))])).map((b) => [b.id, b]))
  return versions.map((version) => {
    const brand = brands.get(version.brandId)
    if (brand === undefined) throw new Error(`template version ${version.id} has no brand`)
    return {
      versionId: version.id,
      name: version.name,
      brand: { id: brand.id, name: brand.name, takesWechatPay: brand.mchid !== null && brand.appid !== null },
      named: version.named,
      faces: fixedFaces(version) as Fen[],
      minFaceFen: version.minFaceFen,
      maxFaceFen: version.maxFaceFen,
      stepFen: version.stepFen,
      validDays: version.validDays ?? null,
      priceBp: version.priceBp,
      cover: version.cover as TemplateView['cover'],
      scope: version.scope,
    }
  })
}

/** By how many days a brand's cards may be made valid again. Throws when there is no such brand. */
export async function readExtendDays(tx: Tx, brandId: Id<'brand'>): Promise<number> {
  const [brand] = await readBrands(tx, [brandId])
  if (brand === undefined) throw new Error(`no brand ${brandId}`)
  return brand.extendDays
}
