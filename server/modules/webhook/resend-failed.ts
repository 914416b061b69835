import type { Id } from '../../../contract/ids.ts'
import { webhookMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { moveMany } from '../../kernel/move.ts'
import { queueDeliveries } from './queue-deliveries.ts'
import { WebhookDelivery } from './tables.ts'

/** Events that one press of a button sends again; a person presses again for more. */
const MOST = 1000

/** Sends events of a merchant again that were given up, oldest first; says how many: a thousand at most. */
export async function resendFailed(tx: Tx, merchantId: Id<'merchant'>): Promise<number> {
  const failed = await tx.em.find(
    WebhookDelivery,
    { merchantId, state: 'failed' },
    { orderBy: { id: 'asc' }, limit: MOST, disableIdentityMap: true },
  )
  if (failed.length === 0) return 0
  const now = tx.clock.now()
  const set = { since_ms: now, next_at_ms: now, last_fault: null }
  const steps = failed.map(({ id }) => ({ id, set }))
  await moveMany(tx, { table: 'webhook_delivery', from: 'failed', to: 'waiting', moves: webhookMoves, steps })
  const first = new Map(failed.toReversed().map((one) => [one.endpointId, one]))
  await queueDeliveries(
    tx,
    [...first.values()].map((one) => ({ ...one, version: one.version + 1 })),
  )
  return failed.length
}
