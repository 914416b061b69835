import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { Shop, type ShopRow } from './tables.ts'

/** A shop by id; null when there is none. */
export async function findShop(tx: Tx, id: Id<'shop'>): Promise<ShopRow | null> {
  return tx.em.findOne(Shop, { id }, { disableIdentityMap: true })
}

/** The shop of a merchant with this name; null when there is none. */
export async function findShopByName(tx: Tx, merchantId: Id<'merchant'>, name: string): Promise<ShopRow | null> {
  return tx.em.findOne(Shop, { merchantId, name }, { disableIdentityMap: true })
}

/** All shops of a merchant, closed ones too, oldest first. */
export async function readShops(tx: Tx, merchantId: Id<'merchant'>): Promise<ShopRow[]> {
  return tx.em.find(Shop, { merchantId }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
}

/** Names of shops by id. */
export async function readShopNames(tx: Tx, ids: readonly Id<'shop'>[]): Promise<ReadonlyMap<Id<'shop'>, string>> {
  const rows = await tx.em.find(Shop, { id: { $in: [...new Set(ids)] } }, { disableIdentityMap: true })
  return new Map(rows.map((row) => [row.id, row.name]))
}

/** A place to spend a card, as everybody may know it. */
export type OpenShop = Pick<
  ShopRow,
  'id' | 'brandId' | 'name' | 'city' | 'address' | 'latitudeE6' | 'longitudeE6' | 'phone' | 'hours'
>

/** A brand with more shops than this is shown its first ones: a phone is not to read a country. */
const MOST_SHOPS = 2000

/** Where the cards of a brand are taken now: open shops of active merchants, by city and name. */
export async function readOpenShops(tx: Tx, brandId: Id<'brand'>): Promise<OpenShop[]> {
  return sql<OpenShop>(
    tx.em,
    `select shop.id as id, shop.brand_id as brandId, shop.name as name, shop.city as city, shop.address as address,
        shop.latitude_e6 as latitudeE6, shop.longitude_e6 as longitudeE6, shop.phone as phone, shop.hours as hours
      from shop join merchant on merchant.id = shop.merchant_id and merchant.state = 'active'
      where shop.brand_id = ? and shop.state = 'open' order by shop.city, shop.name, shop.id limit ${MOST_SHOPS}`,
    [brandId],
  )
}
