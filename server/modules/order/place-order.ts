import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { Order, OrderItem, OrderSlice } from './tables.ts'

export interface NewItem {
  /** The person or buyer who will hold the card. */
  readonly holderId: string
  readonly templateVersionId: Id<'templateVersion'>
  readonly faceFen: Fen
  readonly priceFen: Fen
}

/**
 * Places an order that waits for its funds: one item a card, cut into slices of at most 1,000 items.
 * Throws RangeError on no item or more than 200,000.
 */
export async function placeOrder(
  tx: Tx,
  input: { readonly companyId: Id<'company'> | null; readonly items: readonly NewItem[] },
): Promise<Id<'order'>> {
  const count = input.items.length
  if (count === 0 || count > limits.itemsPerOrder)
    throw new RangeError(`an order has 1 to ${limits.itemsPerOrder} items`)
  const orderId = tx.newId('order')
  await tx.em.insert(Order, {
    id: orderId,
    companyId: input.companyId,
    state: 'awaiting_funds',
    version: 1,
    totalFen: sumFen(input.items.map((item) => item.priceFen)),
    securedFen: fen(0),
    issuedFen: fen(0),
    itemCount: count,
    createdAtMs: tx.clock.now(),
  })
  for (let from = 0; from < count; from += limits.cardsPerSlice) {
    const items = input.items.slice(from, from + limits.cardsPerSlice)
    await tx.em.insertMany(
      OrderItem,
      items.map((item, index) => ({ id: tx.newId('orderItem'), orderId, seq: from + index, ...item })),
    )
    const id = tx.newId('orderSlice')
    await tx.em.insert(OrderSlice, { id, orderId, fromSeq: from, toSeq: from + items.length, state: 'planned' })
  }
  await trail(tx, { objectId: orderId, act: 'orders.placed', toState: 'awaiting_funds' })
  return orderId
}
