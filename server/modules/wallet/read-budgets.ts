import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { Budget, type BudgetRow } from './tables.ts'

export type BudgetFacts = BudgetRow

/** When a budget is in force: now, later, or it was. */
export type Period = 'current' | 'coming' | 'past'

/** More departments than a company has; and of the past what one still looks at. */
const MOST = 1000

/** A company's budgets of one period: present and coming ones by department, past ones the latest first. */
export async function readBudgets(tx: Tx, companyId: Id<'company'>, period: Period): Promise<BudgetRow[]> {
  const now = tx.clock.now()
  const when = {
    current: { fromMs: { $lte: now }, toMs: { $gt: now } },
    coming: { fromMs: { $gt: now } },
    past: { toMs: { $lte: now } },
  }[period]
  const orderBy =
    period === 'past' ? { toMs: 'desc' as const, department: 'asc' as const } : { department: 'asc' as const }
  return tx.em.find(Budget, { companyId, ...when }, { orderBy, limit: MOST, disableIdentityMap: true })
}

/** A budget of the actor's company; anything else is 404. */
export const findOwnBudget = (tx: Tx, id: Id<'budget'>): Promise<BudgetFacts> => findOwn(tx, Budget, id)

/** What a campaign holds or has used of a budget and has not given back. */
export interface LiveHold {
  readonly id: Id<'budgetHold'>
  readonly budgetId: Id<'budget'>
  readonly department: string
  readonly state: 'held' | 'used'
  readonly fen: Fen
  readonly releasedFen: Fen
}

/** What a campaign holds or has used, in the order of the budgets' ids. */
export async function readLiveHolds(tx: Tx, campaignId: Id<'campaign'>): Promise<LiveHold[]> {
  const rows = await sql<Omit<LiveHold, 'fen' | 'releasedFen'> & { amount: unknown; released: unknown }>(
    tx.em,
    `select budget_hold.id as id, budget_hold.budget_id as budgetId, budget.department as department,
        budget_hold.state as state, budget_hold.fen as amount, budget_hold.released_fen as released
      from budget_hold join budget on budget.id = budget_hold.budget_id
      where budget_hold.campaign_id = ? and budget_hold.state in ('held', 'used')
      order by budget_hold.budget_id, budget_hold.id`,
    [campaignId],
  )
  return rows.map(({ amount, released, ...row }) => ({
    ...row,
    fen: fen(readSum(amount)),
    releasedFen: fen(readSum(released)),
  }))
}
