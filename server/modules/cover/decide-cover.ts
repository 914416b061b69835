import type { Id } from '../../../contract/ids.ts'
import { coverMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { Cover } from './tables.ts'

/**
 * What somebody of the platform makes of a picture. The same decision again is no other; one that was refused stays refused
 * (`state_conflict`). Refuses with `not_found`.
 */
export async function decideCover(tx: Tx, id: Id<'cover'>, decision: 'pass' | 'refuse'): Promise<void> {
  const { state } = (await tx.em.findOne(Cover, { id }, { disableIdentityMap: true })) ?? refuse('not_found')
  const to = decision === 'pass' ? 'passed' : 'refused'
  if (state === to) return
  const allowed: readonly string[] = coverMoves[state]
  const set = { decided_at_ms: tx.clock.now() }
  const moved =
    allowed.includes(to) && (await move(tx, { table: 'cover', id, from: state, to, moves: coverMoves, set }))
  if (!moved) refuse('state_conflict')
}
