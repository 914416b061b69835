import { z } from 'zod'
import { BudgetCampaigns, BudgetIdInput, BudgetList, BudgetListInput, WalletView } from '../../../contract/hr/wallet.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { listBudgets, readBudgetCampaigns, readFunds } from './read-funds.ts'

/** What a company's people see of its wallet and budgets. */
export const fundsEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/hr/wallet', may: 'wallet.read', scope: 'read' } as const),
    input: z.object({}),
    output: WalletView,
    run: readFunds,
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/budgets', may: 'budget.read', scope: 'read' } as const),
    input: BudgetListInput,
    output: BudgetList,
    run: (tx, { period }) => listBudgets(tx, period),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/budgets/:id/campaigns', may: 'budget.read', scope: 'read' } as const),
    input: BudgetIdInput,
    output: BudgetCampaigns,
    run: (tx, { id }) => readBudgetCampaigns(tx, id),
  }),
]
