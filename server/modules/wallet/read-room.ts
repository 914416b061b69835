import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { leftOf } from './hold-budgets.ts'
import { readBudgets, readLiveHolds } from './read-budgets.ts'

/**
 * What a campaign could take of each department's budget in force, what it holds or has used itself included. Departments
 * without a budget are not in it: they are free.
 */
export async function readRoom(
  tx: Tx,
  campaign: { readonly companyId: Id<'company'>; readonly id: Id<'campaign'> },
): Promise<Map<string, Fen>> {
  const room = new Map<string, Fen>()
  for (const budget of await readBudgets(tx, campaign.companyId, 'current')) room.set(budget.department, leftOf(budget))
  for (const hold of await readLiveHolds(tx, campaign.id))
    room.set(hold.department, fen((room.get(hold.department) ?? 0) + hold.fen - hold.releasedFen))
  return room
}
