import type { ListingFacts } from '../../../contract/operator/shelf.ts'
import { refuse } from '../../kernel/errors.ts'
import type { TemplateVersionRow } from '../catalog/read-template.ts'
import type { ListingRow } from './tables.ts'

/**
 * Refuses with `listing_refused` and the field: a card with its holder's name (the storefront knows buyers by WeChat alone, and such a
 * card wants a name that was proved: 国办发〔2011〕25号), a series without an end, a time-boxed price that is none, and channels that are
 * named twice.
 */
export function checkListing(facts: ListingFacts, version: Pick<TemplateVersionRow, 'priceBp' | 'named'>): void {
  const { series, stock, promo, channels } = facts
  if (version.named) refuse('listing_refused', { field: 'templateVersionId' })
  if (series && stock === null) refuse('listing_refused', { field: 'stock' })
  if (new Set(channels).size !== channels.length) refuse('listing_refused', { field: 'channels' })
  if (promo !== null && promo.priceBp >= version.priceBp) refuse('listing_refused', { field: 'promo.priceBp' })
}

/** What a listing says, as an operator would write it. */
export const factsOf = (listing: ListingRow): ListingFacts => ({
  category: listing.category,
  title: listing.title,
  subtitle: listing.subtitle,
  channels: JSON.parse(listing.channels) as ListingFacts['channels'],
  giftable: listing.giftable,
  series: listing.series,
  stock: listing.stock ?? null,
  perBuyerCap: listing.perBuyerCap ?? null,
  segment: listing.segment ?? null,
  promo: promoOf(listing),
})

/** The time-boxed price of a listing, whether it stands now or not; null: none. */
export function promoOf(listing: ListingRow): ListingFacts['promo'] {
  const { promoPriceBp: priceBp, promoFromMs: fromMs, promoUntilMs: untilMs } = listing
  if (priceBp == null || fromMs == null || untilMs == null) return null
  return {
    priceBp,
    fromMs,
    untilMs,
    perBuyerCap: listing.promoPerBuyerCap ?? null,
    stock: listing.promoStock ?? null,
  }
}
