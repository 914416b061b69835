import { SECRET_LENGTH } from '../../../contract/card-input.ts'
import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue, type NewJob } from '../../kernel/outbox.ts'
import { sendTogether } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'
import type { Lane } from '../../kernel/tables.ts'
import { insertCards, type NewCard } from '../card/insert-cards.ts'
import { makeSecret } from '../card/make-secret.ts'
import { readVersions, type TemplateVersionRow } from '../catalog/read-template.ts'
import { readTermsOf, type Terms } from '../catalog/read-terms.ts'
import { spendFunds, takeSlices, type TakenSlice } from '../order/take-slices.ts'
import { countSold, sellTakings, type SoldItem } from '../shelf/count-sold.ts'
import { postIssues } from './post-issue.ts'

const DAY_MS = 86_400_000

export interface Issuing {
  /** The next unused card number of a brand, from a block that was reserved before this transaction. */
  readonly nextNumber: (brandId: Id<'brand'>) => string
}

/**
 * The only function that makes a card, for one large order and for many small ones alike. Takes the slices, makes a card
 * an item with a number and a sealed secret, posts one entry and one trail row a slice: one statement a table for all of
 * them. A slice that was issued before, or whose order is not funded, gives nothing; so running it again after any stop
 * goes on from the last committed slice. Returns how many cards it made; callers keep to 1,000 a transaction.
 */
export async function issueCards(tx: Tx, issuing: Issuing, sliceIds: readonly Id<'orderSlice'>[]): Promise<number> {
  const taken = await takeSlices(tx, sliceIds)
  if (taken.length === 0) return 0
  const used = new Set(taken.flatMap((slice) => slice.items.map((item) => item.templateVersionId)))
  const versions = new Map((await readVersions(tx, [...used])).map((version) => [version.id, version]))
  const brandIds = [...new Set([...versions.values()].map((version) => version.brandId))]
  const termsAt = await readTermsOf(tx, brandIds)
  const made = taken.map((slice): MadeSlice => {
    const cards = makeCards(tx, issuing, slice, versions)
    const brands = [...new Set(cards.map((card) => card.brandId))]
    return { slice, cards, terms: brands.map((brandId) => termsAt(brandId, slice.orderedAtMs)) }
  })
  const sold = soldOf(taken)
  const series = await sendTogether(tx.em, async () => {
    await writeMade(tx, taken, made, versions)
    return sellTakings(tx, sold)
  })
  // Last, and orders before listings, as everywhere: a listing that many buy is held no longer than it must be.
  await countSold(tx, sold, series)
  return made.reduce((sum, { cards }) => sum + cards.length, 0)
}

async function writeMade(
  tx: Tx,
  taken: readonly TakenSlice[],
  made: readonly MadeSlice[],
  versions: Versions,
): Promise<void> {
  await insertCards(
    tx,
    made.flatMap(({ cards }) => cards),
  )
  await postIssues(
    tx,
    made.map(({ slice, terms, cards: own }) => ({ orderId: slice.orderId, sliceId: slice.id, terms, cards: own })),
  )
  await trailMany(
    tx,
    made.map(({ slice }) => {
      const step = { act: 'cards.issued', fromState: 'planned', toState: 'issued' }
      return { objectId: slice.id, ...step, note: `${slice.items.length}` }
    }),
  )
  const last = await spendFunds(tx, pricesOf(taken))
  const deliveries = taken.filter((slice) => slice.companyId !== null).map(deliveryOf)
  await enqueue(tx, [...deliveries, ...settlementsOf(tx, made, last, versions)])
}

/** A card and what it costs. */
interface PricedCard extends NewCard {
  readonly priceFen: Fen
}
interface MadeSlice {
  readonly slice: TakenSlice
  readonly cards: readonly PricedCard[]
  /** Of the brands of its cards, at the instant when its order was placed. */
  readonly terms: readonly Terms[]
}
type Versions = ReadonlyMap<Id<'templateVersion'>, TemplateVersionRow>

function makeCards(tx: Tx, issuing: Issuing, slice: TakenSlice, versions: Versions): PricedCard[] {
  const now = tx.clock.now()
  const secrets = makeSecrets(tx, slice.items.length)
  return slice.items.map((item, index) => {
    const version = versions.get(item.templateVersionId)
    if (!version) throw new Error(`order item ${item.id}: no template version ${item.templateVersionId}`)
    return {
      orderItemId: item.id,
      companyId: slice.companyId,
      brandId: version.brandId,
      templateVersionId: version.id,
      holderId: item.holderId,
      number: issuing.nextNumber(version.brandId),
      secret: secrets[index]!,
      faceFen: item.faceFen,
      priceFen: item.priceFen,
      issuedAtMs: now,
      lockedUntilMs: version.coolingOffMs === 0 ? 0 : now + version.coolingOffMs,
      expiresAtMs: version.validDays == null ? null : now + version.validDays * DAY_MS,
      ref: slice.id,
    }
  })
}

function pricesOf(taken: readonly TakenSlice[]): Map<Id<'order'>, Fen> {
  const prices = new Map<Id<'order'>, Fen>()
  for (const { orderId, items } of taken)
    prices.set(orderId, sumFen([prices.get(orderId) ?? fen(0), ...items.map((item) => item.priceFen)]))
  return prices
}

const soldOf = (taken: readonly TakenSlice[]): SoldItem[] =>
  taken.flatMap(({ orderId, items }) =>
    items.flatMap(({ id, listingId }) => (listingId === null ? [] : [{ listingId, orderId, orderItemId: id }])),
  )

const deliveryOf = (slice: TakenSlice): NewJob => ({
  kind: 'cards.deliver',
  key: `cards.deliver:${slice.id}`,
  args: { sliceId: slice.id },
  lane: laneOf(slice),
})

/**
 * The money of an order that is issued whole is settled once nobody may hand a card back any more. Reckoned here with the
 * cards that were made last; whoever plans reckons again with all of them.
 */
function settlementsOf(
  tx: Tx,
  made: readonly MadeSlice[],
  last: ReadonlySet<Id<'order'>>,
  versions: Versions,
): NewJob[] {
  const { settlementWindowMs: windowMs } = tx.house.wechatPay
  return [...last].map((orderId) => {
    const own = made.filter(({ slice }) => slice.orderId === orderId)
    const heldMs = Math.max(
      ...own.flatMap(({ terms }) => terms.map((one) => one.holdMs)),
      ...own.flatMap(({ slice }) => slice.items.map((item) => versions.get(item.templateVersionId)!.coolingOffMs)),
    )
    const readyAtMs = Math.ceil((tx.clock.now() + heldMs) / windowMs) * windowMs
    return { kind: 'settlement.plan', key: `settlement.plan:${orderId}`, args: { orderId }, readyAtMs }
  })
}

/** A festival's thousands travel in the bulk lane; a birthday's few are never stuck behind them. */
const laneOf = (slice: { fromSeq: number; toSeq: number }): Lane =>
  slice.fromSeq > 0 || slice.toSeq >= limits.cardsPerSlice ? 'bulk' : 'small'

/** One call for all the randomness of a slice. Of 80 bits each: nobody finds a secret by trying. */
function makeSecrets(tx: Tx, count: number): string[] {
  const all = makeSecret(tx, count * SECRET_LENGTH)
  return Array.from({ length: count }, (_, index) => all.slice(index * SECRET_LENGTH, (index + 1) * SECRET_LENGTH))
}
