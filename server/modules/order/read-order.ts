import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readSum } from '../../kernel/columns.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { buyerOf, findOwn } from '../../kernel/tenant.ts'
import { Order, OrderItem, OrderSlice } from './tables.ts'

/** The order, or null. */
export async function readOrder(tx: Tx, orderId: Id<'order'>) {
  return tx.em.findOne(Order, { id: orderId }, { disableIdentityMap: true })
}

/** An order of the actor's company; anything else is 404. */
export const findOwnOrder = (tx: Tx, orderId: Id<'order'>) => findOwn(tx, Order, orderId)

/** An order of the buyer who asks; anything else is 404. */
export async function findBuyersOrder(tx: Tx, orderId: Id<'order'>) {
  const where = { id: orderId, buyerId: buyerOf(tx.actor) }
  return (await tx.em.findOne(Order, where, { disableIdentityMap: true })) ?? refuse('not_found')
}

/** What a slice is about: its order and who holds its cards. Null when there is no such slice. */
export async function readSliceHolders(tx: Tx, sliceId: Id<'orderSlice'>) {
  const slice = await tx.em.findOne(OrderSlice, { id: sliceId }, { disableIdentityMap: true })
  if (!slice) return null
  const items = await tx.em.find(
    OrderItem,
    { orderId: slice.orderId, seq: { $gte: slice.fromSeq, $lt: slice.toSeq } },
    { orderBy: { seq: 'asc' }, disableIdentityMap: true, fields: ['holderId'] },
  )
  return { orderId: slice.orderId, holderIds: items.map((item) => item.holderId) }
}

/** The price by template version of many orders, by order. */
export async function readPricesOf(tx: Tx, orderIds: readonly Id<'order'>[]) {
  const rows = await sql<{ order_id: Id<'order'>; version: Id<'templateVersion'>; price: unknown; items: unknown }>(
    tx.em,
    `select order_id, template_version_id as version, sum(price_fen) as price, count(*) as items from order_item where order_id in (${orderIds.map(() => '?').join(',')}) group by order_id, template_version_id`,
    orderIds,
  )
  return rows.map((row) => ({
    orderId: row.order_id,
    versionId: row.version,
    priceFen: readSum(row.price),
    items: readSum(row.items),
  }))
}

/** The order's price by template version: what each brand is owed of it. Sums to the order's total. */
export async function readPrices(tx: Tx, orderId: Id<'order'>) {
  const rows = await sql<{ version: Id<'templateVersion'>; price: unknown; face: unknown; items: unknown }>(
    tx.em,
    'select template_version_id as version, sum(price_fen) as price, sum(face_fen) as face, count(*) as items from order_item where order_id = ? group by template_version_id order by template_version_id',
    [orderId],
  )
  return rows.map((row) => ({
    templateVersionId: row.version,
    priceFen: readSum(row.price),
    faceFen: readSum(row.face),
    items: readSum(row.items),
  }))
}
