import { z } from 'zod'

/** POST /hr/js/signature and /employee/js/signature: what lets a page of ours speak with WeCom's client. */
export const SignPageInput = z.object({
  /** The page's whole address; it travels in the body, for it may name a card or a campaign. */
  url: z.string().min(1).max(2048),
})

const Signature = z.object({ timestamp: z.int(), nonceStr: z.string(), signature: z.string() })
export const PageSignature = z.object({
  corpId: z.string(),
  agentId: z.int(),
  /** Which kind of app asks: third-party pages name their suite as well. */
  suiteId: z.string().nullable(),
  config: Signature,
  agentConfig: Signature,
})
export type PageSignature = z.infer<typeof PageSignature>
