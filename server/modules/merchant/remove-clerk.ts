import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { findClerk } from './read-clerks.ts'
import { clerkMoves } from './rules.ts'

/**
 * Shuts a clerk out from their next request on; their links open nothing any more. The row stays: purchases name it.
 * Refuses with `not_found` for nobody; for somebody who was removed before it does nothing.
 */
export async function removeClerk(tx: Tx, id: Id<'clerk'>): Promise<void> {
  const seen = (await findClerk(tx, id)) ?? refuse('not_found')
  if (seen.state === 'active') await move(tx, { table: 'clerk', id, from: 'active', to: 'removed', moves: clerkMoves })
}
