import { formatYuan, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { holdBudgets, type Shortage } from '../wallet/hold-budgets.ts'
import { useBudgets } from '../wallet/use-budgets.ts'
import type { Plan } from './plan-campaign.ts'
import type { Head } from './rules.ts'
import type { CampaignRow } from './tables.ts'

type Of = Pick<CampaignRow, 'id' | 'companyId'>

/** Holds what a campaign costs each department of its budget in force: all of it, or nothing and the answer says why. */
export function holdBudgetsOf(tx: Tx, { id, companyId }: Of, plan: Pick<Plan, 'heads'>): Promise<Shortage[]> {
  return holdBudgets(tx, { companyId, campaignId: id, needs: needsOf(plan.heads) })
}

/**
 * Turns what an approved campaign holds into used. What it does not hold yet (a budget that was granted since, a day of a
 * run that waited for want of it) is held now. Refuses with `budget_exceeded`.
 */
export async function useBudgetsOf(tx: Tx, campaign: Of, plan: Pick<Plan, 'heads'>): Promise<void> {
  refuseShort(await holdBudgetsOf(tx, campaign, plan))
  await useBudgets(tx, campaign.id)
}

/** What each department's people cost; the empty name stands for people without one. */
export function needsOf(heads: readonly Head[]): Map<string, Fen> {
  const prices = Map.groupBy(heads, (head) => head.department ?? '')
  return new Map([...prices].map(([name, theirs]) => [name, sumFen(theirs.map((head) => head.priceFen))]))
}

/** Refuses with `budget_exceeded`, naming the departments and what is left, unless nothing is short. */
export function refuseShort(short: readonly Shortage[]): void {
  if (short.length > 0) refuse('budget_exceeded', { field: 'selection', detail: sayShort(short) })
}

const NAMED = 3

/** Which departments lack how much, for a person: the first three by name. */
export function sayShort(short: readonly Shortage[]): { zh: string; en: string } {
  const named = short.slice(0, NAMED)
  const more = short.length - named.length
  const zh = named.map(
    ({ department, leftFen, neededFen }) =>
      `${department || '无部门人员'}预算剩 ${formatYuan(leftFen)}，本次需要 ${formatYuan(neededFen)}，还差 ${formatYuan(neededFen - leftFen)}`,
  )
  const en = named.map(
    ({ department, leftFen, neededFen }) =>
      `${department || 'People without a department'}: ${formatYuan(leftFen)} left, ${formatYuan(neededFen)} needed, ${formatYuan(neededFen - leftFen)} short`,
  )
  return {
    zh: `${zh.join('；')}${more > 0 ? `；另有 ${more} 个部门也不足` : ''}。`,
    en: `${en.join('; ')}${more > 0 ? `; and ${more} more departments` : ''}.`,
  }
}
