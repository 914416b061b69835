import { z } from 'zod'
import { cursorField, idField, instantField, limitField } from '../fields.ts'
import { merchantRoles } from '../merchant/till.ts'

const text = (most: number) => z.string().trim().min(1).max(most)
/** A degree with six decimals as a whole number, as a map gives it (GCJ-02). */
const latitude = z.int().min(-90_000_000).max(90_000_000)
const longitude = z.int().min(-180_000_000).max(180_000_000)

/** What is told of a shop; where it lies is known by both numbers or by none. */
const ShopFacts = z.strictObject({
  name: text(100),
  city: text(40),
  address: text(200),
  latitudeE6: latitude.nullable().default(null),
  longitudeE6: longitude.nullable().default(null),
  phone: text(40).nullable().default(null),
  hours: text(100).nullable().default(null),
})
const wholePlace = {
  test: (shop: { latitudeE6: number | null; longitudeE6: number | null }): boolean =>
    (shop.latitudeE6 === null) === (shop.longitudeE6 === null),
  fault: { path: ['longitudeE6'], message: 'latitude and longitude belong together' },
}
/** A shop as an operator's file names it: by its name within the merchant. */
export const ShopEntry = ShopFacts.refine(wholePlace.test, wholePlace.fault)
export type ShopEntry = z.output<typeof ShopEntry>
/** A merchant as an operator's file names it: by its name within the brand. */
export const MerchantEntry = z.strictObject({ name: text(100), shops: z.array(ShopEntry).max(1000).default([]) })
export type MerchantEntry = z.output<typeof MerchantEntry>

/** GET /operator/merchants: by name. */
export const MerchantsInput = z.object({
  brandId: idField('brand').optional(),
  cursor: cursorField,
  limit: limitField,
})
export const MerchantView = z.object({
  id: idField('merchant'),
  brandId: idField('brand'),
  brandName: z.string(),
  name: z.string(),
  state: z.enum(['active', 'suspended']),
  version: z.int(),
  shops: z.int(),
  clerks: z.int(),
})
export type MerchantView = z.infer<typeof MerchantView>
export const Merchants = z.object({ merchants: z.array(MerchantView), nextCursor: z.string().nullable() })
export type Merchants = z.infer<typeof Merchants>
/** POST /operator/merchants */
export const NewMerchantInput = z.object({ brandId: idField('brand'), name: text(100) })
export const MerchantMade = z.object({ id: idField('merchant') })

/** GET /operator/merchants/:id: with its shops, and the people who take cards there. */
export const MerchantInput = z.object({ id: idField('merchant') })
export const ShopView = z.object({
  id: idField('shop'),
  name: z.string(),
  city: z.string(),
  address: z.string(),
  latitudeE6: z.int().nullable(),
  longitudeE6: z.int().nullable(),
  phone: z.string().nullable(),
  hours: z.string().nullable(),
  state: z.enum(['open', 'closed']),
  version: z.int(),
})
export type ShopView = z.infer<typeof ShopView>
export const ClerkView = z.object({
  id: idField('clerk'),
  shopId: idField('shop'),
  name: z.string(),
  role: z.enum(merchantRoles),
  state: z.enum(['active', 'removed']),
  version: z.int(),
  createdAtMs: instantField,
})
export type ClerkView = z.infer<typeof ClerkView>
export const MerchantDetail = MerchantView.extend({
  shopList: z.array(ShopView),
  clerkList: z.array(ClerkView),
})
export type MerchantDetail = z.infer<typeof MerchantDetail>

/** PUT /operator/merchants/:id: whoever changes says which version they saw. */
export const ChangeMerchantInput = z.object({
  id: idField('merchant'),
  version: z.int(),
  name: text(100),
  state: z.enum(['active', 'suspended']),
})
/** POST /operator/merchants/:id/shops */
export const NewShopInput = ShopFacts.extend({ id: idField('merchant') }).refine(wholePlace.test, wholePlace.fault)
export const ShopMade = z.object({ id: idField('shop') })
/** PUT /operator/shops/:id */
export const ChangeShopInput = ShopFacts.extend({
  id: idField('shop'),
  version: z.int(),
  state: z.enum(['open', 'closed']),
}).refine(wholePlace.test, wholePlace.fault)
/** POST /operator/shops/:id/clerks */
export const NewClerkInput = z.object({ id: idField('shop'), name: text(50), role: z.enum(merchantRoles) })
export const ClerkMade = z.object({ id: idField('clerk') })
/** PUT /operator/clerks/:id: name, role and shop (one of the same merchant). POST /operator/clerks/:id/remove. */
export const ChangeClerkInput = z.object({
  id: idField('clerk'),
  version: z.int(),
  name: text(50),
  role: z.enum(merchantRoles),
  shopId: idField('shop'),
})
export const ClerkInput = z.object({ id: idField('clerk') })
/** POST /operator/clerks/:id/link: shown once. */
export const ClerkLinkMade = z.object({ url: z.string(), expiresAtMs: instantField })
export type ClerkLinkMade = z.infer<typeof ClerkLinkMade>
export const Versioned = z.object({ version: z.int() })
