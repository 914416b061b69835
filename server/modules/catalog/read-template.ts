import type { Fen } from '../../../contract/fen.ts'
import type { TemplateView } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import type { House } from '../../kernel/house.ts'
import { sql } from '../../kernel/sql.ts'
import { fixedFaces } from './rules.ts'
import { Brand, TemplateVersion, type TemplateVersionRow } from './tables.ts'

export type { TemplateVersionRow } from './tables.ts'

/** Versions that were read, by house; so many at most, then they are read anew. */
const kept = new WeakMap<House, Map<Id<'templateVersion'>, TemplateVersionRow>>()
const MOST_KEPT = 10_000

/** Template versions by id, in the order of their ids. A version never changes: a process reads each once, and a caller may keep it. */
export async function readVersions(
  tx: Tx,
  ids: readonly Id<'templateVersion'>[],
): Promise<Readonly<TemplateVersionRow>[]> {
  const known = kept.get(tx.house) ?? new Map<Id<'templateVersion'>, TemplateVersionRow>()
  const wanted = [...new Set(ids)].sort()
  const missing = wanted.filter((id) => !known.has(id))
  const where = { id: { $in: missing } }
  const read = missing.length === 0 ? [] : await tx.em.find(TemplateVersion, where, { disableIdentityMap: true })
  const found = new Map(read.map((version) => [version.id, version]))
  const versions = wanted.flatMap((id) => known.get(id) ?? found.get(id) ?? [])
  if (known.size + read.length > MOST_KEPT) known.clear()
  for (const version of read) known.set(version.id, version)
  kept.set(tx.house, known)
  return versions
}

/** Brands by id. */
export async function readBrands(tx: Tx, ids: readonly Id<'brand'>[]) {
  return tx.em.find(Brand, { id: { $in: [...ids] } }, { disableIdentityMap: true })
}

/** Brands' own merchants at WeChat Pay; null: a brand has none. */
export async function readOwnMerchants(
  tx: Tx,
  brandIds: readonly Id<'brand'>[],
): Promise<ReadonlyMap<Id<'brand'>, WechatPayMerchant | null>> {
  if (brandIds.length === 0) return new Map()
  const rows = await sql<{ id: Id<'brand'>; mchid: string | null; appid: string | null }>(
    tx.em,
    `select id, mchid, appid from brand where id in (${brandIds.map(() => '?').join(',')}) order by id`,
    brandIds,
  )
  return new Map(rows.map(({ id, mchid, appid }) => [id, mchid && appid ? { mchid, appid } : null]))
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
