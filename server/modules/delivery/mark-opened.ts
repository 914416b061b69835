import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { Delivery } from './tables.ts'

export interface Taken {
  readonly campaignId: Id<'campaign'>
  readonly personId: Id<'person'>
}

/**
 * Records that a person followed a campaign's message to their card: the only receipt there is. A second time changes
 * nothing. Who found the card in another way (before the message left, after it failed or was recalled) counts as
 * reached too, and gets no message any more. Returns whether this was the first time.
 */
export async function markOpened(tx: Tx, taken: Taken): Promise<boolean> {
  const delivery = await tx.em.findOne(Delivery, { ...taken }, { disableIdentityMap: true })
  if (!delivery) return false
  const now = tx.clock.now()
  const one = { objectId: delivery.id, ids: [delivery.id], to: 'opened', openedAtMs: now } as const
  // Under way and faster than our record of the answer: the message did arrive.
  if ((await moveDeliveries(tx, { ...one, from: 'sending', sentAtMs: now })) === 1) return true
  for (const from of ['sent', 'planned', 'failed', 'revoked'] as const)
    if ((await moveDeliveries(tx, { ...one, from })) === 1) return true
  return false
}
