import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { changeHeldCard, lockHeldCard } from './change-held-card.ts'
import type { Holder } from './read-card.ts'
import { viewOf } from './view-card.ts'

/**
 * Ends the lock of a card before its time, because its holder chose to use it: from this instant on it is theirs to spend and to
 * give, and the right to give it back in cooling-off is over. Refuses with `not_found` for anybody else's, `early_use_ended` where
 * it is not locked (any more), `card_frozen`, `card_ended`.
 */
export async function endLock(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<void> {
  const card = await lockHeldCard(tx, holder, cardId)
  const view = viewOf(tx, card)
  if (view === 'frozen') refuse('card_frozen')
  if (view === 'active' || view === 'expired') refuse('early_use_ended')
  if (view !== 'locked') refuse('card_ended')
  await changeHeldCard(tx, card, { act: 'card.lock_ended', set: { locked_until_ms: tx.clock.now() } })
}
