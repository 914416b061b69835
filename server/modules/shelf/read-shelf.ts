import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import {
  amountCodes,
  listingCategories,
  validityCodes,
  type ListingDetail,
  type ListingSummary,
  type Shelf,
  type ShelfInput,
} from '../../../contract/store/shelf.ts'
import { storeChannels } from '../../../contract/store/order.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readBrands } from '../catalog/read-template.ts'
import { fixedFaces } from '../catalog/rules.ts'
import { chooseListings, type Chosen, type ShelfItem } from './choose-listings.ts'
import { knowShelf, type KnownShelf } from './know-shelf.ts'
import { promoOf } from './listing-rules.ts'
import { readListingForSale, readOwnTakings, readSegments } from './read-listing.ts'
import { leftOf, priceAt, priceFrom, promoLeft, type Promo } from './rules.ts'
import { searchTerms } from './search-words.ts'
import { readCursor, writeCursor, type ShelfCursor } from './shelf-cursor.ts'

/**
 * A page of what is on the shelf for this buyer (null: nobody has signed in), with how many there are by each facet. Stock and
 * prices are those of this instant. Refuses with `search_too_long` before anything is read, `cursor_expired` for a page of a
 * round that is over, `malformed_request` for a cursor that is none of ours or of another order.
 */
export async function readShelf(
  tx: Tx,
  query: ShelfInput,
  buyerId: Id<'buyer'> | null,
): Promise<z.input<typeof Shelf>> {
  const terms = searchTerms(query.search)
  const cursor = query.cursor === undefined ? null : readCursor(query.cursor)
  const { sort, second, limit } = query
  if (cursor !== null && (cursor.sort !== sort || cursor.second !== second))
    refuse('malformed_request', { field: 'cursor' })
  const shelf = await knowShelf(tx)
  const nowMs = tx.clock.now()
  const { round, atMs } = cursor ?? { round: shelf.round, atMs: nowMs }
  const sales = salesOf(shelf, cursor, round)
  const segments = buyerId === null ? [] : await readSegments(tx, buyerId)
  const after = cursor?.place ?? null
  const chosen = chooseListings(shelf.items.values(), shelf.codes, {
    terms,
    sort,
    second,
    limit,
    atMs,
    sales,
    segments,
    after,
    wanted: query,
  })
  return {
    listings: await present(tx, chosen.page, sales, buyerId),
    nextCursor: chosen.next === null ? null : writeCursor({ round, atMs, sort, second, place: chosen.next }),
    total: chosen.total,
    facets: presentFacets(shelf, chosen),
    nowMs,
  }
}

function salesOf(shelf: KnownShelf, cursor: ShelfCursor | null, round: number): ReadonlyMap<string, number> {
  if (cursor !== null && (round > shelf.round || round < shelf.round - 1)) refuse('cursor_expired', { field: 'cursor' })
  return shelf.rounds.get(round) ?? new Map<string, number>()
}

interface Counts extends Pick<Promo, 'promoStock' | 'promoPerBuyerCap' | 'promoTaken'> {
  readonly id: Id<'listing'>
  readonly stock: number | null
  readonly taken: number
  readonly ownPromo: number
}

/** What orders change, as it is now. */
async function readCounts(
  tx: Tx,
  ids: readonly Id<'listing'>[],
  buyerId: Id<'buyer'> | null,
): Promise<ReadonlyMap<Id<'listing'>, Counts>> {
  if (ids.length === 0) return new Map()
  const own = `(select count(*) from listing_taking where listing_taking.listing_id = listing.id
    and listing_taking.buyer_id = ? and listing_taking.promo_number = listing.promo_number
    and listing_taking.state <> 'returned')`
  const rows = await sql<Record<keyof Counts, unknown>>(
    tx.em,
    `select id, stock, taken, promo_stock as promoStock, promo_per_buyer_cap as promoPerBuyerCap,
        promo_taken as promoTaken, ${buyerId === null ? '0' : own} as ownPromo
      from listing where id in (${ids.map(() => '?').join(',')})`,
    [...(buyerId === null ? [] : [buyerId]), ...ids],
  )
  const numberOrNull = (value: unknown): number | null => (value === null ? null : Number(value))
  const read = rows.map((row): Counts => ({
    id: row.id as Id<'listing'>,
    stock: numberOrNull(row.stock),
    taken: Number(row.taken),
    promoStock: numberOrNull(row.promoStock),
    promoPerBuyerCap: numberOrNull(row.promoPerBuyerCap),
    promoTaken: Number(row.promoTaken),
    ownPromo: Number(row.ownPromo),
  }))
  return new Map(read.map((counts) => [counts.id, counts]))
}

async function present(
  tx: Tx,
  page: readonly ShelfItem[],
  sales: ReadonlyMap<string, number>,
  buyerId: Id<'buyer'> | null,
): Promise<z.input<typeof ListingSummary>[]> {
  const counts = await readCounts(
    tx,
    page.map(({ id }) => id),
    buyerId,
  )
  return page.map((item) => summaryOf(tx, item, counts.get(item.id)!, sales.get(item.id) ?? 0))
}

/** What a summary says of a listing besides what changes with each order. */
type Facts = Pick<
  ShelfItem,
  | 'id'
  | 'title'
  | 'subtitle'
  | 'category'
  | 'brandId'
  | 'brandName'
  | 'cover'
  | 'faces'
  | 'minFaceFen'
  | 'maxFaceFen'
  | 'stepFen'
  | 'priceBp'
  | 'validDays'
  | 'channels'
  | 'series'
  | 'giftable'
  | 'promo'
>

function summaryOf(tx: Tx, item: Facts, counts: Omit<Counts, 'id'>, sales: number): z.input<typeof ListingSummary> {
  const { promoStock, promoTaken, promoPerBuyerCap } = counts
  const promo = { ...item.promo, promoStock, promoTaken, promoPerBuyerCap }
  const now = priceAt(item.priceBp, promo, tx.clock.now(), counts.ownPromo)
  return {
    id: item.id,
    title: item.title,
    subtitle: item.subtitle,
    category: item.category,
    brand: { id: item.brandId, name: item.brandName },
    cover: item.cover,
    faces: [...item.faces],
    minFaceFen: item.minFaceFen,
    maxFaceFen: item.maxFaceFen,
    stepFen: item.stepFen,
    priceBp: now.priceBp,
    regularPriceBp: item.priceBp,
    priceFromFen: priceFrom(item, now.priceBp),
    promo: now.untilMs === null ? null : { priceBp: now.priceBp, untilMs: now.untilMs, left: promoLeft(promo) },
    validDays: item.validDays,
    channels: [...item.channels],
    left: leftOf(counts),
    series: item.series,
    giftable: item.giftable,
    sales,
  }
}

function presentFacets({ brandNames }: KnownShelf, { counts }: Chosen): z.input<typeof Shelf>['facets'] {
  const inOrder = <T extends string>(codes: readonly T[], counted: ReadonlyMap<string, number>) =>
    codes.flatMap((code) => (counted.has(code) ? [{ code, count: counted.get(code)! }] : []))
  const brands = [...counts.brand].map(([id, count]) => ({
    code: id as Id<'brand'>,
    name: brandNames.get(id)!,
    count,
  }))
  return {
    category: inOrder(listingCategories, counts.category),
    brand: brands.toSorted((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1)),
    amount: inOrder(amountCodes, counts.amount),
    validity: inOrder(validityCodes, counts.validity),
    channel: inOrder(storeChannels, counts.channel),
  }
}

/** A listing with all that is said before it is bought. Refuses as `readListingForSale` does. */
export async function readListing(
  tx: Tx,
  id: Id<'listing'>,
  buyerId: Id<'buyer'> | null,
): Promise<z.input<typeof ListingDetail>> {
  const { listing, version } = await readListingForSale(tx, id, buyerId)
  const [brand] = await readBrands(tx, [listing.brandId])
  if (brand === undefined) throw new Error(`listing ${id}: no brand ${listing.brandId}`)
  const own = buyerId === null ? null : await readOwnTakings(tx, listing, buyerId)
  const { perBuyerCap = null, stock = null } = listing
  const shelf = await knowShelf(tx)
  const facts: Facts = {
    ...listing,
    brandName: brand.name,
    cover: version.cover as Facts['cover'],
    faces: fixedFaces(version) as unknown as Facts['faces'],
    minFaceFen: version.minFaceFen,
    maxFaceFen: version.maxFaceFen,
    stepFen: version.stepFen,
    priceBp: version.priceBp,
    validDays: version.validDays ?? null,
    channels: JSON.parse(listing.channels) as Facts['channels'],
    promo: listing,
  }
  const counts = { ...listing, stock, ownPromo: own?.promo ?? 0 }
  return {
    ...summaryOf(tx, facts, counts, shelf.rounds.get(shelf.round)?.get(id) ?? 0),
    versionId: version.id,
    scope: version.scope,
    named: version.named,
    stock,
    coolingOffMs: version.coolingOffMs,
    rightMs: version.rightMs,
    perBuyerCap,
    buyerLeft: perBuyerCap === null || own === null ? null : Math.max(0, perBuyerCap - own.total),
    promoTerms: promoToTell(tx, listing),
    nowMs: tx.clock.now(),
  }
}

/** One that is over is of no interest to anybody. */
function promoToTell(tx: Tx, listing: Parameters<typeof promoOf>[0]): ListingDetail['promoTerms'] {
  const promo = promoOf(listing)
  return promo !== null && promo.untilMs > tx.clock.now() ? promo : null
}
