import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { priceOf } from '../../../contract/price.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { faceAllowed } from '../catalog/rules.ts'
import { readListingForSale, readOwnTakings, type ListingForSale, type ListingRow } from './read-listing.ts'
import { leftOf, priceAt, sayCap, sayFaces, sayPrice } from './rules.ts'
import { ListingTaking } from './tables.ts'

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
  readonly brandId: Id<'brand'>
  readonly title: string
  readonly series: boolean
  /** How many a series has. */
  readonly stock: number | null
  readonly giftable: boolean
  readonly isPromo: boolean
  readonly coolingOffMs: number
  readonly rightMs: number
}

/** How often it is looked at again when an operator changed the listing in between. */
const TRIES = 3

/**
 * Takes one card of a listing for an order, before its payment: stock and caps are never passed, whoever asks at once. All of a
 * listing's takings wait for its row, so take it as late in the transaction as can be. Price and face are reckoned anew by the
 * server's clock. Refuses with `listing_gone`, `version_changed`, `face_refused`, `price_changed`, `sold_out`,
 * `over_buyer_cap`; nothing is taken then, for the transaction rolls back.
 */
export async function takeListing(tx: Tx, wish: TakingWish): Promise<TakenListing> {
  for (let tried = 1; ; tried += 1) {
    const sale = await readListingForSale(tx, wish.listingId, wish.buyerId)
    const isPromo = await checkWish(tx, sale, wish)
    if (await takeOne(tx, sale.listing, isPromo)) return keepTaking(tx, sale, wish, isPromo)
    if (tried === TRIES) refuse('sold_out')
  }
}

/** Whether it is at the time-boxed price. */
async function checkWish(tx: Tx, { listing, version }: ListingForSale, wish: TakingWish): Promise<boolean> {
  if (version.id !== wish.versionId) refuse('version_changed')
  if (!faceAllowed(version, wish.faceFen)) refuse('face_refused', { field: 'faceFen', detail: sayFaces(version) })
  if (leftOf(listing) === 0) refuse('sold_out')
  const own = await readOwnTakings(tx, listing, wish.buyerId)
  const { perBuyerCap, promoPerBuyerCap } = listing
  if (perBuyerCap != null && own.total >= perBuyerCap) refuse('over_buyer_cap', { detail: sayCap(perBuyerCap) })
  const nowMs = tx.clock.now()
  const now = priceAt(version.priceBp, listing, nowMs, own.promo)
  const price = priceOf(wish.faceFen, now.priceBp)
  if (price === wish.priceFen) return now.isPromo
  // Whoever has as many as the time-boxed price gives to one is told so, rather than of another price.
  const another = priceAt(version.priceBp, listing, nowMs, 0)
  if (promoPerBuyerCap != null && another.isPromo && priceOf(wish.faceFen, another.priceBp) === wish.priceFen)
    refuse('over_buyer_cap', { detail: sayCap(promoPerBuyerCap) })
  return refuse('price_changed', { field: 'priceFen', detail: sayPrice(price) })
}

/** False: what was read of the listing does not hold (any more), or there is none left. */
async function takeOne(tx: Tx, listing: ListingRow, isPromo: boolean): Promise<boolean> {
  const promo = isPromo ? ' and (promo_stock is null or promo_taken < promo_stock)' : ''
  const changed = await change(
    tx.em,
    `update listing set taken = taken + 1, promo_taken = promo_taken + ? where id = ? and state = 'on' and version = ?
      and (stock is null or taken < stock)${promo}`,
    [isPromo ? 1 : 0, listing.id, listing.version],
  )
  return changed === 1
}

/** From here on nobody else takes of the listing before this transaction ends: what the buyer has is exact. */
async function keepTaking(
  tx: Tx,
  { listing, version }: ListingForSale,
  wish: TakingWish,
  isPromo: boolean,
): Promise<TakenListing> {
  const { perBuyerCap, promoPerBuyerCap } = listing
  const own = await readOwnTakings(tx, listing, wish.buyerId)
  if (perBuyerCap != null && own.total >= perBuyerCap) refuse('over_buyer_cap', { detail: sayCap(perBuyerCap) })
  if (isPromo && promoPerBuyerCap != null && own.promo >= promoPerBuyerCap)
    refuse('over_buyer_cap', { detail: sayCap(promoPerBuyerCap) })
  await tx.em.insert(ListingTaking, {
    id: tx.newId('listingTaking'),
    listingId: listing.id,
    buyerId: wish.buyerId,
    orderId: wish.orderId,
    promoNumber: isPromo ? listing.promoNumber : null,
    state: 'held',
    version: 1,
    takenAtMs: tx.clock.now(),
  })
  return {
    brandId: listing.brandId,
    title: listing.title,
    series: listing.series,
    stock: listing.stock ?? null,
    giftable: listing.giftable,
    isPromo,
    coolingOffMs: version.coolingOffMs,
    rightMs: version.rightMs,
  }
}
