import {
  BudgetIdInput,
  ChangeBudgetInput,
  LowBalance,
  LowBalanceInput,
  MadeBudget,
  NewBudgetInput,
} from '../../../contract/hr/wallet.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import { CreditLineInput, CreditLineSet } from '../../../contract/operator/platform.ts'
import { startOfDay } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readCompany } from '../company/read-company.ts'
import { changeBudget } from './change-budget.ts'
import { createBudget } from './create-budget.ts'
import { readCredit } from './read-credit.ts'
import { readLow } from './read-wallet.ts'
import { removeBudget } from './remove-budget.ts'
import { setCreditLine } from './set-credit-line.ts'
import { setThreshold } from './set-threshold.ts'

/** What finance sets. What is read of wallet and budgets belongs to analytics, which knows campaigns and orders. */
const financeEndpoints = [
  endpoint({
    ...({ method: 'PUT', path: '/hr/wallet/low-balance', may: 'wallet.manage', scope: 'tx', body: 'json' } as const),
    input: LowBalanceInput,
    output: LowBalance,
    run: async (tx, { thresholdFen }) => {
      const companyId = companyOf(tx.actor)
      await setThreshold(tx, companyId, thresholdFen)
      return readLow(tx, companyId)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/budgets', may: 'budget.write', scope: 'tx', body: 'json' } as const),
    idempotent: true,
    input: NewBudgetInput,
    output: MadeBudget,
    run: async (tx, input, http) => {
      const companyId = companyOf(tx.actor)
      const { department, grantedFen } = input
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return once(tx, `budget.create:${companyId}`, key, input, async () => {
        const days = await readDays(tx, companyId, input)
        return { id: await createBudget(tx, { companyId, department, grantedFen, ...days }) }
      })
    },
  }),
  endpoint({
    ...({ method: 'PUT', path: '/hr/budgets/:id', may: 'budget.write', scope: 'tx', body: 'json' } as const),
    input: ChangeBudgetInput,
    output: MadeBudget,
    run: async (tx, { id, version, grantedFen, ...input }) => {
      const days = await readDays(tx, companyOf(tx.actor), input)
      await changeBudget(tx, { id, version, grantedFen, ...days })
      return { id }
    },
  }),
  endpoint({
    ...({ method: 'DELETE', path: '/hr/budgets/:id', may: 'budget.write', scope: 'tx' } as const),
    input: BudgetIdInput,
    output: MadeBudget,
    run: async (tx, { id }) => {
      await removeBudget(tx, id)
      return { id }
    },
  }),
]

/** What the platform decides. */
const platformEndpoints = [
  endpoint({
    ...({ method: 'PUT', path: '/operator/companies/:id/credit-line', may: 'credit.set', scope: 'tx' } as const),
    body: 'json',
    input: CreditLineInput,
    output: CreditLineSet,
    run: async (tx, { id, limitFen }) => {
      if ((await readCompany(tx, id)) === null) refuse('not_found')
      await setCreditLine(tx, id, limitFen)
      return { limitFen, owedFen: (await readCredit(tx, id))?.owedFen ?? 0 }
    },
  }),
]

export const walletEndpoints: readonly Endpoint[] = [...financeEndpoints, ...platformEndpoints]

/** From the beginning of the first day to the end of the last, by the company's clocks. */
async function readDays(
  tx: Tx,
  companyId: Id<'company'>,
  { fromDay, toDay }: { readonly fromDay: string; readonly toDay: string },
): Promise<{ fromMs: number; toMs: number }> {
  const { timeZone } = (await readCompany(tx, companyId)) ?? refuse('not_found')
  return { fromMs: startOfDay(fromDay, timeZone), toMs: startOfDay(addDays(toDay, 1), timeZone) }
}
