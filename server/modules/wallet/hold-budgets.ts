import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { readLiveHolds } from './read-budgets.ts'
import { Budget, BudgetHold, type BudgetRow } from './tables.ts'

/** A department whose budget does not cover what a campaign needs of it. */
export interface Shortage {
  readonly department: string
  readonly neededFen: Fen
  readonly leftFen: Fen
}

/**
 * Sets money of departments' budgets aside for a campaign: of each department that has a budget in force now and of which
 * the campaign holds nothing yet. Either all of it is held and the answer is empty, or nothing is and the answer says
 * what is short. A department without a budget is free. Of any number of callers at once none takes what another took:
 * budgets are held in the order of their ids, and the update is guarded. The caller has checked whose campaign it is.
 */
export async function holdBudgets(
  tx: Tx,
  wish: {
    readonly companyId: Id<'company'>
    readonly campaignId: Id<'campaign'>
    readonly needs: ReadonlyMap<string, Fen>
  },
): Promise<Shortage[]> {
  const { companyId, campaignId, needs } = wish
  const held = new Set((await readLiveHolds(tx, campaignId)).map((hold) => hold.department))
  const asked = [...needs].filter(([name, fens]) => fens > 0 && !held.has(name)).map(([name]) => name)
  const wanted = (await lockInForce(tx, companyId, new Set(asked))).map((budget) => ({
    budget,
    neededFen: needs.get(budget.department)!,
  }))
  const short = wanted.flatMap(({ budget, neededFen }): Shortage[] => {
    const leftFen = leftOf(budget)
    return leftFen < neededFen ? [{ department: budget.department, neededFen, leftFen }] : []
  })
  if (short.length > 0) return short
  for (const { budget, neededFen } of wanted) {
    const taken = await change(
      tx.em,
      'update budget set held_fen = held_fen + ? where id = ? and granted_fen - held_fen - used_fen >= ?',
      [neededFen, budget.id, neededFen],
    )
    if (taken !== 1) throw new Error(`budget ${budget.id} changed while it was held`)
  }
  const now = tx.clock.now()
  const rows = wanted.map(({ budget, neededFen }) => ({
    id: tx.newId('budgetHold'),
    budgetId: budget.id,
    companyId,
    campaignId,
    fen: neededFen,
    releasedFen: fen(0),
    state: 'held' as const,
    version: 1,
    createdAtMs: now,
    changedAtMs: now,
  }))
  if (rows.length > 0) await tx.em.insertMany(BudgetHold, rows)
  return []
}

/** What may still be taken of a budget. */
export const leftOf = (budget: Pick<BudgetRow, 'grantedFen' | 'heldFen' | 'usedFen'>): Fen =>
  fen(budget.grantedFen - budget.heldFen - budget.usedFen)

/** The budgets of these departments that are in force now, held until the end of the transaction, by their ids. */
async function lockInForce(tx: Tx, companyId: Id<'company'>, names: ReadonlySet<string>): Promise<BudgetRow[]> {
  const now = tx.clock.now()
  const where = { companyId, fromMs: { $lte: now }, toMs: { $gt: now } }
  const read = async () =>
    (await tx.em.find(Budget, where, { orderBy: { id: 'asc' }, disableIdentityMap: true })).filter((budget) =>
      names.has(budget.department),
    )
  for (const { id } of await read()) await change(tx.em, 'update budget set version = version where id = ?', [id])
  return read()
}
