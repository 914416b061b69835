import type { RevealedCard } from '../../../contract/employee/card-acts.ts'
import type { Id } from '../../../contract/ids.ts'
import type { CardView } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { lockHeldCard } from './change-held-card.ts'
import type { Holder } from './read-card.ts'
import { viewOf } from './view-card.ts'

/** Whether its holder may read the secret: from the very instant on at which the lock ends, expired or not. */
export const isRevealable = (view: CardView): boolean => view === 'active' || view === 'expired'

/**
 * Number and secret of a card in plain text, for its holder alone; each time stands in the trail. Refuses with
 * `card_locked`, `card_frozen`, `card_ended`. The caller shows it once and keeps it nowhere.
 */
export async function revealSecret(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<RevealedCard> {
  const card = await lockHeldCard(tx, holder, cardId)
  const view = viewOf(tx, card)
  if (view === 'locked') refuse('card_locked')
  if (view === 'frozen') refuse('card_frozen')
  if (!isRevealable(view)) refuse('card_ended')
  await trail(tx, { objectId: card.id, act: 'card.revealed' })
  const place = { table: 'card', column: 'secret_sealed', rowId: card.id }
  return { number: card.number, secret: tx.house.seal.open(place, card.secretSealed) }
}
