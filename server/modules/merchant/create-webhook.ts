import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { findMerchant } from './read-merchants.ts'
import { MOST_WEBHOOKS, readActiveWebhooks } from './read-webhooks.ts'
import { WebhookEndpoint } from './tables.ts'
import { SECRET_BYTES, webhookSecretPlace } from './terminal-secret.ts'

/**
 * Makes an address that is told of what happens at a merchant's tills, with a key of its own (readNewWebhookKey shows it).
 * Refuses with `not_found` for no such merchant, `till_limit_reached`, and `webhook_url_refused` for anything but https to
 * a host; the sandbox takes http too. Where a name leads is looked at when something is sent.
 */
export async function createWebhook(
  tx: Tx,
  { merchantId, url }: { readonly merchantId: Id<'merchant'>; readonly url: string },
): Promise<Id<'webhookEndpoint'>> {
  if ((await findMerchant(tx, merchantId)) === null) refuse('not_found')
  const address = addressOf(url, tx.house.sandbox) ?? refuse('webhook_url_refused', { field: 'url' })
  if ((await readActiveWebhooks(tx, [merchantId])).length >= MOST_WEBHOOKS) refuse('till_limit_reached')
  const id = tx.newId('webhookEndpoint')
  const secret = tx.random(SECRET_BYTES).toString('base64url')
  await tx.em.insert(WebhookEndpoint, {
    id,
    merchantId,
    url: address,
    secretSealed: tx.house.seal.seal(webhookSecretPlace(id), secret),
    state: 'active',
    version: 1,
    createdAtMs: tx.clock.now(),
  })
  await trail(tx, { objectId: id, act: 'webhook_endpoint.created', toState: 'active' })
  return id
}

/** The address as it is called; null for one that names a person, a fragment or another protocol. */
function addressOf(text: string, sandbox: boolean): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  const known = url.protocol === 'https:' || (sandbox && url.protocol === 'http:')
  if (!known || url.username !== '' || url.password !== '' || url.hash !== '' || url.hostname === '') return null
  return url.href.length <= 500 ? url.href : null
}
