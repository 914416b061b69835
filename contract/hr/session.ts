import { z } from 'zod'
import { idField } from '../fields.ts'
import { limits } from '../limits.ts'

export const companyRoles = ['hr', 'approver', 'finance', 'admin'] as const

/** GET /hr/session: who is signed in, for which company. */
export const HrSession = z.object({
  member: z.object({ id: idField('member'), name: z.string(), roles: z.array(z.enum(companyRoles)) }),
  company: z.object({
    id: idField('company'),
    code: z.string(),
    name: z.string(),
    paymentRoute: z.enum(['strict', 'non_cash']),
    /** IANA name, such as Asia/Shanghai: the console shows times by it. */
    timeZone: z.string(),
  }),
  /** True where the sandbox stands in for WeCom and WeChat Pay. */
  sandbox: z.boolean(),
})
export type HrSession = z.infer<typeof HrSession>

/** GET /hr/sign-in/:code (redirects to WeCom). `return` is a path of ours. */
export const SignInInput = z.object({
  code: z.string().regex(/^[a-z0-9-]{2,32}$/),
  return: z.string().max(300).optional(),
})
/** GET /hr/sign-in-callback and /employee/sign-in-callback: where WeCom sends the browser back to. */
export const SignInCallbackInput = z.object({
  code: z.string().max(512).optional(),
  state: z.string().max(64).default(''),
})

/** POST /hr/first-sign-in: the token of a link that the platform console made. Opens a session; there is no body in the answer. */
export const FirstSignInInput = z.object({ token: z.string().min(1).max(1000) })

/** GET /hr/settings: members with roles, and the WeCom connection without its secret. */
export const HrSettings = z.object({
  members: z.array(
    z.object({
      id: idField('member'),
      name: z.string(),
      roles: z.array(z.enum(companyRoles)),
      state: z.enum(['active', 'removed']),
    }),
  ),
  wecom: z
    .object({
      state: z.enum(['active', 'broken', 'cancelled']),
      corpId: z.string(),
      agentId: z.int(),
      callbackUrl: z.string(),
      callbackSet: z.boolean(),
    })
    .nullable(),
  paymentRoute: z.enum(['strict', 'non_cash']),
  timeZone: z.string(),
  /** How often a card may be passed on from person to person; 0: never. */
  giftDepth: z.int(),
})
export type HrSettings = z.infer<typeof HrSettings>

/** PUT /hr/settings/time-zone: the zone of the company's days and of the times it chooses, by its IANA name. */
export const TimeZoneInput = z.object({ timeZone: z.string().min(1).max(40) })
export const TimeZoneChosen = z.object({ timeZone: z.string() })

/** PUT /hr/settings/gift-depth: how often people may pass a card of the company on; 0: never. Open gifts go on. */
export const GiftDepthInput = z.object({ giftDepth: z.int().min(0).max(limits.mostGiftDepth) })
export const GiftDepthChosen = z.object({ giftDepth: z.int() })
