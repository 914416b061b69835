import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { holdValue } from '../card/hold-value.ts'
import { Hold } from './tables.ts'

export interface NewHold {
  readonly cardId: Id<'card'>
  readonly amount: Fen
  /** Whose purchase it is for. */
  readonly ref: string
  readonly endsAtMs: number
}

/**
 * Sets value of a card aside. Null, with nothing written, when the card cannot give it: not active, locked, at its end,
 * taken back, or less free value than that. Throws RangeError on 0 fen.
 */
export async function placeHold(tx: Tx, wish: NewHold): Promise<Id<'hold'> | null> {
  if (!(await holdValue(tx, wish.cardId, wish.amount))) return null
  const id = tx.newId('hold')
  const { cardId, amount: amountFen, ref, endsAtMs } = wish
  const createdAtMs = tx.clock.now()
  await tx.em.insert(Hold, { id, cardId, amountFen, state: 'held', version: 1, ref, createdAtMs, endsAtMs })
  await trail(tx, { objectId: id, act: 'hold.held', toState: 'held', note: cardId })
  return id
}
