import type { Tx } from '../../kernel/context.ts'
import type { Taken } from './mark-opened.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { Delivery } from './tables.ts'

/**
 * Records that a person took their card: turned its cover, or proved who they are at a QR code. That ends every doubt
 * about the message, whatever became of it. A second time changes nothing. Returns whether this was the first time;
 * false as well for somebody whom the campaign has no message for (yet).
 */
export async function markClaimed(tx: Tx, taken: Taken): Promise<boolean> {
  const delivery = await tx.em.findOne(Delivery, { ...taken }, { disableIdentityMap: true })
  if (!delivery) return false
  const now = tx.clock.now()
  const one = { objectId: delivery.id, ids: [delivery.id], to: 'claimed', claimedAtMs: now } as const
  if ((await moveDeliveries(tx, { ...one, from: 'sending', sentAtMs: now })) === 1) return true
  for (const from of ['opened', 'sent', 'planned', 'failed', 'revoked'] as const)
    if ((await moveDeliveries(tx, { ...one, from })) === 1) return true
  return false
}
