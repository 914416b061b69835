import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readBrands, readOwnMerchants, readVersions } from '../catalog/read-template.ts'
import { readTermsAt } from '../catalog/read-terms.ts'
import { readOrder, readPrices } from '../order/read-order.ts'
import type { Need } from './rules.ts'

/** A brand of an order and its price in it. */
export interface OrderBrand {
  readonly id: Id<'brand'>
  readonly name: string
  readonly priceFen: Fen
}
/** And who collects WeChat payments for it; null: nobody does. */
export interface CollectedBrand extends OrderBrand {
  readonly merchant: WechatPayMerchant | null
}

/** The brands of an order by id. It never changes once the order is placed; the prices sum to the order's total. */
export async function readOrderBrands(tx: Tx, orderId: Id<'order'>): Promise<OrderBrand[]> {
  const prices = await readPrices(tx, orderId)
  const versions = await readVersions(
    tx,
    prices.map((price) => price.templateVersionId),
  )
  const brandOf = new Map(versions.map((version) => [version.id, version.brandId]))
  const brandIds = [...new Set(versions.map((version) => version.brandId))].sort()
  const brands = new Map((await readBrands(tx, brandIds)).map((brand) => [brand.id, brand]))
  return brandIds.map((id) => {
    const own = prices.filter((price) => brandOf.get(price.templateVersionId) === id)
    return { id, name: brands.get(id)!.name, priceFen: sumFen(own.map((price) => price.priceFen)) }
  })
}

/**
 * Who collects WeChat payments for each brand of an order, by the terms that were in force when it was placed: the
 * brand's own merchant, or ours where the brand agreed to that.
 */
export async function readCollectors(
  tx: Tx,
  orderId: Id<'order'>,
  brands: readonly OrderBrand[],
): Promise<CollectedBrand[]> {
  const ids = brands.map((brand) => brand.id)
  const merchants = await readMerchantsOf(tx, ids, (await readOrder(tx, orderId))?.createdAtMs ?? 0)
  return brands.map((brand) => ({ ...brand, merchant: merchants.get(brand.id) ?? null }))
}

/** Who collects for brands by their terms at an instant; null: nobody does. */
export async function readMerchantsOf(
  tx: Tx,
  brandIds: readonly Id<'brand'>[],
  atMs: number,
): Promise<ReadonlyMap<Id<'brand'>, WechatPayMerchant | null>> {
  const terms = await readTermsAt(tx, brandIds, atMs)
  const merchants = await readOwnMerchants(tx, brandIds)
  const { platform } = tx.house.wechatPay
  return new Map([...merchants].map(([id, own]) => [id, terms.get(id)?.collector === 'platform' ? platform : own]))
}

/**
 * What each brand of an order still misses: its price less the parts of the payments that arrived; and what of that its
 * own merchant's open payments ask for.
 */
export async function readNeeds(
  tx: Tx,
  orderId: Id<'order'>,
  brands: readonly Pick<OrderBrand, 'id' | 'priceFen'>[],
): Promise<Need[]> {
  const paid = await sumParts(tx, orderId, "payment.state in ('paid', 'refunding', 'part_refunded', 'refunded')")
  const promised = await sumParts(tx, orderId, "payment.state = 'opened' and payment.source = 'wechat_pay'")
  return brands.map((brand) => {
    const missing = Math.max(0, brand.priceFen - (paid.get(brand.id) ?? 0))
    const promisedFen = fen(Math.min(missing, promised.get(brand.id) ?? 0))
    return { brandId: brand.id, missingFen: fen(missing), promisedFen }
  })
}

async function sumParts(tx: Tx, orderId: Id<'order'>, condition: string): Promise<Map<Id<'brand'>, number>> {
  const rows = await sql<{ brand_id: Id<'brand'>; total: unknown }>(
    tx.em,
    `select payment_part.brand_id, sum(payment_part.amount_fen) as total from payment_part join payment on payment.id = payment_part.payment_id where payment.order_id = ? and ${condition} group by payment_part.brand_id`,
    [orderId],
  )
  return new Map(rows.map((row) => [row.brand_id, readSum(row.total)]))
}
