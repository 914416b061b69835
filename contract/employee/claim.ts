import { z } from 'zod'
import { idField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'

/** The number that stands in a QR code on a wall or in a personal link: letters and digits, unguessable. */
const claimToken = z.string().regex(/^[0-9a-zA-Z]{20,30}$/)

export const DoorInput = z.object({ token: claimToken })

/** GET /employee/claims/:token and /employee/claim-links/:token: whose occasion this is. Nothing about any person. */
export const ClaimDoor = z.object({
  companyName: z.string(),
  companyCode: z.string(),
  campaignId: idField('campaign'),
  title: z.string(),
  cover: z.enum(covers),
  /** Where the QR code hangs; null for a personal link. */
  site: z.string().nullable(),
  /** Whether WeCom can say whose phone this is, so that a member of the company need not type anything. */
  identifies: z.boolean(),
  sandbox: z.boolean(),
})
export type ClaimDoor = z.infer<typeof ClaimDoor>

export const mobileField = z.string().regex(/^1\d{10}$/)

/** POST …/code: always the same answer, whether the number is on the list or not. */
export const CodeInput = DoorInput.extend({ mobile: mobileField })
export const CodeAsked = z.object({ waitMs: z.int() })

/** POST …: the mobile and the code that came to it; with an Idempotency-Key, so that a lost answer may be asked again. */
export const ClaimInput = CodeInput.extend({
  code: z.string().regex(/^\d{6}$/),
  /** What the welcome message put into the link: which contact this is. */
  contact: z.string().max(60).optional(),
})
export const Claimed = z.object({ campaignId: idField('campaign'), cardId: idField('card') })
export type Claimed = z.infer<typeof Claimed>
