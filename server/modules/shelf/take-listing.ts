import { LockMode } from '@mikro-orm/core'
import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { priceOf } from '../../../contract/price.ts'
import type { Tx } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { dialectOf, insertRows, sql, updateRows } from '../../kernel/sql.ts'
import { faceAllowed } from '../catalog/rules.ts'
import { readVersions, type TemplateVersionRow } from '../catalog/read-template.ts'
import type { ListingRow } from './read-listing.ts'
import { leftOf, priceAt, sayCap, sayFaces, sayPrice } from './rules.ts'
import { Listing } from './tables.ts'

/** What a buyer saw and wants. */
export interface TakingWish {
  readonly listingId: Id<'listing'>
  readonly versionId: Id<'templateVersion'>
  readonly faceFen: Fen
  readonly priceFen: Fen
  readonly buyerId: Id<'buyer'>
  readonly orderId: Id<'order'>
}

/** What was taken, as the order should keep it. */
export interface TakenListing {
  readonly version: TemplateVersionRow
  readonly title: string
  readonly isPromo: boolean
}

/**
 * Takes a card of a listing for each of any number of orders, before their payment, and answers in their order: stock and caps
 * are never passed, whoever asks at once. The listings are held, in the order of their ids, until the transaction ends; each wish
 * is decided in memory after the ones before it, by the server's clock, and all are written by one statement a table. A wish that
 * may not be is refused alone: `listing_gone` (also for one that is not for this buyer), `version_changed`, `face_refused`,
 * `price_changed`, `sold_out`, `over_buyer_cap`. Versions that the caller has read already are not read again.
 */
export async function takeListings(
  tx: Tx,
  wishes: readonly TakingWish[],
  known: readonly TemplateVersionRow[] = [],
): Promise<(TakenListing | AppError)[]> {
  const shelf = await openShelf(tx, wishes, known)
  const taken: { readonly wish: TakingWish; readonly promoNumber: number | null }[] = []
  const answers = wishes.map((wish) => {
    const answer = decide(tx, shelf, wish)
    if (answer instanceof AppError) return answer
    const now = shelf.listings.get(wish.listingId)!
    count(shelf, wish, now, answer.isPromo)
    taken.push({ wish, promoNumber: answer.isPromo ? now.listing.promoNumber : null })
    return answer
  })
  await writeTaken(tx, shelf, taken)
  return answers
}

/** A listing as it stands while this transaction holds it, and as its decisions change it. */
interface ListingNow {
  readonly listing: ListingRow
  readonly version: TemplateVersionRow
  taken: number
  promoTaken: number
}
interface Shelf {
  readonly listings: ReadonlyMap<Id<'listing'>, ListingNow>
  /** What buyers have, by listing and buyer. */
  readonly own: Map<string, { total: number; promo: number }>
  /** Audiences of buyers: `segment buyer`. */
  readonly audiences: ReadonlySet<string>
}
const ownKey = ({ listingId, buyerId }: Pick<TakingWish, 'listingId' | 'buyerId'>): string => `${listingId} ${buyerId}`

async function openShelf(tx: Tx, wishes: readonly TakingWish[], known: readonly TemplateVersionRow[]): Promise<Shelf> {
  const ids = [...new Set(wishes.map(({ listingId }) => listingId))].sort()
  const buyerIds = [...new Set(wishes.map(({ buyerId }) => buyerId))]
  const rows = await holdListings(tx, ids)
  const has = new Set(known.map(({ id }) => id))
  const others = new Set(rows.map(({ templateVersionId }) => templateVersionId).filter((id) => !has.has(id)))
  const versions = new Map([...known, ...(await readVersions(tx, [...others]))].map((version) => [version.id, version]))
  const listings = rows.map((listing) => {
    const version = versions.get(listing.templateVersionId)
    if (version === undefined)
      throw new Error(`listing ${listing.id}: no template version ${listing.templateVersionId}`)
    return [listing.id, { listing, version, taken: listing.taken, promoTaken: listing.promoTaken }] as const
  })
  return {
    listings: new Map(listings),
    own: await readOwn(tx, rows, buyerIds),
    audiences: await readAudiences(tx, rows, buyerIds),
  }
}

/** Until the end of the transaction, in the order of their ids; SQLite's writer holds all there is from its beginning. */
async function holdListings(tx: Tx, ids: readonly Id<'listing'>[]): Promise<ListingRow[]> {
  if (ids.length === 0) return []
  const held =
    dialectOf(tx.em) === 'mysql'
      ? ({ lockMode: LockMode.PESSIMISTIC_WRITE, indexHint: 'force index (primary)' } as const)
      : {}
  return tx.em.find(Listing, { id: { $in: [...ids] } }, { orderBy: { id: 'asc' }, disableIdentityMap: true, ...held })
}

async function readOwn(
  tx: Tx,
  rows: readonly ListingRow[],
  buyerIds: readonly Id<'buyer'>[],
): Promise<Map<string, { total: number; promo: number }>> {
  const capped = rows.filter(({ perBuyerCap, promoPerBuyerCap }) => perBuyerCap != null || promoPerBuyerCap != null)
  const own = new Map<string, { total: number; promo: number }>()
  if (capped.length === 0) return own
  const found = await sql<{ listingId: Id<'listing'>; buyerId: Id<'buyer'>; promo: number | null; n: unknown }>(
    tx.em,
    `select listing_id as listingId, buyer_id as buyerId, promo_number as promo, count(*) as n from listing_taking
      where listing_id in (${marks(capped)}) and buyer_id in (${marks(buyerIds)}) and state <> 'returned'
      group by listing_id, buyer_id, promo_number`,
    [...capped.map(({ id }) => id), ...buyerIds],
  )
  const promoOf = new Map(capped.map(({ id, promoNumber }) => [id, promoNumber]))
  for (const { listingId, buyerId, promo, n } of found) {
    const key = ownKey({ listingId, buyerId })
    const before = own.get(key) ?? { total: 0, promo: 0 }
    const atPromo = promo !== null && Number(promo) === promoOf.get(listingId) ? Number(n) : 0
    own.set(key, { total: before.total + Number(n), promo: before.promo + atPromo })
  }
  return own
}

async function readAudiences(
  tx: Tx,
  rows: readonly ListingRow[],
  buyerIds: readonly Id<'buyer'>[],
): Promise<ReadonlySet<string>> {
  const segments = [...new Set(rows.flatMap(({ segment }) => segment ?? []))]
  if (segments.length === 0) return new Set()
  const found = await sql<{ segment: string; buyerId: string }>(
    tx.em,
    `select segment, buyer_id as buyerId from segment_buyer
      where segment in (${marks(segments)}) and buyer_id in (${marks(buyerIds)})`,
    [...segments, ...buyerIds],
  )
  return new Set(found.map(({ segment, buyerId }) => `${segment} ${buyerId}`))
}

function decide(tx: Tx, shelf: Shelf, wish: TakingWish): TakenListing | AppError {
  const now = shelf.listings.get(wish.listingId)
  if (now === undefined || now.listing.state !== 'on') return new AppError('listing_gone')
  const { version, taken, promoTaken } = now
  const listing = { ...now.listing, taken, promoTaken }
  const { segment, perBuyerCap, promoPerBuyerCap } = listing
  if (segment != null && !shelf.audiences.has(`${segment} ${wish.buyerId}`)) return new AppError('listing_gone')
  if (version.id !== wish.versionId) return new AppError('version_changed')
  if (!faceAllowed(version, wish.faceFen))
    return new AppError('face_refused', { field: 'faceFen', detail: sayFaces(version) })
  if (leftOf(listing) === 0) return new AppError('sold_out')
  const own = shelf.own.get(ownKey(wish)) ?? { total: 0, promo: 0 }
  if (perBuyerCap != null && own.total >= perBuyerCap)
    return new AppError('over_buyer_cap', { detail: sayCap(perBuyerCap) })
  const nowMs = tx.clock.now()
  const price = priceAt(version.priceBp, listing, nowMs, own.promo)
  const priceFen = priceOf(wish.faceFen, price.priceBp)
  if (priceFen === wish.priceFen) return { version, title: listing.title, isPromo: price.isPromo }
  // Whoever has as many as the time-boxed price gives to one is told so, rather than of another price.
  const another = priceAt(version.priceBp, listing, nowMs, 0)
  if (promoPerBuyerCap != null && another.isPromo && priceOf(wish.faceFen, another.priceBp) === wish.priceFen)
    return new AppError('over_buyer_cap', { detail: sayCap(promoPerBuyerCap) })
  return new AppError('price_changed', { field: 'priceFen', detail: sayPrice(priceFen) })
}

function count(shelf: Shelf, wish: TakingWish, now: ListingNow, isPromo: boolean): void {
  now.taken += 1
  now.promoTaken += isPromo ? 1 : 0
  const own = shelf.own.get(ownKey(wish)) ?? { total: 0, promo: 0 }
  shelf.own.set(ownKey(wish), { total: own.total + 1, promo: own.promo + (isPromo ? 1 : 0) })
}

/** The guard stands in the statement again: what does not fit undoes all of it. */
async function writeTaken(
  tx: Tx,
  { listings }: Shelf,
  taken: readonly { readonly wish: TakingWish; readonly promoNumber: number | null }[],
): Promise<void> {
  if (taken.length === 0) return
  const changed = [...listings.values()].filter(({ listing, taken: after }) => after !== listing.taken)
  const rows = changed.map(({ listing, taken: after, promoTaken }) => ({
    id: listing.id,
    version: listing.version,
    before: listing.taken,
    after,
    promo_after: promoTaken,
  }))
  const written = await updateRows(
    tx.em,
    'listing',
    rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    {
      set: 'taken = new_after, promo_taken = new_promo_after',
      where: `listing.state = 'on' and listing.version = new_version and listing.taken = new_before
      and (listing.stock is null or new_after <= listing.stock)
      and (listing.promo_stock is null or new_promo_after <= listing.promo_stock)`,
    },
  )
  if (written !== rows.length) throw new Error(`${rows.length - written} listings changed while they were held`)
  const atMs = tx.clock.now()
  await insertRows(
    tx.em,
    'listing_taking',
    taken.map(({ wish, promoNumber }) => ({
      id: tx.newId('listingTaking'),
      listing_id: wish.listingId,
      buyer_id: wish.buyerId,
      order_id: wish.orderId,
      promo_number: promoNumber,
      state: 'held',
      version: 1,
      taken_at_ms: atMs,
    })),
  )
}

const marks = (list: readonly unknown[]): string => list.map(() => '?').join(',')
