import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { mustBeAlone, type BudgetTerms } from './create-budget.ts'
import { Budget } from './tables.ts'

/**
 * Changes amount and time of a budget of the actor's company, from the version that the person saw: what campaigns hold
 * and use meanwhile is no change of it. Refuses with `content_changed`, `budget_in_use` where more is held and used than
 * would be granted, `budget_overlaps`; another company's is 404.
 */
export async function changeBudget(
  tx: Tx,
  wish: BudgetTerms & { readonly id: Id<'budget'>; readonly version: number },
): Promise<void> {
  const { id, version, fromMs, toMs, grantedFen } = wish
  const { companyId, department } = await findOwn(tx, Budget, id)
  await mustBeAlone(tx, { companyId, department, fromMs, toMs, except: id })
  const changed = await change(
    tx.em,
    `update budget set from_ms = ?, to_ms = ?, granted_fen = ?, changed_by = ?, version = version + 1
      where id = ? and version = ? and held_fen + used_fen <= ?`,
    [fromMs, toMs, grantedFen, actorName(tx.actor), id, version, grantedFen],
  )
  if (changed !== 1) {
    const now = await findOwn(tx, Budget, id)
    return refuse(now.version === version ? 'budget_in_use' : 'content_changed', { field: 'grantedFen' })
  }
  await trail(tx, { objectId: id, act: 'budget.changed', note: `${grantedFen} ${fromMs} ${toMs}` })
}
