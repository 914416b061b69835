import type { Id } from '../../../contract/ids.ts'
import type { WebhookEndpointView } from '../../../contract/operator/terminal.ts'
import type { Tx } from '../../kernel/context.ts'
import { WebhookEndpoint } from './tables.ts'
import { SHOWN_MS, webhookSecretPlace } from './terminal-secret.ts'

/** One for the ERP, one for the till's vendor, one to try things with: each event is sent to all that are not paused. */
export const MOST_WEBHOOKS = 5

/** An address that is told of a merchant's tills, by id; null when there is none. */
export async function findWebhook(tx: Tx, id: Id<'webhookEndpoint'>) {
  return tx.em.findOne(WebhookEndpoint, { id }, { disableIdentityMap: true })
}

/** The addresses of a merchant, oldest first. */
export async function readWebhooks(tx: Tx, merchantId: Id<'merchant'>): Promise<WebhookEndpointView[]> {
  const rows = await tx.em.find(WebhookEndpoint, { merchantId }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  return rows.map(({ id, url, state, createdAtMs }) => ({ id, url, state, createdAtMs }))
}

/** Those that are told now, of these merchants. */
export async function readActiveWebhooks(
  tx: Tx,
  merchantIds: readonly Id<'merchant'>[],
): Promise<{ readonly id: Id<'webhookEndpoint'>; readonly merchantId: Id<'merchant'> }[]> {
  const where = { merchantId: { $in: [...new Set(merchantIds)] }, state: 'active' as const }
  return tx.em.find(WebhookEndpoint, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })
}

/** Where an address is and with which key it is told; null once it is paused, or there is none. */
export async function readWebhookTarget(
  tx: Tx,
  id: Id<'webhookEndpoint'>,
): Promise<{ readonly url: string; readonly secret: string } | null> {
  const endpoint = await findWebhook(tx, id)
  if (endpoint === null || endpoint.state !== 'active') return null
  return { url: endpoint.url, secret: tx.house.seal.open(webhookSecretPlace(id), endpoint.secretSealed) }
}

/** The key of an address for whoever has just made it; null ten minutes later. */
export async function readNewWebhookKey(tx: Tx, id: Id<'webhookEndpoint'>): Promise<string | null> {
  const endpoint = await findWebhook(tx, id)
  if (endpoint === null || tx.clock.now() >= endpoint.createdAtMs + SHOWN_MS) return null
  return tx.house.seal.open(webhookSecretPlace(id), endpoint.secretSealed)
}
