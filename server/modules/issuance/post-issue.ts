import { fen, signedFen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { commissionOf } from '../../../contract/commission.ts'
import type { Terms } from '../catalog/read-terms.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post, type Line, type NewEntry } from '../ledger/post.ts'

/** A card as the books see it. */
export interface IssuedCard {
  readonly brandId: Id<'brand'>
  readonly faceFen: Fen
  readonly priceFen: Fen
}

/** A slice as the books see it: the terms of its brands when its order was placed, and its cards. */
export interface IssuedSlice {
  readonly orderId: Id<'order'>
  readonly sliceId: Id<'orderSlice'>
  readonly terms: readonly Terms[]
  readonly cards: readonly IssuedCard[]
}

/**
 * The issue row of the ledger's event table, an entry a slice: price and discount become what brands, their channels and
 * the platform are owed, each card's price cut by the terms of its order (decision 0017), and what the brands owe in
 * goods. Throws when a card costs more than its face.
 */
export async function postIssues(tx: Tx, slices: readonly IssuedSlice[]): Promise<void> {
  await post(tx, slices.map(entryOf))
}

function entryOf(slice: IssuedSlice): NewEntry {
  const { cards } = slice
  const price = sumFen(cards.map((card) => card.priceFen))
  const discount = sumFen(cards.map((card) => card.faceFen)) - price
  if (discount < 0) throw new Error(`slice ${slice.sliceId}: a card costs more than its face`)
  const brands = slice.terms.map((terms) => {
    const own = cards.filter((card) => card.brandId === terms.brandId)
    return { terms, faceFen: sumFen(own.map((card) => card.faceFen)), ...cutCards(terms, own) }
  })
  const lines = [
    debit(account.orderFunds(slice.orderId), price),
    debit(account.discountBy('platform'), fen(discount)),
    credit(account.platformFee(), sumFen(brands.map((brand) => brand.platformFen))),
    ...brands.flatMap((brand) => linesOfBrand(brand)),
  ]
  return { kind: 'issued', ref: slice.sliceId, lines: lines.filter((line) => line.amount !== signedFen(0)) }
}

interface BrandCut {
  readonly terms: Terms
  readonly faceFen: Fen
  readonly platformFen: Fen
  readonly channelFen: readonly Fen[]
}

function linesOfBrand({ terms, faceFen, platformFen, channelFen }: BrandCut): Line[] {
  const { brandId } = terms
  return [
    ...terms.channels.map((channel, index) =>
      credit(account.channelPayable(`${brandId}.${channel.code}`), channelFen[index]!),
    ),
    credit(account.brandPayable(brandId), fen(faceFen - platformFen - sumFen(channelFen))),
    debit(account.cards(brandId), faceFen, 'VALUE'),
    credit(account.outstanding(brandId), faceFen, 'VALUE'),
  ]
}

/** What platform and channels get of cards: cut card by card, reckoned once for each price that occurs. */
function cutCards(terms: Terms, cards: readonly IssuedCard[]): { platformFen: Fen; channelFen: Fen[] } {
  const times = new Map<Fen, number>()
  for (const { priceFen } of cards) times.set(priceFen, (times.get(priceFen) ?? 0) + 1)
  const cuts = [...times].map(([priceFen, count]) => ({ count, ...commissionOf(terms, priceFen) }))
  return {
    platformFen: sumFen(cuts.map((cut) => cut.platformFen * cut.count)),
    channelFen: terms.channels.map((_, index) => sumFen(cuts.map((cut) => cut.channelFen[index]! * cut.count))),
  }
}
