import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { ListingCategory } from '../../../contract/store/shelf.ts'
import type { ListingState, TakingState } from '../../../contract/states.ts'
import { codeColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** A card template on the shelf of the storefront: which version is sold now, how many there are, at which price and to whom. */
export const Listing = defineEntity({
  name: 'Listing',
  tableName: 'listing',
  properties: {
    id: idColumn<'listing'>().primary(),
    templateId: idColumn<'template'>().unique(),
    /** What is sold now: its faces, price, validity and scope. */
    templateVersionId: idColumn<'templateVersion'>(),
    brandId: idColumn<'brand'>(),
    category: codeColumn<ListingCategory>(24),
    title: p.string().length(60),
    subtitle: p.string().length(100),
    /** JSON: the channels on which it is sold. */
    channels: p.text(),
    giftable: p.boolean(),
    /** Numbered 1 to `stock`. */
    series: p.boolean(),
    /** How many there are in all; null: no limit. */
    stock: p.integer().nullable(),
    perBuyerCap: p.integer().nullable(),
    /** Whose eyes it is for; null: everybody's. */
    segment: codeColumn(32).nullable(),
    state: codeColumn<ListingState>(8),
    /** Counts changes by people; takings do not count. */
    version: p.integer(),
    /** Takings that stand: held, sold and retired. */
    taken: p.integer(),
    /** Of these, those whose card was made and did not go back. */
    sold: p.integer(),
    /** Numbers of the series that were given. */
    numbered: p.integer(),
    /** Which time-boxed price this is, from 1: takings name it, so that the next one begins anew. 0: there was none yet. */
    promoNumber: p.integer(),
    promoPriceBp: p.integer().nullable(),
    promoFromMs: instantColumn().nullable(),
    promoUntilMs: instantColumn().nullable(),
    promoPerBuyerCap: p.integer().nullable(),
    promoStock: p.integer().nullable(),
    /** Takings that stand at this time-boxed price. */
    promoTaken: p.integer(),
    /** What is searched in: words, their pinyin and its first letters; made whenever the words change. */
    searchText: p.text(),
    /** Grows with each change of any listing that a list shows; every process reads what is newer than what it knows. */
    shelfVersion: p.bigint('number'),
    createdAtMs: instantColumn(),
  },
  indexes: [
    { name: 'listing_shelf_index', properties: ['shelfVersion'] },
    { name: 'listing_brand_index', properties: ['brandId'] },
  ],
  checks: [
    { name: 'listing_never_oversold', expression: 'taken >= 0 and (stock is null or taken <= stock)' },
    { name: 'listing_counts_nest', expression: 'sold >= 0 and sold <= taken and numbered <= taken' },
    {
      name: 'listing_promo_never_oversold',
      expression: 'promo_taken >= 0 and (promo_stock is null or promo_taken <= promo_stock)',
    },
  ],
})

/** What one order took of a listing, from before its payment. */
export const ListingTaking = defineEntity({
  name: 'ListingTaking',
  tableName: 'listing_taking',
  properties: {
    id: idColumn<'listingTaking'>().primary(),
    listingId: idColumn<'listing'>(),
    buyerId: idColumn<'buyer'>(),
    orderId: idColumn<'order'>().unique(),
    /** At which time-boxed price of the listing; null: at its regular price. */
    promoNumber: p.integer().nullable(),
    state: codeColumn<TakingState>(10),
    version: p.integer(),
    takenAtMs: instantColumn(),
  },
  indexes: [{ name: 'listing_taking_buyer_index', properties: ['listingId', 'buyerId'] }],
})

/** Which card of a series has which number: given once, never again. */
export const SeriesNumber = defineEntity({
  name: 'SeriesNumber',
  tableName: 'series_number',
  properties: {
    listingId: idColumn<'listing'>().primary(),
    number: p.integer().primary().autoincrement(false),
    orderItemId: idColumn<'orderItem'>().unique(),
  },
})

/** Who belongs to an audience. */
export const SegmentBuyer = defineEntity({
  name: 'SegmentBuyer',
  tableName: 'segment_buyer',
  properties: {
    segment: codeColumn(32).primary(),
    buyerId: idColumn<'buyer'>().primary(),
  },
})

/**
 * What had been sold when a round began, which is what a list sorted by sales goes by until the next one: pages neither
 * repeat nor skip while people buy. Never changed; a cursor names its round.
 */
export const ShelfRound = defineEntity({
  name: 'ShelfRound',
  tableName: 'shelf_round',
  properties: {
    number: p.integer().primary().autoincrement(false),
    /** JSON {listing id: sold}; a listing that sold nothing is left out. */
    sales: p.text().columnType('mediumtext'),
    atMs: instantColumn(),
  },
})

export type ListingRow = InferEntity<typeof Listing>
