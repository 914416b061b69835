import type { z } from 'zod'
import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Listings, ListingView, SoldVersion, UnlistedTemplates } from '../../../contract/operator/shelf.ts'
import type { ListingState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readBrands, readNewestVersions, readVersions, type TemplateVersionRow } from '../catalog/read-template.ts'
import { fixedFaces } from '../catalog/rules.ts'
import { factsOf } from './listing-rules.ts'
import { findListing } from './read-listing.ts'
import { leftOf } from './rules.ts'
import { searchTerms } from './search-words.ts'
import { Listing, type ListingRow } from './tables.ts'

export interface ListingPage {
  readonly state?: ListingState | undefined
  readonly search?: string | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

/** A page of all listings for operators, newest first. Refuses with `search_too_long`. */
export async function readListings(tx: Tx, page: ListingPage): Promise<z.input<typeof Listings>> {
  const { state, cursor, limit } = page
  const terms = searchTerms(page.search)
  const wheres = [
    '1 = 1',
    ...(state ? ['state = ?'] : []),
    ...(cursor ? ['id < ?'] : []),
    ...terms.map(() => "search_text like ? escape '!'"),
  ]
  const values = [...(state ? [state] : []), ...(cursor ? [cursor] : []), ...terms.map((term) => `%${escaped(term)}%`)]
  const found = await sql<{ id: Id<'listing'> }>(
    tx.em,
    `select id from listing where ${wheres.join(' and ')} order by id desc limit ${limit + 1}`,
    values,
  )
  const ids = found.slice(0, limit).map(({ id }) => id)
  const where = { id: { $in: ids } }
  const rows = await tx.em.find(Listing, where, { orderBy: { id: 'desc' }, disableIdentityMap: true })
  return { listings: await present(tx, rows), nextCursor: found.length > limit ? ids.at(-1)! : null }
}

/** What a text means that is part of a pattern: itself. */
const escaped = (text: string): string => text.replaceAll(/[!%_]/g, (sign) => `!${sign}`)

/** One listing as operators see it. Refuses with `not_found`. */
export async function viewListing(tx: Tx, id: Id<'listing'>): Promise<z.input<typeof ListingView>> {
  const [view] = await present(tx, [(await findListing(tx, id)) ?? refuse('not_found')])
  return view!
}

/** Templates that stand on no shelf and may, in their newest versions: cards with their holder's name may not. */
export async function readUnlisted(tx: Tx): Promise<z.input<typeof UnlistedTemplates>['templates']> {
  const listed = new Set(
    (await sql<{ id: string }>(tx.em, 'select template_id as id from listing')).map(({ id }) => id),
  )
  const versions = (await readNewestVersions(tx)).filter((one) => !one.named && !listed.has(one.templateId))
  const nameOf = await readBrandNames(tx, versions)
  return versions.map((version) => ({
    ...versionView(version),
    brand: { id: version.brandId, name: nameOf.get(version.brandId) ?? '' },
  }))
}

async function present(tx: Tx, rows: readonly ListingRow[]): Promise<z.input<typeof ListingView>[]> {
  const nameOf = await readBrandNames(tx, rows)
  const newestIds = await readNewestIds(tx, rows)
  const ids = new Set(rows.flatMap((row) => [row.templateVersionId, newestIds.get(row.templateId)!]))
  const versions = new Map((await readVersions(tx, [...ids])).map((version) => [version.id, version]))
  return rows.map((row) => {
    const newestId = newestIds.get(row.templateId)!
    return {
      id: row.id,
      state: row.state,
      version: row.version,
      brand: { id: row.brandId, name: nameOf.get(row.brandId) ?? '' },
      ...factsOf(row),
      sold: versionView(versions.get(row.templateVersionId)!),
      newest: newestId === row.templateVersionId ? null : versionView(versions.get(newestId)!),
      takenCount: row.taken,
      soldCount: row.sold,
      promoTakenCount: row.promoTaken,
      left: leftOf(row),
      nowMs: tx.clock.now(),
    }
  })
}

async function readBrandNames(tx: Tx, rows: readonly { readonly brandId: Id<'brand'> }[]) {
  const brands = await readBrands(tx, [...new Set(rows.map(({ brandId }) => brandId))])
  return new Map(brands.map((brand) => [brand.id, brand.name]))
}

/** The newest version of each listing's template. */
async function readNewestIds(
  tx: Tx,
  rows: readonly ListingRow[],
): Promise<ReadonlyMap<Id<'template'>, Id<'templateVersion'>>> {
  if (rows.length === 0) return new Map()
  const newest = await sql<{ templateId: Id<'template'>; id: Id<'templateVersion'> }>(
    tx.em,
    `select v.template_id as templateId, v.id as id from template_version v
      where v.template_id in (${rows.map(() => '?').join(',')}) and not exists (select 1 from template_version later
        where later.template_id = v.template_id and later.number > v.number)`,
    rows.map(({ templateId }) => templateId),
  )
  return new Map(newest.map(({ templateId, id }) => [templateId, id]))
}

const versionView = (version: TemplateVersionRow): z.input<typeof SoldVersion> => ({
  id: version.id,
  number: version.number,
  name: version.name,
  named: version.named,
  faces: fixedFaces(version) as Fen[],
  minFaceFen: version.minFaceFen,
  maxFaceFen: version.maxFaceFen,
  stepFen: version.stepFen,
  priceBp: version.priceBp,
  validDays: version.validDays ?? null,
  coolingOffMs: version.coolingOffMs,
  rightMs: version.rightMs,
  cover: version.cover as z.input<typeof SoldVersion>['cover'],
  scope: version.scope,
})
