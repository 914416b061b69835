import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'

/**
 * Sets value of a card aside for a purchase: the balance stays, and nobody else can hold or take back what is held. One
 * guarded update decides, so of any number of callers at once none holds more than there is. False when the card is not
 * active, locked still, at its end, or has less that is free. Throws RangeError on 0 fen. The caller writes the hold in
 * the same transaction: what a card holds is the sum of its open holds.
 */
export async function holdValue(tx: Tx, cardId: Id<'card'>, amount: Fen): Promise<boolean> {
  if (amount === 0) throw new RangeError('a hold is at least 1 fen')
  const now = tx.clock.now()
  const held = await change(
    tx.em,
    `update card set held_fen = held_fen + ?, version = version + 1 where id = ? and state = 'active'
        and locked_until_ms <= ? and (expires_at_ms is null or expires_at_ms > ?) and balance_fen - held_fen >= ?`,
    [amount, cardId, now, now, amount],
  )
  return held === 1
}
