import { createHash } from 'node:crypto'
import type { StorePageSignature } from '../../../contract/store/session.ts'
import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { ownPage } from '../company/sign-page.ts'

const NONCE_BYTES = 16

/**
 * Signs a page of ours for WeChat's client (protocols wechat-consumer 5.1). Anything that is not a page of ours is refused
 * with `malformed_request`; `wechat_not_connected`, and `provider_unavailable` while WeChat gives no ticket.
 */
export async function signStorePage(edge: Edge, url: string): Promise<StorePageSignature> {
  const page = ownPage(url, edge.house.publicUrl) ?? refuse('malformed_request', { field: 'url' })
  const appId = edge.house.wechat?.appid ?? refuse('wechat_not_connected')
  const ticket = await edge.ports.wechat.jsTicket().catch((error: unknown) => {
    if (!(error instanceof OutsideError)) throw error
    return refuse('provider_unavailable', { cause: error, retryAfterMs: error.retryAfterMs })
  })
  const timestamp = Math.floor(edge.clock.now() / 1000)
  const nonceStr = edge.random(NONCE_BYTES).toString('hex')
  const text = `jsapi_ticket=${ticket}&noncestr=${nonceStr}&timestamp=${timestamp}&url=${page}`
  return { appId, timestamp, nonceStr, signature: createHash('sha1').update(text).digest('hex') }
}
