import { z } from 'zod'
import { fenField, idField, instantField } from '../fields.ts'
import { limits } from '../limits.ts'

/** Whose card it is must be the one who asks: anybody else’s is `not_found`. */
export const CardActInput = z.object({ id: idField('card') })

/**
 * GET /employee/cards/:id/choices: what the one who holds a card may do with it at this instant. The page offers these and
 * nothing else; each act decides again for itself.
 */
export const CardChoices = z.object({
  /** POST /employee/cards/:id/secret */
  reveal: z.boolean(),
  /** POST /employee/cards/:id/gifts. False too where the company does not allow it. */
  give: z.boolean(),
  /** POST /employee/cards/:id/lost */
  reportLost: z.boolean(),
  /** POST /employee/cards/:id/found: only what its holder froze. */
  unfreeze: z.boolean(),
  /** POST /employee/cards/:id/reissue: a card that its holder froze gets a new number and a new secret. */
  reissue: z.boolean(),
  /** POST /employee/cards/:id/extend: until when it would be valid again; null: there is nothing to extend. */
  extendToMs: instantField.nullable(),
  /** The open gift of this card: GET /employee/gifts/:id. While there is one, the card cannot be spent. */
  openGiftId: idField('gift').nullable(),
  /** Whom thanks would go to (POST /employee/cards/:id/thanks); null: nobody gave it, the holder bound it. */
  thanksTo: z.enum(['company', 'colleague']).nullable(),
  /** When thanks were given; they are given once. */
  thankedAtMs: instantField.nullable(),
})
export type CardChoices = z.infer<typeof CardChoices>

/**
 * POST /employee/cards/:id/secret: number and secret in plain text, once in this answer (no-store). Every time stands in the
 * trail. Refused with `card_locked`, `card_frozen`, `card_ended`. Keep it in a variable of the page and nowhere else.
 */
export const RevealedCard = z.object({ number: z.string(), secret: z.string() })
export type RevealedCard = z.infer<typeof RevealedCard>

/**
 * The answer of lost, found, reissue and extend: the card as it stands now.
 * POST /employee/cards/:id/lost freezes it (an open gift of it is taken back first): `card_ended`, `card_frozen`.
 * POST /employee/cards/:id/found gives it free: `card_frozen` where somebody else froze it, `state_conflict` where it is not frozen.
 * POST /employee/cards/:id/reissue (with an Idempotency-Key) gives it a new number and secret and frees it: as found.
 * POST /employee/cards/:id/extend makes an expired card with a balance valid again: `state_conflict` where it is not expired.
 */
export const CardStanding = z.object({
  id: idField('card'),
  view: z.enum(['active', 'locked', 'expired', 'frozen', 'exhausted', 'refunded', 'void']),
  numberTail: z.string(),
  balanceFen: fenField,
  expiresAtMs: instantField.nullable(),
})
export type CardStanding = z.infer<typeof CardStanding>

export const thanksField = z.string().trim().min(1).max(limits.thanksCharacters)
/** POST /employee/cards/:id/thanks: a word back to whoever gave the card, once for each gift: a second time is `state_conflict`. */
export const ThanksInput = CardActInput.extend({ text: thanksField })
export const Thanked = z.object({ atMs: instantField })

/**
 * POST /employee/cards/:id/device-links: a link that opens the card pack, at this card, on another device of the same person.
 * `path` is to be put after the page’s origin and shown as a QR code and as text; it is as good as a key until `endsAtMs`.
 */
export const DeviceLink = z.object({ path: z.string(), endsAtMs: instantField })
export type DeviceLink = z.infer<typeof DeviceLink>

/** What stands after /pack/device/ in a device link. */
export const deviceTokenField = z.string().regex(/^[\w.-]{40,400}$/)
/**
 * POST /employee/device-links/open, on the other device, after a press (a preview of the link must not use it up): signs it
 * in and tells which card to show. The first device that opens it may open it again until its end; any other is
 * `sign_in_expired`.
 */
export const OpenDeviceLinkInput = z.object({ token: deviceTokenField })
export const DeviceLinkOpened = z.object({ cardId: idField('card') })
