import type { Id } from '../../../contract/ids.ts'
import type { Moves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { findWebhook, MOST_WEBHOOKS, readActiveWebhooks } from './read-webhooks.ts'

const webhookEndpointMoves = { active: ['paused'], paused: ['active'] } as const satisfies Moves

/**
 * Stops or resumes telling an address; again, it changes nothing. Paused, nothing new is written down for it, and what
 * waits stays until it is resumed. Refuses with `not_found`, `till_limit_reached` where too many are active.
 */
export async function pauseWebhook(tx: Tx, id: Id<'webhookEndpoint'>, to: 'active' | 'paused'): Promise<void> {
  const endpoint = (await findWebhook(tx, id)) ?? refuse('not_found')
  if (endpoint.state === to) return
  if (to === 'active' && (await readActiveWebhooks(tx, [endpoint.merchantId])).length >= MOST_WEBHOOKS)
    refuse('till_limit_reached')
  const step = { table: 'webhook_endpoint', id, from: endpoint.state, to, moves: webhookEndpointMoves }
  if (!(await move(tx, step))) refuse('content_changed')
  const key = `webhook.deliver:${id}:v${endpoint.version + 1}`
  const deliver = { kind: 'webhook.deliver', key, args: { endpointId: id }, lane: 'webhook' } as const
  if (to === 'active') await enqueue(tx, [deliver])
}
