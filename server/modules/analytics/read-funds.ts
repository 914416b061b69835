import { fen } from '../../../contract/fen.ts'
import type { BudgetCampaigns, BudgetList, BudgetView, WalletView } from '../../../contract/hr/wallet.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import { dayOf } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { companyToday } from '../campaign/read-recurring.ts'
import { nameDepartments } from '../staff/read-departments.ts'
import { leftOf } from '../wallet/hold-budgets.ts'
import { findOwnBudget, readBudgets, type BudgetFacts, type Period } from '../wallet/read-budgets.ts'
import { readCredit, readCreditSteps } from '../wallet/read-credit.ts'
import { readLow, readMovements, readWallet } from '../wallet/read-wallet.ts'
import { readForecast } from './read-forecast.ts'

const SHOWN_MOVEMENTS = 50
const MOST_CAMPAIGNS = 1000

/** The wallet of the actor's company: balance, forecast, alert, credit, and how to top it up. */
export async function readFunds(tx: Tx): Promise<WalletView> {
  const companyId = companyOf(tx.actor)
  const { balanceFen, reference } = (await readWallet(tx, companyId)) ?? refuse('not_found')
  const { holder, number, bank } = tx.house.custody
  const credit = await readCredit(tx, companyId)
  return {
    balanceFen,
    reference,
    bankAccount: { holder, number, bank },
    movements: await readMovements(tx, companyId, SHOWN_MOVEMENTS),
    low: await readLow(tx, companyId),
    forecast: await readForecast(tx, companyId, balanceFen),
    credit: credit && { ...credit, movements: await readCreditSteps(tx, companyId, SHOWN_MOVEMENTS) },
  }
}

/** The budgets of the actor's company in one period, with the departments of its staff. */
export async function listBudgets(tx: Tx, period: Period): Promise<BudgetList> {
  const companyId = companyOf(tx.actor)
  const { day: today, timeZone } = await companyToday(tx, companyId)
  const budgets = await readBudgets(tx, companyId, period)
  return {
    budgets: budgets.map((budget) => present(budget, timeZone)),
    departments: await nameDepartments(tx, companyId),
    today,
  }
}

function present(budget: BudgetFacts, timeZone: string): BudgetView {
  const { id, department, grantedFen, heldFen, usedFen, version } = budget
  const [fromDay, toDay] = [dayOf(budget.fromMs, timeZone), dayOf(budget.toMs - 1, timeZone)]
  return { id, department, fromDay, toDay, grantedFen, heldFen, usedFen, version, leftFen: leftOf(budget) }
}

type Behind = BudgetCampaigns['campaigns'][number]

/** A budget of the actor's company and the campaigns behind its figures, newest first; another company's is 404. */
export async function readBudgetCampaigns(tx: Tx, id: Id<'budget'>): Promise<BudgetCampaigns> {
  const budget = await findOwnBudget(tx, id)
  const { timeZone } = await companyToday(tx, budget.companyId)
  const rows = await sql<Record<'amount' | 'released' | 'at', unknown> & Omit<Behind, 'fen' | 'releasedFen' | 'atMs'>>(
    tx.em,
    `select campaign.id as campaignId, campaign.title as title, campaign.state as campaignState,
        budget_hold.state as state, budget_hold.fen as amount, budget_hold.released_fen as released,
        budget_hold.created_at_ms as at
      from budget_hold join campaign on campaign.id = budget_hold.campaign_id
      where budget_hold.budget_id = ? order by budget_hold.id desc limit ${MOST_CAMPAIGNS}`,
    [id],
  )
  const campaigns = rows.map(({ amount, released, at, ...row }) => ({
    ...row,
    fen: fen(readSum(amount)),
    releasedFen: fen(readSum(released)),
    atMs: Number(at),
  }))
  return { budget: present(budget, timeZone), campaigns }
}
