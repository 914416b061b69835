import { getJsApiSignature } from '@wecom/crypto'
import type { z } from 'zod'
import type { PageSignature } from '../../../contract/page-signature.ts'
import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { breakConnection } from './break-connection.ts'
import { readWecomApp } from './read-wecom-app.ts'

const NONCE_BYTES = 16

/**
 * Signs a page of ours for WeCom's client, with the tickets of the actor's company (protocols wecom, 3.5). Anything
 * that is not a page of ours is refused with `malformed_request`: what signs foreign pages lends them our rights.
 * Refuses with `wecom_not_connected`, and `provider_unavailable` while WeCom gives no ticket.
 */
export async function signPage(edge: Edge, url: string): Promise<z.input<typeof PageSignature>> {
  const page = ownPage(url, edge.house.publicUrl) ?? refuse('malformed_request', { field: 'url' })
  const companyId = companyOf(edge.actor)
  const app = (await edge.read((tx) => readWecomApp(tx, companyId))) ?? refuse('wecom_not_connected')
  const sign = async (kind: 'corp' | 'agent') => {
    const ticket = await edge.ports.wecom.jsTicket(app, kind)
    const timestamp = Math.floor(edge.clock.now() / 1000)
    const nonceStr = edge.random(NONCE_BYTES).toString('hex')
    const { signature } = getJsApiSignature({ url: page, ticket, nonceStr, timestamp })
    return { timestamp, nonceStr, signature }
  }
  try {
    const config = await sign('corp')
    const agentConfig = await sign('agent')
    return { corpId: app.corpId, agentId: app.agentId, suiteId: app.suiteId, config, agentConfig }
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    if (error.outcome === 'broken') await edge.tx((tx) => breakConnection(tx, companyId, error.code))
    return refuse('provider_unavailable', { cause: error, retryAfterMs: error.retryAfterMs })
  }
}

/**
 * The address as the client signs it, without its fragment, when it is one of this very origin and written as browsers
 * write addresses; else null. What two readers could take for two addresses is none.
 */
export function ownPage(text: string, publicUrl: string): string | null {
  const bare = text.split('#', 1)[0] ?? ''
  if (!URL.canParse(bare)) return null
  const url = new URL(bare)
  const plain = url.href === bare && url.username === '' && url.password === ''
  return plain && url.origin === new URL(publicUrl).origin ? bare : null
}
