import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { ListingFacts } from '../../../contract/operator/shelf.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { readVersions } from '../catalog/read-template.ts'
import { checkListing } from './listing-rules.ts'
import { nextShelfVersion } from './next-shelf-version.ts'
import { listingSearchText } from './search-words.ts'
import { Listing } from './tables.ts'

/**
 * Makes a listing of a template, as a draft that nobody sees yet. Refuses with `not_found` for no such version,
 * `listing_exists` when the template has one, `listing_refused` with the field.
 */
export async function createListing(
  tx: Tx,
  templateVersionId: Id<'templateVersion'>,
  facts: ListingFacts,
): Promise<Id<'listing'>> {
  const [version] = await readVersions(tx, [templateVersionId])
  if (version === undefined) refuse('not_found')
  checkListing(facts, version)
  const { promo, channels, ...plain } = facts
  const id = tx.newId('listing')
  const shelfVersion = await nextShelfVersion(tx)
  try {
    await tx.em.insert(Listing, {
      id,
      templateId: version.templateId,
      templateVersionId,
      brandId: version.brandId,
      ...plain,
      channels: JSON.stringify(channels),
      state: 'draft',
      version: 1,
      taken: 0,
      sold: 0,
      numbered: 0,
      promoNumber: promo === null ? 0 : 1,
      promoPriceBp: promo?.priceBp ?? null,
      promoFromMs: promo?.fromMs ?? null,
      promoUntilMs: promo?.untilMs ?? null,
      promoPerBuyerCap: promo?.perBuyerCap ?? null,
      promoStock: promo?.stock ?? null,
      promoTaken: 0,
      searchText: listingSearchText(facts),
      shelfVersion,
      createdAtMs: tx.clock.now(),
    })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('listing_exists')
    throw error
  }
  await trail(tx, { objectId: id, act: 'listing.created', toState: 'draft' })
  return id
}
