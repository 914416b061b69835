import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'
import { storeChannels } from '../store/order.ts'
import { listingCategories, PromoView } from '../store/shelf.ts'

export const listingStates = ['draft', 'on', 'off'] as const
/** An audience by its code: whoever belongs to it sees what is put on the shelf for it, and nobody else. */
export const segmentField = z.string().regex(/^[a-z0-9-]{2,32}$/, { message: '2 to 32 of a-z, 0-9 and hyphen' })
const count = z.int().min(1).max(100_000_000)
const none = null

/** A price that stands from one instant to another by the server's clock. */
const PromoTerms = z
  .strictObject({
    priceBp: z.int().min(1).max(10_000),
    fromMs: instantField,
    untilMs: instantField,
    perBuyerCap: count.nullable().default(none),
    stock: count.nullable().default(none),
  })
  .refine((promo) => promo.fromMs < promo.untilMs, { path: ['untilMs'], message: 'ends after it begins' })
export type PromoTerms = z.output<typeof PromoTerms>

/** How a card template stands on the shelf. */
export const ListingFacts = z.strictObject({
  category: z.enum(listingCategories),
  title: z.string().trim().min(1).max(60),
  subtitle: z.string().trim().max(100).default(''),
  channels: z.array(z.enum(storeChannels)).min(1).max(storeChannels.length).default(['wechat', 'h5']),
  giftable: z.boolean().default(true),
  /** Cards are numbered 1 to `stock`. */
  series: z.boolean().default(false),
  stock: count.nullable().default(none),
  perBuyerCap: count.nullable().default(none),
  segment: segmentField.nullable().default(none),
  promo: PromoTerms.nullable().default(none),
})
export type ListingFacts = z.output<typeof ListingFacts>
/** The same in an operator's file, below its template. The title is the template's name unless it says another. */
export const ListingEntry = ListingFacts.extend({
  title: z.string().trim().min(1).max(60).optional(),
  onShelf: z.boolean().default(true),
})
export type ListingEntry = z.output<typeof ListingEntry>

/** GET /operator/listings: newest first. */
export const ListingsInput = z.object({
  state: z.enum(listingStates).optional(),
  search: z.string().optional(),
  cursor: cursorField,
  limit: limitField,
})
/** What a listing sells: a version of its template. */
export const SoldVersion = z.object({
  id: idField('templateVersion'),
  number: z.int(),
  name: z.string(),
  named: z.boolean(),
  faces: z.array(fenField),
  minFaceFen: fenField,
  maxFaceFen: fenField,
  stepFen: fenField,
  priceBp: z.int(),
  validDays: z.int().nullable(),
  coolingOffMs: z.int(),
  rightMs: z.int(),
  cover: z.enum(covers),
  scope: z.string(),
})
export type SoldVersion = z.infer<typeof SoldVersion>
export const ListingView = z.object({
  id: idField('listing'),
  state: z.enum(listingStates),
  version: z.int(),
  brand: z.object({ id: idField('brand'), name: z.string() }),
  category: z.enum(listingCategories),
  title: z.string(),
  subtitle: z.string(),
  channels: z.array(z.enum(storeChannels)),
  giftable: z.boolean(),
  series: z.boolean(),
  stock: z.int().nullable(),
  perBuyerCap: z.int().nullable(),
  segment: z.string().nullable(),
  promo: PromoView.nullable(),
  /** What is sold now. */
  sold: SoldVersion,
  /** The newest version of the same template, where that is another. */
  newest: SoldVersion.nullable(),
  /** What orders have of it, paid or not; of these, cards that were made and did not go back; and at the time-boxed price. */
  takenCount: z.int(),
  soldCount: z.int(),
  promoTakenCount: z.int(),
  /** Null: no limit. */
  left: z.int().nullable(),
  nowMs: instantField,
})
export type ListingView = z.infer<typeof ListingView>
export const Listings = z.object({ listings: z.array(ListingView), nextCursor: z.string().nullable() })
export type Listings = z.infer<typeof Listings>

/** GET /operator/listings/:id */
export const ListingIdInput = z.object({ id: idField('listing') })
/** GET /operator/unlisted-templates: templates that no listing sells, in their newest versions. */
export const UnlistedTemplates = z.object({
  templates: z.array(SoldVersion.extend({ brand: z.object({ id: idField('brand'), name: z.string() }) })),
})
export type UnlistedTemplates = z.infer<typeof UnlistedTemplates>
/** POST /operator/listings: a draft. */
export const NewListingInput = ListingFacts.extend({ templateVersionId: idField('templateVersion') })
export const ListingMade = z.object({ id: idField('listing') })
/**
 * PUT /operator/listings/:id: whoever changes says which version they saw. Refusals: `content_changed`, `stock_below_taken`,
 * `listing_refused` with the field.
 */
export const ChangeListingInput = ListingFacts.extend({
  id: idField('listing'),
  version: z.int(),
  templateVersionId: idField('templateVersion'),
  state: z.enum(listingStates),
})
export const ListingChanged = z.object({ version: z.int() })

/** GET /operator/segments: audiences that listings name or buyers belong to. */
export const Segments = z.object({
  segments: z.array(z.object({ segment: z.string(), buyers: z.int(), listings: z.int() })),
})
export type Segments = z.infer<typeof Segments>
/** POST /operator/segments/:segment/buyers: adds and removes; says how many belong to it now. */
export const ChangeSegmentInput = z.object({
  segment: segmentField,
  add: z.array(idField('buyer')).max(1000).default([]),
  remove: z.array(idField('buyer')).max(1000).default([]),
})
export const SegmentChanged = z.object({ buyers: z.int() })
