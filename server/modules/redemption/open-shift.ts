import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { clerkOf } from './find-till.ts'
import { Shift } from './tables.ts'

/**
 * Begins the shift of the clerk who acts, where they stand. One at a time, whatever happens at once: the unique key
 * decides, and the second is refused with `state_conflict`.
 */
export async function openShift(tx: Tx): Promise<Id<'shift'>> {
  const { clerkId, merchantId, shopId } = clerkOf(tx)
  const id = tx.newId('shift')
  const row = { id, merchantId, shopId, clerkId, state: 'open' as const, openMark: 'open', version: 1 }
  try {
    await tx.em.insert(Shift, { ...row, openedAtMs: tx.clock.now() })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) refuse('state_conflict')
    throw error
  }
  await trail(tx, { objectId: id, act: 'shift.open', toState: 'open' })
  return id
}
