import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { Budget } from './tables.ts'

/**
 * Removes a budget of the actor's company that no campaign has touched: the department is free again. Refuses with
 * `budget_in_use` otherwise (one can end it by an earlier last day); another company's is 404.
 */
export async function removeBudget(tx: Tx, id: Id<'budget'>): Promise<void> {
  await findOwn(tx, Budget, id)
  const removed = await change(
    tx.em,
    `delete from budget where id = ? and held_fen = 0 and used_fen = 0
      and not exists (select 1 from budget_hold where budget_hold.budget_id = budget.id)`,
    [id],
  )
  if (removed !== 1) refuse('budget_in_use')
  await trail(tx, { objectId: id, act: 'budget.removed' })
}
