import { z } from 'zod'
import { mobileField } from '../employee/claim.ts'
import { idField, instantField } from '../fields.ts'

const contactWayStates = ['planned', 'active', 'failed', 'removed'] as const
const massSendStates = ['planned', 'created', 'finished', 'cancelled', 'failed'] as const

/** A QR code at a site, with what came of it. */
export const ContactWayView = z.object({
  id: idField('contactWay'),
  site: z.string(),
  state: z.enum(contactWayStates),
  adds: z.boolean(),
  /** WeCom accounts of those who serve it. */
  members: z.array(z.string()),
  /** The claim page itself: always open, whatever became of WeCom's part. */
  claimUrl: z.string(),
  /** Whether WeCom has made its own QR code: GET /hr/contact-ways/:id/qr. */
  hasQr: z.boolean(),
  /** WeCom's code where it could not be made, and what to do. */
  code: z.string().nullable(),
  codeText: z.string().nullable(),
  visits: z.int(),
  contacts: z.int(),
  claims: z.int(),
  createdAtMs: instantField,
})
export type ContactWayView = z.infer<typeof ContactWayView>

export const MassSendView = z.object({
  id: idField('massSend'),
  state: z.enum(massSendStates),
  targets: z.int(),
  sent: z.int(),
  notFriends: z.int(),
  overQuota: z.int(),
  waiting: z.int(),
  code: z.string().nullable(),
  codeText: z.string().nullable(),
  createdAtMs: instantField,
  askedAtMs: instantField.nullable(),
})
export type MassSendView = z.infer<typeof MassSendView>

/** GET /hr/campaigns/:id/outside: the people without a company account, and every way by which they are reached. */
export const OutsideInput = z.object({ id: idField('campaign') })
export const OutsideView = z.object({
  title: z.string(),
  companyName: z.string(),
  /** Heads of the campaign: who has their card by a claim, and whom no message reached. */
  claimed: z.int(),
  unreached: z.int(),
  /** Of those, on whose row of the list there is no mobile: they need a link of their own. */
  withoutPhone: z.int(),
  ways: z.array(ContactWayView),
  massSends: z.array(MassSendView),
  /** Contacts of the campaign's QR codes, and who of them has not claimed. */
  contacts: z.int(),
  toRemind: z.int(),
  connected: z.boolean(),
})
export type OutsideView = z.infer<typeof OutsideView>

/** GET /hr/contact-members: who may serve, as WeCom tells. */
export const ContactMembers = z.object({
  members: z.array(z.object({ userid: z.string(), name: z.string().nullable() })),
})
export type ContactMembers = z.infer<typeof ContactMembers>

/** POST /hr/campaigns/:id/contact-ways, Idempotency-Key */
export const NewContactWay = OutsideInput.extend({
  site: z.string().trim().min(1).max(30),
  adds: z.boolean(),
  userIds: z.array(z.string().min(1).max(64)).max(100).default([]),
})
export const MadeContactWay = z.object({ id: idField('contactWay') })
export const ContactWayInput = z.object({ id: idField('contactWay') })

/** POST /hr/campaigns/:id/mass-sends, Idempotency-Key: reminds contacts who have not claimed. */
export const MadeMassSend = z.object({ id: idField('massSend') })
/** POST /hr/mass-sends/:id/remind and /cancel */
export const MassSendInput = z.object({ id: idField('massSend') })

/** POST /hr/deliveries/:id/claim-link: a link for one person, shown once; it ends the one before. */
export const NewClaimLink = z.object({ id: idField('delivery'), phone: mobileField.optional() })
export const MadeClaimLinkView = z.object({ url: z.string(), expiresAtMs: instantField })
export type MadeClaimLinkView = z.infer<typeof MadeClaimLinkView>
