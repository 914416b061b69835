import type { MerchantRole } from '../../contract/abilities.ts'
import type { Id } from '../../contract/ids.ts'
import type { Actor } from '../kernel/context.ts'
import { addClerk } from '../modules/merchant/add-clerk.ts'
import { createMerchant } from '../modules/merchant/create-merchant.ts'
import { createShop, type ShopFacts } from '../modules/merchant/create-shop.ts'
import type { TestDatabase } from './databases.ts'

export interface TestShop {
  readonly merchantId: Id<'merchant'>
  readonly shopId: Id<'shop'>
  readonly brandId: Id<'brand'>
  readonly clerkId: Id<'clerk'>
  readonly managerId: Id<'clerk'>
  /** The clerk or the manager, acting. */
  readonly as: (role: MerchantRole) => Actor
}

/** What is told of a shop, with as much of it as a test wants to say. */
export const shopFacts = (more: Partial<ShopFacts> = {}): ShopFacts => ({
  name: '科技园店',
  city: '深圳',
  address: '南山区科苑路 15 号',
  latitudeE6: 22_540_503,
  longitudeE6: 113_951_242,
  phone: '0755-12345678',
  hours: '10:00-22:00',
  ...more,
})

/** A merchant of a brand with one shop, a clerk 周小店 and a manager 吴店长. */
export async function aShop(
  database: TestDatabase,
  brandId: Id<'brand'>,
  wish: { readonly merchant?: string; readonly shop?: string } = {},
): Promise<TestShop> {
  return database.tx(async (tx) => {
    const merchantId = await createMerchant(tx, { brandId, name: wish.merchant ?? '青禾百货' })
    const shopId = await createShop(tx, merchantId, shopFacts({ name: wish.shop ?? '科技园店' }))
    const clerkId = await addClerk(tx, { shopId, name: '周小店', role: 'clerk' })
    const managerId = await addClerk(tx, { shopId, name: '吴店长', role: 'manager' })
    const as = (role: MerchantRole): Actor => ({
      kind: 'clerk',
      merchantId,
      shopId,
      clerkId: role === 'clerk' ? clerkId : managerId,
      roles: [role],
    })
    return { merchantId, shopId, brandId, clerkId, managerId, as }
  })
}
