import { z } from 'zod'
import { idField } from '../fields.ts'

/** GET and POST /callback/wecom/:companyId: what WeCom sends to the callback address of a company's app. */
export const WecomCallbackInput = z.object({
  companyId: idField('company'),
  msg_signature: z.string().max(100).optional(),
  timestamp: z.string().max(20).optional(),
  nonce: z.string().max(100).optional(),
  echostr: z.string().max(2000).optional(),
})
