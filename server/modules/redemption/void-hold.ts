import type { Id } from '../../../contract/ids.ts'
import { holdMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { releaseValue } from '../card/release-value.ts'
import { Hold } from './tables.ts'

/**
 * Ends a hold without a purchase and gives its value free; `timed_out` when nobody came back for it. False when it had
 * ended before: a hold ends once, in one way.
 */
export async function voidHold(tx: Tx, id: Id<'hold'>, to: 'voided' | 'timed_out' = 'voided'): Promise<boolean> {
  const hold = await tx.em.findOne(Hold, { id }, { disableIdentityMap: true })
  if (!hold || !(await move(tx, { table: 'hold', id, from: 'held', to, moves: holdMoves }))) return false
  await releaseValue(tx, hold.cardId, hold.amountFen)
  return true
}
