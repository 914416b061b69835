import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { Delivery } from './tables.ts'

/**
 * Records that a person looked at the card of a campaign: the only receipt there is. A second time changes nothing, and
 * a person whose message had failed but who found the card all the same counts as reached. Before a message left,
 * nothing is recorded. Returns whether this was the first time.
 */
export async function markOpened(
  tx: Tx,
  opened: { readonly campaignId: Id<'campaign'>; readonly personId: Id<'person'> },
): Promise<boolean> {
  const delivery = await tx.em.findOne(Delivery, { ...opened }, { disableIdentityMap: true })
  if (!delivery) return false
  const now = tx.clock.now()
  const one = { objectId: delivery.id, ids: [delivery.id] } as const
  // The person was faster than our record of the answer: the message did arrive.
  if (delivery.state === 'sending') await moveDeliveries(tx, { ...one, from: 'sending', to: 'sent', sentAtMs: now })
  const open = (from: 'sent' | 'failed') => moveDeliveries(tx, { ...one, from, to: 'opened', openedAtMs: now })
  return (await open('sent')) === 1 || (await open('failed')) === 1
}
