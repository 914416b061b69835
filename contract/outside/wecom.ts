import { z } from 'zod'
import { idField } from '../fields.ts'

const signed = {
  msg_signature: z.string().max(100).optional(),
  timestamp: z.string().max(20).optional(),
  nonce: z.string().max(100).optional(),
  echostr: z.string().max(2000).optional(),
}

/** GET and POST /callback/wecom/:companyId: what WeCom sends to the callback address of a company's app. */
export const WecomCallbackInput = z.object({ companyId: idField('company'), ...signed })

const suiteId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
/** GET and POST /callback/wecom-suite/:suiteId/command: what happens to installs of a suite or template of ours. */
export const SuiteCommandInput = z.object({ suiteId, ...signed })
/**
 * GET and POST /callback/wecom-suite/:suiteId/data/:corpId: what happens inside a company that installed it. WeCom fills
 * in the corp where the address says $CORPID$, and verifies the address with the mark as it stands.
 */
export const SuiteDataInput = z.object({ suiteId, corpId: z.string().regex(/^[A-Za-z0-9_$-]{1,64}$/), ...signed })
