import type { Id } from '../../../contract/ids.ts'
import { webhookMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { queueDeliveries } from './queue-deliveries.ts'
import { WebhookDelivery } from './tables.ts'

/**
 * Sends an event again, the same bytes under the same id, however it ended, and for a day from now; one that waits still is
 * sent now. Refuses with `not_found`.
 */
export async function resendDelivery(tx: Tx, id: Id<'webhookDelivery'>): Promise<void> {
  const delivery = await tx.em.findOne(WebhookDelivery, { id }, { disableIdentityMap: true })
  if (delivery === null) refuse('not_found')
  const now = tx.clock.now()
  const anew = { since_ms: now, next_at_ms: now, last_fault: null }
  const { state, endpointId, version } = delivery
  if (state === 'waiting') {
    const where = { id, version, state }
    const changed = await tx.em.nativeUpdate(WebhookDelivery, where, {
      sinceMs: now,
      nextAtMs: now,
      lastFault: null,
      version: version + 1,
    })
    if (changed !== 1) refuse('content_changed')
  } else {
    const step = { table: 'webhook_delivery', id, from: state, to: 'waiting', moves: webhookMoves }
    if (!(await move(tx, { ...step, set: anew }))) refuse('content_changed')
  }
  await queueDeliveries(tx, [{ id, endpointId, version: version + 1 }])
}
