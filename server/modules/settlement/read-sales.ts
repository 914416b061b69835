import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { commissionOf } from '../../../contract/commission.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readTermsAt, type Terms } from '../catalog/read-terms.ts'
import type { BrandCut } from './rules.ts'

/** What a brand's cards of an order that are still people's came to, and whose it is. */
export interface BrandSale extends BrandCut {
  readonly brandId: Id<'brand'>
  readonly brandMchid: string | null
  readonly terms: Terms
  readonly priceFen: Fen
  readonly faceFen: Fen
}

/**
 * What each brand of an order sold, without the cards that were taken back, cut card by card by the terms of the order.
 * The caller holds the order where it decides on it: taking cards back does too.
 */
export async function readSales(tx: Tx, orderId: Id<'order'>, orderedAtMs: number): Promise<BrandSale[]> {
  const rows = await sql<{ brandId: Id<'brand'>; price: unknown; face: unknown; cards: unknown }>(
    tx.em,
    `select card.brand_id as brandId, order_item.price_fen as price,
        sum(case when card.state = 'refunded' then 0 else card.face_fen end) as face,
        sum(case when card.state = 'refunded' then 0 else 1 end) as cards
      from order_item join card on card.order_item_id = order_item.id
      where order_item.order_id = ? group by card.brand_id, order_item.price_fen order by card.brand_id`,
    [orderId],
  )
  const brandIds = [...new Set(rows.map((row) => row.brandId))]
  const terms = await readTermsAt(tx, brandIds, orderedAtMs)
  const mchids = new Map((await readBrands(tx, brandIds)).map((brand) => [brand.id, brand.mchid ?? null]))
  return brandIds.map((brandId) => {
    const own = terms.get(brandId)!
    const cuts = rows
      .filter((row) => row.brandId === brandId)
      .map((row) => {
        const [price, cards] = [fen(Number(row.price)), readSum(row.cards)]
        return { price, cards, face: readSum(row.face), ...commissionOf(own, price) }
      })
    return {
      brandId,
      brandMchid: mchids.get(brandId) ?? null,
      terms: own,
      priceFen: sumFen(cuts.map((cut) => cut.price * cut.cards)),
      faceFen: sumFen(cuts.map((cut) => cut.face)),
      platformFen: sumFen(cuts.map((cut) => cut.platformFen * cut.cards)),
      channelFen: own.channels.map((_, index) => sumFen(cuts.map((cut) => cut.channelFen[index]! * cut.cards))),
    }
  })
}

/** An order as its settlement needs it. */
export interface OrderToSettle {
  readonly state: string
  readonly companyId: Id<'company'> | null
  readonly orderedAtMs: number
  /** Price of the cards taken back so far. */
  readonly refundedFen: number
  /** When its last card was made; 0: it has none. */
  readonly issuedAtMs: number
  readonly coolingOffMs: number
  readonly slices: number
  readonly brandIds: readonly Id<'brand'>[]
}

/** Null: there is no such order. */
export async function readOrderToSettle(tx: Tx, orderId: Id<'order'>): Promise<OrderToSettle | null> {
  const [order] = await sql<{
    state: string
    companyId: Id<'company'> | null
    orderedAtMs: unknown
    refundedFen: unknown
    issued: unknown
    slices: unknown
  }>(
    tx.em,
    `select orders.state as state, orders.company_id as companyId, orders.created_at_ms as orderedAtMs, orders.refunded_fen as refundedFen,
        (select max(issued_at_ms) from order_slice where order_id = orders.id) as issued,
        (select count(*) from order_slice where order_id = orders.id) as slices
      from orders where orders.id = ?`,
    [orderId],
  )
  if (!order) return null
  const versions = await sql<{ brandId: Id<'brand'>; coolingOff: unknown }>(
    tx.em,
    `select brand_id as brandId, max(cooling_off_ms) as coolingOff from template_version
      where id in (select template_version_id from order_item where order_id = ?) group by brand_id order by brand_id`,
    [orderId],
  )
  return {
    state: order.state,
    companyId: order.companyId,
    orderedAtMs: readSum(order.orderedAtMs),
    refundedFen: readSum(order.refundedFen),
    issuedAtMs: readSum(order.issued),
    coolingOffMs: Math.max(0, ...versions.map((row) => readSum(row.coolingOff))),
    slices: readSum(order.slices),
    brandIds: versions.map((row) => row.brandId),
  }
}
