import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'
import { giftGreetingField, giftStates } from '../employee/gift.ts'

/** Through which channel somebody buys: a column of the order, never a system of its own. */
export const storeChannels = ['wechat', 'wecom', 'h5', 'alipay', 'douyin'] as const
export type StoreChannel = (typeof storeChannels)[number]

/**
 * Where an order stands, for people. `paying`: its card waits for the money, until `closesAtMs`; `making`: the money is here;
 * `ready`: the card is in the pack; `closed`: nobody paid in time, or the buyer gave it up; `refunding`, `refunded`.
 */
export const storeOrderStates = ['paying', 'making', 'ready', 'closed', 'refunding', 'refunded'] as const
export type StoreOrderState = (typeof storeOrderStates)[number]

/** Signed arguments of `getBrandWCPayRequest`. */
export const JsapiPay = z.object({
  appId: z.string(),
  timeStamp: z.string(),
  nonceStr: z.string(),
  package: z.string(),
  signType: z.literal('RSA'),
  paySign: z.string(),
})
export type JsapiPay = z.infer<typeof JsapiPay>

/**
 * POST /store/orders, with an Idempotency-Key: one card for oneself, or to give to a friend once it is there. Version, face and
 * price are those that the buyer saw: `version_changed`, `price_changed` and `face_refused` when they do not hold (any more);
 * `sold_out`, `over_buyer_cap`, `listing_gone`, `greeting_refused`, `cover_refused`. The same key is the same order with fresh
 * arguments to pay with.
 */
export const BuyInput = z.object({
  listingId: idField('listing'),
  versionId: idField('templateVersion'),
  faceFen: fenField,
  priceFen: fenField,
  channel: z.enum(storeChannels).default('wechat'),
  /** For a friend: once the card is there the page offers to give it. */
  forFriend: z.boolean().default(false),
  cover: z.enum(covers),
  /** A picture of the buyer's own in place of the cover (POST /store/covers). */
  pictureId: idField('cover').nullable().default(null),
  greeting: giftGreetingField.default(''),
})
export type BuyInput = z.input<typeof BuyInput>

export const StoreOrderView = z.object({
  /** What stands after /shop/orders/. */
  id: idField('order'),
  listingId: idField('listing'),
  state: z.enum(storeOrderStates),
  title: z.string(),
  brandId: idField('brand'),
  brandName: z.string(),
  faceFen: fenField,
  priceFen: fenField,
  cover: z.enum(covers),
  /** The buyer's own picture in place of the cover: an address that works for an hour at least. */
  pictureUrl: z.string().nullable(),
  greeting: z.string(),
  forFriend: z.boolean(),
  channel: z.enum(storeChannels),
  scope: z.string(),
  /** Of a numbered series: which of how many. */
  seriesNumber: z.int().nullable(),
  seriesSize: z.int().nullable(),
  createdAtMs: instantField,
  /** Until when an unpaid order waits. */
  closesAtMs: instantField,
  paidAtMs: instantField.nullable(),
  /** Null until the card is there, and once it belongs to somebody else. */
  cardId: idField('card').nullable(),
  /**
   * The two clocks. Until `lockedUntilMs` the card is sealed and may be given back whole; `rightUntilMs` ends the right to give an
   * unused card back. Null: there is no such right.
   */
  lockedUntilMs: instantField.nullable(),
  rightUntilMs: instantField.nullable(),
  expiresAtMs: instantField.nullable(),
  /** What one may do at this instant; each act decides again for itself. */
  may: z.object({
    pay: z.boolean(),
    cancel: z.boolean(),
    /** POST …/refund; `cooling_off`: in the first hours; `right`: unused, within the days that the law gives. */
    refund: z.enum(['cooling_off', 'right']).nullable(),
    /** POST …/use-now: ends the lock, and the right to give it back in its time. */
    useNow: z.boolean(),
    give: z.boolean(),
    invoice: z.boolean(),
  }),
  /** How its present stands, for whoever gave it. */
  gift: z.object({ id: idField('gift'), state: z.enum(giftStates) }).nullable(),
  /** Money on its way back: all of it, to the source. */
  refund: z.object({ amountFen: fenField, atMs: instantField, doneAtMs: instantField.nullable() }).nullable(),
  nowMs: instantField,
})
export type StoreOrderView = z.infer<typeof StoreOrderView>

/** The answer to buying and to paying again: the order, and what the phone needs to pay. Null: it is paid, or cannot be any more. */
export const Ordered = z.object({ order: StoreOrderView, pay: JsapiPay.nullable() })
export type Ordered = z.infer<typeof Ordered>

/**
 * GET /store/orders/:id; POST …/pay gives fresh arguments to pay with; POST …/cancel gives an unpaid one up; POST …/refund (with
 * an Idempotency-Key) gives the card back and all of the money to its source: `card_spent`, `card_not_refundable`,
 * `refund_right_over`; POST …/use-now ends the lock (`state_conflict` when it is over). Another buyer's is `not_found`.
 */
export const StoreOrderIdInput = z.object({ id: idField('order') })
/** GET /store/orders: the buyer's own, newest first. */
export const StoreOrderListInput = z.object({ cursor: cursorField, limit: limitField })
export const StoreOrderList = z.object({ orders: z.array(StoreOrderView), nextCursor: z.string().nullable() })

/** GET /store/orders/:id/events: an event `order` with a StoreOrderView whenever it changed; the stream ends with the wait. */
export const storeOrderEvent = 'order'
