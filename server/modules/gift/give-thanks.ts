import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { insertIgnore } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { readHeldCard, type Holder } from '../card/read-card.ts'
import { findThanksSubject } from './read-thanks.ts'
import { sealThanks } from './seal-gift.ts'
import { Thanks } from './tables.ts'

/**
 * Writes a word of thanks to whoever gave a card to the one who holds it, once for each gift or campaign. Returns when.
 * Refuses with `not_found` for somebody else's card, `state_conflict` when nobody gave it or thanks were given before.
 */
export async function giveThanks(tx: Tx, holder: Holder, cardId: Id<'card'>, text: string): Promise<number> {
  const card = (await readHeldCard(tx, holder, cardId)) ?? refuse('not_found')
  const subject = await findThanksSubject(tx, card)
  if (subject === null || subject.thankedAtMs !== null) refuse('state_conflict')
  const id = tx.newId('thanks')
  const { companyId, holderId } = holder
  const { subjectId } = subject
  const row = { id, company_id: companyId, from_id: holderId, subject_id: subjectId, created_at_ms: tx.clock.now() }
  await insertIgnore(tx.em, 'thanks', [{ ...row, text_sealed: sealThanks(tx, id, text) }])
  // Of two at once the unique key keeps one.
  const kept = await tx.em.findOne(Thanks, { fromId: holderId, subjectId }, { disableIdentityMap: true })
  if (kept?.id !== id) refuse('state_conflict')
  await trail(tx, { objectId: subjectId, act: 'thanks.given', note: id })
  return row.created_at_ms
}
