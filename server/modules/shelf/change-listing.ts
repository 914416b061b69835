import type { ListingFacts } from '../../../contract/operator/shelf.ts'
import type { Id } from '../../../contract/ids.ts'
import { listingMoves, type ListingState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { canonical } from '../../kernel/once.ts'
import { change, type Cells } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { readVersions } from '../catalog/read-template.ts'
import { checkListing, factsOf } from './listing-rules.ts'
import { nextShelfVersion } from './next-shelf-version.ts'
import { findListing } from './read-listing.ts'
import { listingSearchText } from './search-words.ts'
import type { ListingRow } from './tables.ts'

export interface ListingChange extends ListingFacts {
  readonly id: Id<'listing'>
  /** As the person saw it. */
  readonly version: number
  readonly templateVersionId: Id<'templateVersion'>
  readonly state: ListingState
}

/**
 * Changes how a template stands on the shelf: what is sold, how many, at which price, to whom, and whether at all. Says its version
 * now; what is the same is not written. What orders took before stays as it is. Refuses with `not_found`, `content_changed`
 * when somebody was faster, `stock_below_taken`, `listing_refused` with the field, `state_conflict` for a step back to draft.
 */
export async function changeListing(tx: Tx, wish: ListingChange): Promise<number> {
  const { id, state, templateVersionId, version: seenVersion, ...facts } = wish
  const seen = (await findListing(tx, id)) ?? refuse('not_found')
  if (seen.version !== seenVersion) refuse('content_changed')
  await checkChange(tx, seen, templateVersionId, facts)
  let { version } = seen
  if (seen.templateVersionId !== templateVersionId || canonical(factsOf(seen)) !== canonical(facts)) {
    await rewrite(tx, seen, templateVersionId, facts)
    version += 1
  }
  if (seen.state !== state) {
    await moveListing(tx, seen, state)
    version += 1
  }
  return version
}

async function checkChange(
  tx: Tx,
  seen: ListingRow,
  versionId: Id<'templateVersion'>,
  facts: ListingFacts,
): Promise<void> {
  const [sold] = await readVersions(tx, [versionId])
  if (sold === undefined || sold.templateId !== seen.templateId)
    refuse('listing_refused', { field: 'templateVersionId' })
  checkListing(facts, sold)
  // Numbers were given, or cards sold without: neither can be taken back.
  if (seen.series !== facts.series && seen.taken > 0) refuse('listing_refused', { field: 'series' })
}

async function rewrite(tx: Tx, seen: ListingRow, versionId: Id<'templateVersion'>, facts: ListingFacts): Promise<void> {
  const { stock, promo } = facts
  const isNext = promo !== null && (promo.priceBp !== seen.promoPriceBp || promo.fromMs !== seen.promoFromMs)
  const cells: Cells = {
    template_version_id: versionId,
    category: facts.category,
    title: facts.title,
    subtitle: facts.subtitle,
    channels: JSON.stringify(facts.channels),
    giftable: facts.giftable ? 1 : 0,
    series: facts.series ? 1 : 0,
    stock,
    per_buyer_cap: facts.perBuyerCap,
    segment: facts.segment,
    promo_price_bp: promo?.priceBp ?? null,
    promo_from_ms: promo?.fromMs ?? null,
    promo_until_ms: promo?.untilMs ?? null,
    promo_per_buyer_cap: promo?.perBuyerCap ?? null,
    promo_stock: promo?.stock ?? null,
    // Another price or another beginning is another time-boxed price, of which nobody has any yet.
    ...(isNext && { promo_number: seen.promoNumber + 1, promo_taken: 0 }),
    search_text: listingSearchText(facts),
    shelf_version: await nextShelfVersion(tx),
  }
  const enough = [
    ...(stock === null ? [] : [`taken <= ${stock}`]),
    ...(isNext || promo?.stock == null ? [] : [`promo_taken <= ${promo.stock}`]),
  ]
  const sets = Object.keys(cells).map((column) => `${column} = ?`)
  const changed = await change(
    tx.em,
    `update listing set ${sets.join(', ')}, version = version + 1
      where ${['id = ?', 'version = ?', ...enough].join(' and ')}`,
    [...Object.values(cells), seen.id, seen.version],
  )
  if (changed !== 1) await refuseChange(tx, seen, stock)
  await trail(tx, { objectId: seen.id, act: 'listing.changed' })
}

/** Somebody was faster, or orders have more than there would be. */
async function refuseChange(tx: Tx, seen: ListingRow, stock: number | null): Promise<never> {
  const now = await findListing(tx, seen.id)
  if (now?.version !== seen.version) refuse('content_changed')
  refuse('stock_below_taken', { field: stock !== null && now.taken > stock ? 'stock' : 'promo.stock' })
}

async function moveListing(tx: Tx, { id, state: from }: ListingRow, to: ListingState): Promise<void> {
  const moves: Readonly<Record<ListingState, readonly ListingState[]>> = listingMoves
  if (!moves[from].includes(to)) refuse('state_conflict', { field: 'state' })
  const set = { shelf_version: await nextShelfVersion(tx) }
  if (!(await move(tx, { table: 'listing', id, from, to, moves, set }))) refuse('content_changed')
}
