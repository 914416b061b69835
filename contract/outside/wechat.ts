import { z } from 'zod'

const part = z.string().max(512).optional()

/** GET and POST /notify/wechat: how the service account's server verifies our address, and tells us of events (safe mode alone). */
export const WechatCallbackInput = z.object({
  signature: part,
  msg_signature: part,
  timestamp: part,
  nonce: part,
  encrypt_type: part,
  echostr: part,
})
