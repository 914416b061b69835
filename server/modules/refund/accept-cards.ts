import { fen, signedFen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { releaseForCards } from '../campaign/release-for-cards.ts'
import { refundCards, type KeptCard, type RefundedCard } from '../card/refund-cards.ts'
import { readTermsAt, type Terms } from '../catalog/read-terms.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post, type Line } from '../ledger/post.ts'
import { takeBack } from '../order/take-back.ts'
import { planParts } from './plan-parts.ts'
import { cutOf, type CutCard } from './rules.ts'
import type { RefundRow } from './tables.ts'

export interface AcceptedCards {
  readonly refunded: readonly Id<'card'>[]
  readonly kept: readonly KeptCard[]
}

/**
 * Takes up to 1,000 cards of one order back for a refund: cards are void, the books owe their price to whoever paid, the
 * budgets of their holders' departments have it again, and the refund's parts grow by it, all in the caller's transaction. The caller holds the order and its payments. Cards that
 * are not whole stay and are told. Refuses with `refund_over_paid` when the order's payments have less left.
 */
export async function acceptCards(
  tx: Tx,
  refund: RefundRow,
  order: { readonly createdAtMs: number },
  cardIds: readonly Id<'card'>[],
  how: { readonly inRight?: boolean } = {},
): Promise<AcceptedCards> {
  const { refunded, kept } = await refundCards(tx, cardIds, refund.id, how)
  await change(
    tx.em,
    'update refund set cards_back = cards_back + ?, cards_kept = cards_kept + ?, version = version + 1 where id = ?',
    [refunded.length, kept.length, refund.id],
  )
  if (refunded.length === 0) return { refunded: [], kept }
  const prices = await readPricesOf(tx, refunded)
  const brandIds = [...new Set(refunded.map((card) => card.brandId))].sort()
  const terms = await readTermsAt(tx, brandIds, order.createdAtMs)
  const brands = brandIds.map((brandId) => {
    const cards = refunded.filter((card) => card.brandId === brandId)
    return bookOfBrand(terms.get(brandId)!, cards, prices)
  })
  const price = sumFen(brands.map((brand) => brand.cut.priceFen))
  await insertItems(tx, refund.id, refunded, prices, terms)
  await postAccepted(tx, refund.id, price, brands)
  if (!(await takeBack(tx, refund.orderId, price)))
    throw new Error(`order ${refund.orderId}: its cards cost less than that`)
  await releaseForCards(
    tx,
    refund.orderId,
    refunded.map((card) => card.orderItemId),
  )
  await change(tx.em, 'update refund set amount_fen = amount_fen + ?, version = version + 1 where id = ?', [
    price,
    refund.id,
  ])
  await planParts(
    tx,
    refund,
    brands.map((brand) => ({ brandId: brand.terms.brandId, fen: brand.cut.priceFen })),
  )
  return { refunded: refunded.map((card) => card.cardId), kept }
}

type Prices = ReadonlyMap<Id<'orderItem'>, Fen>

async function readPricesOf(tx: Tx, cards: readonly RefundedCard[]): Promise<Prices> {
  const ids = cards.map((card) => card.orderItemId)
  const rows = await sql<{ id: Id<'orderItem'>; price: unknown }>(
    tx.em,
    `select id, price_fen as price from order_item where id in (${ids.map(() => '?').join(',')})`,
    ids,
  )
  return new Map(rows.map((row) => [row.id, fen(Number(row.price))]))
}

interface BookOfBrand {
  readonly terms: Terms
  readonly faceFen: Fen
  readonly cut: ReturnType<typeof cutOf>
}

function bookOfBrand(terms: Terms, cards: readonly RefundedCard[], prices: Prices): BookOfBrand {
  const times = new Map<Fen, number>()
  for (const card of cards) {
    const price = prices.get(card.orderItemId)!
    times.set(price, (times.get(price) ?? 0) + 1)
  }
  const cut = cutOf(
    terms,
    [...times].map(([priceFen, count]): CutCard => ({ priceFen, cards: count })),
  )
  return { terms, cut, faceFen: sumFen(cards.map((card) => card.faceFen)) }
}

async function insertItems(
  tx: Tx,
  refundId: Id<'refund'>,
  cards: readonly RefundedCard[],
  prices: Prices,
  terms: ReadonlyMap<Id<'brand'>, Terms>,
): Promise<void> {
  const rows = cards.map((card) => {
    const priceFen = prices.get(card.orderItemId)!
    const cut = cutOf(terms.get(card.brandId)!, [{ priceFen, cards: 1 }])
    return {
      id: tx.newId('refundItem'),
      refund_id: refundId,
      card_id: card.cardId,
      order_item_id: card.orderItemId,
      brand_id: card.brandId,
      price_fen: priceFen,
      face_fen: card.faceFen,
      platform_fen: cut.platformFen,
      channel_fen: sumFen(cut.channelFen),
    }
  })
  await insertRows(tx.em, 'refund_item', rows)
}

/** The issue of these cards the other way round, card by card: what it credited is debited, what it debited credited. */
async function postAccepted(tx: Tx, refundId: Id<'refund'>, price: Fen, brands: readonly BookOfBrand[]): Promise<void> {
  const faces = sumFen(brands.map((brand) => brand.faceFen))
  const lines = [
    credit(account.refundPayable(refundId), price),
    credit(account.discountBy('platform'), fen(faces - price)),
    debit(account.platformFee(), sumFen(brands.map((brand) => brand.cut.platformFen))),
    ...brands.flatMap((brand) => linesOfBrand(brand)),
  ]
  await post(tx, [
    { kind: 'refund_accepted', ref: refundId, lines: lines.filter((line) => line.amount !== signedFen(0)) },
  ])
}

function linesOfBrand({ terms, faceFen, cut }: BookOfBrand): Line[] {
  const { brandId } = terms
  return [
    ...terms.channels.map((channel, index) =>
      debit(account.channelPayable(`${brandId}.${channel.code}`), cut.channelFen[index]!),
    ),
    debit(account.brandPayable(brandId), fen(faceFen - cut.platformFen - sumFen(cut.channelFen))),
    debit(account.outstanding(brandId), faceFen, 'VALUE'),
    credit(account.cards(brandId), faceFen, 'VALUE'),
  ]
}
