import type { z } from 'zod'
import { fen, type Fen } from '../../../contract/fen.ts'
import type { RefundPreview } from '../../../contract/hr/refund.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { previewRefundOfCards } from '../card/refund-cards.ts'
import { findOwnOrder } from '../order/read-order.ts'
import { readBack } from './read-takable.ts'

/**
 * What giving chosen cards of an order of the actor's company back would do, as things stand now: which of them are whole,
 * and by which ways their price would go back. Refuses with `not_found` for another company's order or a card of another.
 */
export async function previewCards(
  tx: Tx,
  orderId: Id<'order'>,
  cardIds: readonly Id<'card'>[],
): Promise<z.input<typeof RefundPreview>> {
  const order = await findOwnOrder(tx, orderId)
  const ids = [...new Set(cardIds)]
  const prices = await readPrices(tx, orderId, ids)
  if (prices.size !== ids.length) refuse('not_found')
  const { refunded, kept } = await previewRefundOfCards(tx, ids)
  const owed = new Map<Id<'brand'>, Fen>()
  for (const { cardId, brandId } of refunded)
    owed.set(brandId, fen((owed.get(brandId) ?? 0) + (prices.get(cardId) ?? 0)))
  const back = await readBack(
    tx,
    order,
    [...owed].map(([brandId, amount]) => ({ brandId, fen: amount })),
  )
  return {
    cards: refunded.length,
    fen: back.priceFen,
    sources: [...back.sources],
    sourcesToWallet: back.sourcesToWallet && [...back.sourcesToWallet],
    kept: [...kept],
    possible: order.state === 'issued' || order.state === 'refunding',
  }
}

/** What was paid for each of these cards; cards of another order are left out. */
async function readPrices(tx: Tx, orderId: Id<'order'>, cardIds: readonly Id<'card'>[]) {
  const rows = await sql<{ cardId: Id<'card'>; price: unknown }>(
    tx.em,
    `select card.id as cardId, order_item.price_fen as price from card join order_item on order_item.id = card.order_item_id
      where order_item.order_id = ? and card.id in (${cardIds.map(() => '?').join(',')})`,
    [orderId, ...cardIds],
  )
  return new Map(rows.map((row) => [row.cardId, fen(Number(row.price))]))
}
