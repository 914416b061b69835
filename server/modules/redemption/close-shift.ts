import type { Id } from '../../../contract/ids.ts'
import type { Moves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { clerkOf } from './find-till.ts'
import { readShiftSums } from './read-till-day.ts'
import { Shift } from './tables.ts'

const shiftMoves = { open: ['closed'], closed: [] } as const satisfies Moves

/**
 * Ends a shift and writes down what it took and gave back. A purchase that is being paid at this moment comes before or is
 * refused: it holds the shift's row while it is written. Clerks end their own; a manager any of the merchant. Refuses
 * with `not_found` for another merchant's, `forbidden` for another clerk's, `state_conflict` when it was over.
 */
export async function closeShift(tx: Tx, id: Id<'shift'>): Promise<void> {
  const { clerkId, merchantId, roles } = clerkOf(tx)
  const shift = await tx.em.findOne(Shift, { id, merchantId }, { disableIdentityMap: true })
  if (shift === null) refuse('not_found')
  if (shift.clerkId !== clerkId && !roles.includes('manager')) refuse('forbidden')
  const set = { open_mark: id, closed_at_ms: tx.clock.now() }
  if (!(await move(tx, { table: 'shift', id, from: 'open', to: 'closed', moves: shiftMoves, set })))
    refuse('state_conflict')
  const sums = (await readShiftSums(tx, [id])).get(id)
  if (sums === undefined) return
  await change(tx.em, 'update shift set captured_fen = ?, returned_fen = ?, purchases = ? where id = ?', [
    sums.capturedFen,
    sums.returnedFen,
    sums.purchases,
    id,
  ])
}
