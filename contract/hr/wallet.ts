import { z } from 'zod'
import { dayField, fenField, idField, instantField } from '../fields.ts'
import { budgetHoldMoves, type BudgetHoldState } from '../states.ts'
import { campaignStates } from './campaign.ts'
import { BankAccountView } from './funding.ts'

/**
 * How long the wallet lasts: what is known to come first (approved orders that miss money, and what active runs will make
 * in the next 30 days), then the mean of what it spent in the days looked back on. Campaigns of runs are not in that mean.
 */
export const Forecast = z.object({
  /** Mean of the wallet's spending a day, in fen, rounded up. */
  perDayFen: fenField,
  /** Days that the mean is over: 90, or fewer where the wallet is younger. */
  historyDays: z.int(),
  /** Approved orders that wait for money, and what they miss. */
  dueOrders: z.int(),
  dueFen: fenField,
  /** What the active runs will make in the next 30 days. */
  runsFen: fenField,
  /** What the waiting orders miss beyond the balance. */
  shortFen: fenField,
  /** `short`: it does not cover what is due now; `long`: two years are covered; `quiet`: nothing to foresee. */
  outlook: z.enum(['short', 'until', 'long', 'quiet']),
  /** The last day that the balance covers, with `until`. */
  lastsUntilDay: dayField.nullable(),
})
export type Forecast = z.infer<typeof Forecast>

/** GET /hr/wallet */
export const WalletView = z.object({
  balanceFen: fenField,
  /** To write on a transfer that tops it up. */
  reference: z.string(),
  bankAccount: BankAccountView,
  movements: z.array(
    z.object({
      id: idField('walletMovement'),
      kind: z.enum(['top_up', 'undone', 'spent', 'refunded']),
      amountFen: z.int(),
      balanceAfterFen: fenField,
      atMs: instantField,
    }),
  ),
  /** Below which balance the company wants to be told (null: not at all), and the fall that stands now. */
  low: z.object({
    thresholdFen: fenField.nullable(),
    alert: z.object({ raisedAtMs: instantField, balanceFen: fenField }).nullable(),
  }),
  forecast: Forecast,
  /** What the company may buy before it pays; null where the platform opened no line. Transfers repay it first. */
  credit: z
    .object({
      limitFen: fenField,
      owedFen: fenField,
      leftFen: fenField,
      movements: z.array(
        z.object({
          id: idField('creditMovement'),
          kind: z.enum(['drawn', 'repaid', 'refunded']),
          amountFen: z.int(),
          owedAfterFen: fenField,
          atMs: instantField,
        }),
      ),
    })
    .nullable(),
})
export type WalletView = z.infer<typeof WalletView>

/** PUT /hr/wallet/low-balance: null turns the alert off. */
export const LowBalanceInput = z.object({
  thresholdFen: fenField.refine((value) => value > 0, { message: 'at least 1 fen' }).nullable(),
})
export const LowBalance = WalletView.shape.low

export const budgetPeriods = ['current', 'coming', 'past'] as const
export const BudgetView = z.object({
  id: idField('budget'),
  /** As lists of staff write it; empty for people without one. */
  department: z.string(),
  fromDay: dayField,
  /** Its last day. */
  toDay: dayField,
  grantedFen: fenField,
  /** Set aside for campaigns that wait for approval. */
  heldFen: fenField,
  /** Taken by campaigns that were approved. */
  usedFen: fenField,
  leftFen: fenField,
  version: z.int(),
})
export type BudgetView = z.infer<typeof BudgetView>

/** GET /hr/budgets: of one period, with the departments that the staff has now. */
export const BudgetListInput = z.object({ period: z.enum(budgetPeriods).default('current') })
export const BudgetList = z.object({
  budgets: z.array(BudgetView),
  departments: z.array(z.string()),
  /** The company's day now. */
  today: dayField,
})
export type BudgetList = z.infer<typeof BudgetList>

const BudgetTerms = z.object({ fromDay: dayField, toDay: dayField, grantedFen: fenField })
/** POST /hr/budgets, Idempotency-Key. A department without a budget in force is free. */
export const NewBudgetInput = BudgetTerms.extend({ department: z.string().trim().max(200) })
/** PUT /hr/budgets/:id, from the version that the person saw. */
export const ChangeBudgetInput = BudgetTerms.extend({ id: idField('budget'), version: z.int() })
export const BudgetIdInput = z.object({ id: idField('budget') })
export const MadeBudget = z.object({ id: idField('budget') })

const budgetHoldStates = Object.keys(budgetHoldMoves) as [BudgetHoldState, ...BudgetHoldState[]]
/** GET /hr/budgets/:id/campaigns: what stands behind each figure; live `fen - releasedFen` sum to held and used. */
export const BudgetCampaigns = z.object({
  budget: BudgetView,
  campaigns: z.array(
    z.object({
      campaignId: idField('campaign'),
      title: z.string(),
      campaignState: z.enum(campaignStates),
      state: z.enum(budgetHoldStates),
      fen: fenField,
      releasedFen: fenField,
      atMs: instantField,
    }),
  ),
})
export type BudgetCampaigns = z.infer<typeof BudgetCampaigns>
