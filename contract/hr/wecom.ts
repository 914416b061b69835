import { z } from 'zod'
import { instantField } from '../fields.ts'

/** The points of "check the connection", in the order in which they make sense. */
export const checkPoints = [
  'credential',
  'agent',
  'visible',
  'sign_in',
  'callback',
  'contact_sync',
  'customer_contact',
  'quota',
] as const
export type CheckPoint = (typeof checkPoints)[number]

/**
 * `ok`; `missing`: something is to be done; `waiting`: only time or a person's act can tell, or WeCom did not answer;
 * `unused`: not set up, and it may stay so.
 */
const checkOutcomes = ['ok', 'missing', 'waiting', 'unused'] as const

/** What a look at one point found. `code`: WeCom's, or a word of ours; pages turn it into what to do. */
export const Check = z.object({
  point: z.enum(checkPoints),
  outcome: z.enum(checkOutcomes),
  code: z.string().nullable(),
  /** Departments, members, accounts or messages, as the point counts them. */
  count: z.int().nullable(),
  /** Members, where departments are counted too. */
  people: z.int().nullable(),
  atMs: instantField,
})
export type Check = z.infer<typeof Check>

const corpId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const secret = z.string().trim().min(1).max(200)

/** GET /hr/wecom: how the company is connected, without any secret. */
export const WecomWizard = z.object({
  connection: z
    .object({
      kind: z.enum(['self_built', 'customised', 'third_party']),
      suiteId: z.string().nullable(),
      state: z.enum(['active', 'broken', 'cancelled']),
      brokenCode: z.string().nullable(),
      corpId: z.string(),
      /** 0 while WeCom has not told it yet. */
      agentId: z.int(),
      callbackSet: z.boolean(),
      contactSecretSet: z.boolean(),
      accountLimit: z.int().nullable(),
      /** What an installed app was granted; people by their number. */
      scope: z
        .object({
          authMode: z.enum(['admin', 'member']),
          departments: z.array(z.int()),
          users: z.int(),
          tags: z.array(z.int()),
        })
        .nullable(),
      trialEndsAtMs: instantField.nullable(),
      authorisedAtMs: instantField.nullable(),
    })
    .nullable(),
  checks: z.array(Check),
  /** What WeCom's console asks for. */
  callbackUrl: z.string(),
  trustedDomain: z.string(),
  /** The suites and templates that this installation offers. */
  suites: z.array(z.object({ suiteId: z.string(), kind: z.enum(['third_party', 'customised']), name: z.string() })),
})
export type WecomWizard = z.infer<typeof WecomWizard>

/** PUT /hr/wecom: a self-built app. A secret that is left out stays; `contactSecret` null takes it away. */
export const ConnectInput = z.strictObject({
  corpId,
  agentId: z.int().positive(),
  secret: secret.optional(),
  contactSecret: secret.nullable().optional(),
  accountLimit: z.int().min(1).max(10_000_000).nullable(),
})

/** POST /hr/wecom/callback-keys: made anew, kept sealed, and shown this once. */
export const CallbackKeys = z.object({ token: z.string(), encodingAesKey: z.string() })
export type CallbackKeys = z.infer<typeof CallbackKeys>

/** POST /hr/wecom/checks/:point */
export const CheckInput = z.object({ point: z.enum(checkPoints) })

/** POST /hr/wecom/install: where to send the administrator. */
export const InstallInput = z.strictObject({ suiteId: z.string().max(64) })
export const InstallUrl = z.object({ url: z.string() })
/** GET /hr/wecom/install-callback: where WeCom sends the administrator back to. */
export const InstallCallbackInput = z.object({
  auth_code: z.string().max(600).optional(),
  state: z.string().max(128).default(''),
})

/** GET /hr/wecom/licences: how many people could not be sent to for want of a licence. */
export const LicencesView = z.object({ unlicensed: z.int() })
/** POST /hr/wecom/licences: activation codes as the provider bought them, at most 1,000 at once. */
export const LicencesInput = z.strictObject({
  codes: z
    .array(
      z
        .string()
        .trim()
        .regex(/^[\x21-\x7e]{4,128}$/),
    )
    .min(1)
    .max(1000),
})
export const LicencesActivated = z.object({
  activated: z.int(),
  /** Codes that nobody needed. */
  unused: z.int(),
  /** WeCom's code, and how many people it met. */
  refused: z.array(z.object({ code: z.string(), count: z.int() })),
})
export type LicencesActivated = z.infer<typeof LicencesActivated>
