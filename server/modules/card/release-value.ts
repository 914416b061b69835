import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'

/** Gives value free again that `holdValue` set aside. Throws when the card holds less: the caller ended its hold once. */
export async function releaseValue(tx: Tx, cardId: Id<'card'>, amount: Fen): Promise<void> {
  const released = await change(
    tx.em,
    'update card set held_fen = held_fen - ?, version = version + 1 where id = ? and held_fen >= ?',
    [amount, cardId, amount],
  )
  if (released !== 1) throw new Error(`card ${cardId} holds less than ${amount} fen`)
}
