import { z } from 'zod'
import { fenField, idField, instantField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'
import { storeChannels } from './order.ts'

export const listingCategories = [
  'general',
  'dining',
  'drinks',
  'supermarket',
  'fresh',
  'beauty',
  'entertainment',
  'travel',
  'digital',
  'books',
  'festival',
] as const
export type ListingCategory = (typeof listingCategories)[number]

/** Ranges of the face, in fen, from one (inside) to the other (outside); null: without an end. A free amount lies in several. */
export const amountRanges = {
  to_50: { fromFen: 0, toFen: 5_000 },
  '50_200': { fromFen: 5_000, toFen: 20_000 },
  '200_500': { fromFen: 20_000, toFen: 50_000 },
  '500_1000': { fromFen: 50_000, toFen: 100_000 },
  from_1000: { fromFen: 100_000, toFen: null },
} as const
export const amountCodes = [
  'to_50',
  '50_200',
  '200_500',
  '500_1000',
  'from_1000',
] as const satisfies readonly (keyof typeof amountRanges)[]
export type AmountCode = (typeof amountCodes)[number]

/** How long a card is valid from its issue: up to five years, longer, or without an end. */
export const validityCodes = ['to_5_years', 'over_5_years', 'endless'] as const
export type ValidityCode = (typeof validityCodes)[number]

/** By what a list is sorted: each of the keys with its direction. Sales are those of the shelf's round (see below). */
export const shelfSortKeys = ['price_up', 'price_down', 'sales_down', 'validity_down', 'validity_up', 'newest'] as const
export type ShelfSortKey = (typeof shelfSortKeys)[number]

/** Characters that one searches for at most: more is no name of a card. Over it: `search_too_long`. */
export const SEARCH_CHARACTERS = 60

const several = <T extends string>(codes: readonly [T, ...T[]]) =>
  z
    .string()
    .max(400)
    .optional()
    .transform((text) => (text === undefined || text === '' ? [] : text.split(',')))
    .pipe(z.array(z.enum(codes)).max(20))

/**
 * GET /store/shelf, without a sign-in: what is on the shelf. Facets take several values with commas between them: any of them.
 * `sort` and `second` are two keys; equal ones stand in the order of their ids. `cursor` is the `nextCursor` of the page before: pages
 * under one cursor neither repeat nor skip a listing while stock, sales and time-boxed prices change. One that is older than two
 * rounds of sales (ten to twenty minutes) is `cursor_expired`: begin anew.
 */
export const ShelfInput = z.object({
  /** Words in Chinese, in pinyin or its first letters; all of them must be there. */
  search: z.string().optional(),
  category: several(listingCategories),
  brand: z
    .string()
    .max(400)
    .optional()
    .transform((text) => (text === undefined || text === '' ? [] : text.split(',')))
    .pipe(z.array(idField('brand')).max(20)),
  amount: several(amountCodes),
  validity: several(validityCodes),
  channel: several(storeChannels),
  sort: z.enum(shelfSortKeys).default('sales_down'),
  second: z.enum(shelfSortKeys).default('newest'),
  cursor: z.string().max(300).optional(),
  limit: z.coerce.number().int().min(1).max(50).default(20),
})
export type ShelfInput = z.output<typeof ShelfInput>

/** A time-boxed price as it was set: its instants by the server's clock. */
export const PromoView = z.object({
  priceBp: z.int(),
  fromMs: instantField,
  untilMs: instantField,
  perBuyerCap: z.int().nullable(),
  stock: z.int().nullable(),
})

/** A time-boxed price that stands now, for this buyer. */
export const PromoNow = z.object({
  priceBp: z.int(),
  untilMs: instantField,
  /** How many are left at this price; null: as many as there are cards. */
  left: z.int().nullable(),
})

/** A listing as a list shows it. */
export const ListingSummary = z.object({
  id: idField('listing'),
  title: z.string(),
  subtitle: z.string(),
  category: z.enum(listingCategories),
  brand: z.object({ id: idField('brand'), name: z.string() }),
  cover: z.enum(covers),
  /** The faces to choose from; empty: any in steps between minimum and maximum. */
  faces: z.array(fenField),
  minFaceFen: fenField,
  maxFaceFen: fenField,
  stepFen: fenField,
  /** What a card costs now, in basis points of its face: `priceOf` of contract/price.ts says the fen. */
  priceBp: z.int(),
  /** What it costs without the time-boxed price. */
  regularPriceBp: z.int(),
  /** The price of its smallest face now: what a list is sorted by. */
  priceFromFen: fenField,
  promo: PromoNow.nullable(),
  /** Days from the issue; null: it does not expire. */
  validDays: z.int().nullable(),
  channels: z.array(z.enum(storeChannels)),
  /** How many can be bought at this instant; null: no limit. 0: sold out. */
  left: z.int().nullable(),
  /** A numbered series, 1 to `stock`. */
  series: z.boolean(),
  giftable: z.boolean(),
  /** Sold until the round began, which is what sorting goes by. */
  sales: z.int(),
})
export type ListingSummary = z.infer<typeof ListingSummary>

const counted = <T extends z.ZodType>(code: T) => z.array(z.object({ code, count: z.int() }))
export const Shelf = z.object({
  listings: z.array(ListingSummary),
  nextCursor: z.string().nullable(),
  /** How many listings answer to all that was asked for. */
  total: z.int(),
  /** Of each facet: what there is under everything else that was asked for, none left out that has any. */
  facets: z.object({
    category: counted(z.enum(listingCategories)),
    brand: z.array(z.object({ code: idField('brand'), name: z.string(), count: z.int() })),
    amount: counted(z.enum(amountCodes)),
    validity: counted(z.enum(validityCodes)),
    channel: counted(z.enum(storeChannels)),
  }),
  nowMs: instantField,
})
export type Shelf = z.infer<typeof Shelf>

/** GET /store/listings/:id, without a sign-in. Off the shelf, or not for this buyer: `listing_gone`. */
export const ListingInput = z.object({ id: idField('listing') })
export const ListingDetail = ListingSummary.extend({
  /** What a purchase names: another version is another card. */
  versionId: idField('templateVersion'),
  scope: z.string(),
  named: z.boolean(),
  /** Of a series or a limited listing: how many there are in all. */
  stock: z.int().nullable(),
  /** For so long after its issue a card is sealed, and may be given back whole. 0: not at all. */
  coolingOffMs: z.int(),
  /** For so long after its payment an unused card may be given back, as the law gives it. 0: not at all. */
  rightMs: z.int(),
  /** How many one buyer may have; null: no limit. `buyerLeft`: how many more this one may; null too when nobody is signed in. */
  perBuyerCap: z.int().nullable(),
  buyerLeft: z.int().nullable(),
  /** The time-boxed price that stands or is to come. */
  promoTerms: PromoView.nullable(),
  nowMs: instantField,
})
export type ListingDetail = z.infer<typeof ListingDetail>
