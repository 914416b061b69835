import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readVersions, type TemplateVersionRow } from '../catalog/read-template.ts'
import { Listing, type ListingRow } from './tables.ts'

export type { ListingRow } from './tables.ts'

/** A listing that may be bought, with what it sells now. */
export interface ListingForSale {
  readonly listing: ListingRow
  readonly version: TemplateVersionRow
}

/**
 * A listing that this buyer may see and buy; null: somebody who has not signed in. Refuses with `listing_gone`, and in the same
 * words, one that there is not, that is off the shelf, or that is for others.
 */
export async function readListingForSale(
  tx: Tx,
  id: Id<'listing'>,
  buyerId: Id<'buyer'> | null,
): Promise<ListingForSale> {
  const listing = (await findListing(tx, id)) ?? refuse('listing_gone')
  if (listing.state !== 'on' || !(await isFor(tx, listing.segment ?? null, buyerId))) refuse('listing_gone')
  const [version] = await readVersions(tx, [listing.templateVersionId])
  if (version === undefined) throw new Error(`listing ${id}: no template version ${listing.templateVersionId}`)
  return { listing, version }
}

export async function findListing(tx: Tx, id: Id<'listing'>): Promise<ListingRow | null> {
  return tx.em.findOne(Listing, { id }, { disableIdentityMap: true })
}

/** The listing of a template, or null. */
export async function findListingOf(tx: Tx, templateId: Id<'template'>): Promise<ListingRow | null> {
  return tx.em.findOne(Listing, { templateId }, { disableIdentityMap: true })
}

async function isFor(tx: Tx, segment: string | null, buyerId: Id<'buyer'> | null): Promise<boolean> {
  if (segment === null) return true
  return buyerId !== null && (await readSegments(tx, buyerId)).includes(segment)
}

/** The audiences that a buyer belongs to. */
export async function readSegments(tx: Tx, buyerId: Id<'buyer'>): Promise<string[]> {
  const rows = await sql<{ segment: string }>(tx.em, 'select segment from segment_buyer where buyer_id = ?', [buyerId])
  return rows.map(({ segment }) => segment)
}

/** What a buyer has of a listing, unpaid ones too: in all, and at the time-boxed price of this number. */
export interface OwnTakings {
  readonly total: number
  readonly promo: number
}

export async function readOwnTakings(
  tx: Tx,
  listing: Pick<ListingRow, 'id' | 'promoNumber'>,
  buyerId: Id<'buyer'>,
): Promise<OwnTakings> {
  const [own] = await sql<{ total: unknown; promo: unknown }>(
    tx.em,
    `select count(*) as total, sum(case when promo_number = ? then 1 else 0 end) as promo
      from listing_taking where listing_id = ? and buyer_id = ? and state <> 'returned'`,
    [listing.promoNumber, listing.id, buyerId],
  )
  return { total: readSum(own?.total), promo: readSum(own?.promo) }
}
