import { z } from 'zod'

/**
 * GET /store/setting, without a sign-in: what a page of the storefront must know before anything else. `appid` null: no service
 * account is configured, so the storefront can be looked at and nobody can buy.
 */
export const StoreSetting = z.object({
  appid: z.string().nullable(),
  /** Where WeChat's JS-SDK is loaded from when something is asked of it. */
  jsSdkUrl: z.string().nullable(),
  /** The sandbox's own client, in place of WeChat's; null outside the sandbox. */
  clientScriptUrl: z.string().nullable(),
  /** Templates of subscription notices that a person may allow, by what they tell of. */
  noticeTemplates: z.record(z.string(), z.string()),
  sandbox: z.boolean(),
  /** The server's clock: prices, locks and rights go by it, and phones' clocks are often wrong. */
  nowMs: z.int(),
})
export type StoreSetting = z.infer<typeof StoreSetting>

/** GET /store/session, without a sign-in. `signedIn` false: looking around is all that this browser may do. */
export const StoreSession = z.object({
  signedIn: z.boolean(),
  /** Whether cards can be taken to Apple's Wallet: GET /store/cards/:id/pass. */
  passes: z.boolean(),
  nowMs: z.int(),
})
export type StoreSession = z.infer<typeof StoreSession>

/**
 * GET /store/sign-in?return=/shop/…: WeChat is asked, silently, whose phone this is, and the browser comes back to that page.
 * What went wrong stands in its query as `problem`: a code of contract/error-codes.ts, among them `snapshot_page`.
 */
export const StoreSignInInput = z.object({ return: z.string().max(300).optional() })
/** GET /store/sign-in-callback: where WeChat sends the browser back to. Without a code the person refused. */
export const StoreSignInBackInput = z.object({
  code: z.string().max(512).optional(),
  state: z.string().max(128).default(''),
})

/** POST /store/js/signature, without a sign-in: what lets a page of ours speak with WeChat's client (`wx.config`). */
export const StorePageSignature = z.object({
  appId: z.string(),
  timestamp: z.int(),
  nonceStr: z.string(),
  signature: z.string(),
})
export type StorePageSignature = z.infer<typeof StorePageSignature>
