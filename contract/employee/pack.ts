import { z } from 'zod'
import { fenField, idField, instantField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'
import { payCodeField, redemptionStates } from '../till.ts'

/** GET /employee/session: who is signed in on this phone. */
export const EmployeeSession = z.object({
  name: z.string(),
  companyName: z.string(),
  companyCode: z.string(),
  /** IANA: the zone that times are shown in. */
  timeZone: z.string(),
  sandbox: z.boolean(),
  /** Whether cards can be taken to Apple's Wallet: GET /employee/cards/:id/pass. */
  passes: z.boolean(),
})

export const PackCard = z.object({
  id: idField('card'),
  /** The campaign that gave it to this holder; null for a card that was passed on or bound. */
  campaignId: idField('campaign').nullable(),
  brandId: idField('brand'),
  brandName: z.string(),
  templateName: z.string(),
  cover: z.enum(covers),
  /** A picture of the buyer's or giver's own in place of the cover: an address that works for an hour at least. */
  pictureUrl: z.string().nullable(),
  /** The order by which its holder bought it: /shop/orders/:id; null for a card that was given. */
  storeOrderId: idField('order').nullable(),
  /** The last four digits of the card number. */
  numberTail: z.string(),
  faceFen: fenField,
  balanceFen: fenField,
  /** What of the balance is set aside: for a purchase that is not over, or for a gift that is not claimed. */
  heldFen: fenField,
  view: z.enum(['active', 'locked', 'expired', 'frozen', 'exhausted', 'refunded', 'void']),
  lockedUntilMs: instantField,
  expiresAtMs: instantField.nullable(),
  issuedAtMs: instantField,
  scope: z.string(),
  /** Whether its cover was turned before: the card was taken. */
  opened: z.boolean(),
})
export type PackCard = z.infer<typeof PackCard>
/** GET /employee/pack */
export const Pack = z.object({ cards: z.array(PackCard) })
export type Pack = z.infer<typeof Pack>

/** GET /employee/cards/:id: one card with the giver's words and its history. */
export const CardIdInput = z.object({ id: idField('card') })
export const CardDetail = PackCard.extend({
  number: z.string(),
  companyName: z.string(),
  /** The colleague who passed it on; null: the company gave it, or its holder bound it. */
  giverName: z.string().nullable(),
  /** The giver's words; merge fields filled in. */
  greeting: z.string().nullable(),
  title: z.string().nullable(),
  /** Newest first. */
  activities: z.array(
    z.object({
      kind: z.string(),
      amountFen: z.int(),
      balanceFen: fenField,
      atMs: instantField,
      /** Where it was spent, or where that was given back. */
      shopName: z.string().nullable(),
    }),
  ),
})
export type CardDetail = z.infer<typeof CardDetail>

/**
 * POST /employee/campaigns/:id/opened: the person followed the message to the card. POST …/claimed: they took it, by turning
 * its cover. A second time changes nothing.
 */
export const OpenedInput = z.object({ id: idField('campaign') })
export const Opened = z.object({ cardId: idField('card').nullable() })

/**
 * POST /employee/cards/:id/pay-code for one card, POST /employee/pay-code for all cards of whatever brand the till is of:
 * digits that pay once, until they end. Nothing is stored before a till reads them. Refused with `card_locked`,
 * `card_frozen`, `card_expired`, `card_ended`, and `card_value_short` when all of it is set aside.
 */
export const ShownPayCode = z.object({
  code: payCodeField,
  expiresAtMs: instantField,
  /** The server's clock: phones' clocks are often wrong. */
  nowMs: instantField,
})
export type ShownPayCode = z.infer<typeof ShownPayCode>

/** GET /employee/purchases/latest?sinceMs: what was last paid from the cards of the one who asks, for the receipt on the phone. */
export const LatestPurchaseInput = z.object({ sinceMs: z.coerce.number().int().min(0) })
export const PackPurchase = z.object({
  id: idField('redemption'),
  state: z.enum(redemptionStates),
  shopName: z.string(),
  billFen: fenField,
  atMs: instantField,
  /** The cards of this holder that paid, in the order in which they did. */
  cards: z.array(
    z.object({
      cardId: idField('card'),
      numberTail: z.string(),
      heldFen: fenField,
      capturedFen: fenField,
      refundedFen: fenField,
      balanceFen: fenField,
    }),
  ),
})
export type PackPurchase = z.infer<typeof PackPurchase>
export const LatestPurchase = z.object({ purchase: PackPurchase.nullable() })

/**
 * POST /employee/cards/:id/shops: where it can be spent. With a place (GCJ-02, in ten-thousandths of a degree: some ten
 * metres) the nearest shops; else those of a city, or of the city with most shops. The place stands in the body and is
 * neither kept nor logged.
 */
export const ShopsInput = CardIdInput.extend({
  near: z
    .object({ latitudeE4: z.int().min(-900_000).max(900_000), longitudeE4: z.int().min(-1_800_000).max(1_800_000) })
    .optional(),
  city: z.string().max(40).optional(),
})
export const PackShops = z.object({
  /** How many shops each city has, most first. */
  cities: z.array(z.object({ city: z.string(), shops: z.int() })),
  /** The city that is shown; null: the nearest of all cities. */
  city: z.string().nullable(),
  shops: z.array(
    z.object({
      id: idField('shop'),
      name: z.string(),
      city: z.string(),
      address: z.string(),
      phone: z.string().nullable(),
      hours: z.string().nullable(),
      distanceMetres: z.int().nullable(),
    }),
  ),
  /** There are more than are shown. */
  more: z.boolean(),
})
export type PackShops = z.infer<typeof PackShops>
