import { z } from 'zod'
import { fenField, idField, instantField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'
import { limits } from '../limits.ts'
import { CardActInput } from './card-acts.ts'

export const giftStates = ['offered', 'claimed', 'withdrawn', 'returned'] as const
/** What stands after /pack/gift/ in a gift’s link: letters and digits, unguessable. */
export const giftTokenField = z.string().regex(/^[0-9A-Za-z]{26}$/)
export const giftGreetingField = z.string().trim().max(limits.giftGreetingCharacters)

/**
 * POST /employee/cards/:id/gifts, with an Idempotency-Key: offers a card to whoever has the link. All that is on it is set
 * aside until somebody claims it, its giver takes it back, or its time is over. Refused with `card_not_giftable` (the company
 * does not allow it, it was passed on often enough, something of it is set aside), `card_locked`, `card_frozen`,
 * `card_expired`, `card_ended`.
 */
export const OfferGiftInput = CardActInput.extend({
  cover: z.enum(covers),
  /** A buyer's own picture in place of the cover (POST /store/covers). */
  pictureId: idField('cover').nullable().default(null),
  greeting: giftGreetingField,
})

/** A gift as its giver sees it. */
export const GivenGift = z.object({
  id: idField('gift'),
  cardId: idField('card'),
  brandName: z.string(),
  numberTail: z.string(),
  amountFen: fenField,
  cover: z.enum(covers),
  pictureUrl: z.string().nullable(),
  greeting: z.string(),
  state: z.enum(giftStates),
  /** The page’s path of the link, to be put after its origin; null: it is over. */
  path: z.string().nullable(),
  createdAtMs: instantField,
  endsAtMs: instantField,
  openedAtMs: instantField.nullable(),
  claimedAtMs: instantField.nullable(),
  /** Who claimed it. */
  toName: z.string().nullable(),
  /** Their word of thanks. */
  thanks: z.string().nullable(),
})
export type GivenGift = z.infer<typeof GivenGift>
/** GET /employee/gifts: what the one who asks has given, newest first. */
export const GivenGifts = z.object({ gifts: z.array(GivenGift) })
/** GET /employee/gifts/:id; POST /employee/gifts/:id/withdraw takes it back (`gift_closed` when it was claimed or is over). */
export const GiftIdInput = z.object({ id: idField('gift') })

export const GiftLinkInput = z.object({ token: giftTokenField })
/**
 * GET /employee/gift-links/:token, without a sign-in: what somebody with the link sees. Never the card’s number or secret.
 * Once the gift is over, whoever is neither its giver nor its receiver gets `gift_closed`. A token that we do not know is
 * `not_found`.
 */
export const GiftDoor = z.object({
  state: z.enum(giftStates),
  fromName: z.string(),
  /** Null: it is a buyer's present, who is of no company. */
  companyName: z.string().nullable(),
  /** To sign in with: GET /employee/sign-in/:code?return=/pack/gift/:token; null: GET /store/sign-in?return=/mine/gift/:token */
  companyCode: z.string().nullable(),
  brandName: z.string(),
  amountFen: fenField,
  cover: z.enum(covers),
  pictureUrl: z.string().nullable(),
  greeting: z.string(),
  endsAtMs: instantField,
  /**
   * Who looks: its giver, its receiver, a colleague or a friend outside who may claim it, somebody whom it is not for, nobody
   * signed in.
   */
  you: z.enum(['giver', 'receiver', 'colleague', 'friend', 'stranger', 'nobody']),
  /** The receiver’s card. */
  cardId: idField('card').nullable(),
  sandbox: z.boolean(),
})
export type GiftDoor = z.infer<typeof GiftDoor>

/** POST /employee/gift-links/:token/opened, without a sign-in, when the cover was turned: told to the giver, once. */
export const GiftOpened = z.object({ openedAtMs: instantField.nullable() })

/**
 * POST /employee/gift-links/:token/claim: the card is theirs from now on, with a new secret. Of any number at once exactly one
 * gets it, the others `gift_closed`; the one who has it may ask again. A giver cannot claim their own gift (`gift_closed`).
 * A friend outside the company claims by POST /store/gift-links/:token/claim; a card with a name is for colleagues alone
 * (`gift_for_colleagues`).
 */
export const GiftClaimed = z.object({ giftId: idField('gift'), cardId: idField('card') })
export type GiftClaimed = z.infer<typeof GiftClaimed>
