import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { BudgetHoldState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn, signedFenColumn } from '../../kernel/columns.ts'

/** A company's prepaid money. Stored because a guard reads it; the ledger account `wallet(company)` says the same. */
export const Wallet = defineEntity({
  name: 'Wallet',
  tableName: 'wallet',
  properties: {
    companyId: idColumn<'company'>().primary(),
    balanceFen: fenColumn(),
    version: p.integer(),
    /** What a company writes on a transfer that tops it up. */
    reference: codeColumn(24).unique(),
    /** Below this the company wants to be told; null where it did not ask. */
    lowFen: fenColumn().nullable(),
    /** The alert that stands since the balance fell below; null while it is not below. */
    lowAlertId: idColumn<'walletAlert'>().nullable(),
  },
  checks: [{ name: 'wallet_not_negative', expression: 'balance_fen >= 0' }],
})
export type WalletRow = InferEntity<typeof Wallet>

/** Each change of a wallet with the balance after it. Append-only. */
export const WalletMovement = defineEntity({
  name: 'WalletMovement',
  tableName: 'wallet_movement',
  properties: {
    id: idColumn<'walletMovement'>().primary(),
    companyId: idColumn<'company'>(),
    /** `undone`: a top-up whose money was not the company's. */
    kind: codeColumn<'top_up' | 'undone' | 'spent' | 'refunded'>(16),
    amountFen: signedFenColumn(),
    balanceAfterFen: fenColumn(),
    /** The payment, statement line or refund part behind it. */
    ref: p.string().length(17),
    atMs: instantColumn(),
  },
  indexes: [{ name: 'wallet_movement_company_index', properties: ['companyId', 'id'] }],
})

/** One fall of a wallet below what its company wants to be told of, until it was above again. */
export const WalletAlert = defineEntity({
  name: 'WalletAlert',
  tableName: 'wallet_alert',
  properties: {
    id: idColumn<'walletAlert'>().primary(),
    companyId: idColumn<'company'>(),
    thresholdFen: fenColumn(),
    balanceFen: fenColumn(),
    raisedAtMs: instantColumn(),
    endedAtMs: instantColumn().nullable(),
  },
  indexes: [{ name: 'wallet_alert_company_index', properties: ['companyId', 'id'] }],
})

/**
 * What a company may buy before it pays. No row, or a limit of 0: it has no credit. A limit may be lowered below what is
 * owed: then nothing more is lent. The ledger account `creditLine(company)` says what is owed as well.
 */
export const CreditLine = defineEntity({
  name: 'CreditLine',
  tableName: 'credit_line',
  properties: {
    companyId: idColumn<'company'>().primary(),
    limitFen: fenColumn(),
    owedFen: fenColumn(),
    version: p.integer(),
    changedBy: p.string().length(17),
    changedAtMs: instantColumn(),
  },
  checks: [{ name: 'credit_line_owed_not_negative', expression: 'owed_fen >= 0' }],
})

/** Each change of what a company owes, with what it owes after it. Append-only. */
export const CreditMovement = defineEntity({
  name: 'CreditMovement',
  tableName: 'credit_movement',
  properties: {
    id: idColumn<'creditMovement'>().primary(),
    companyId: idColumn<'company'>(),
    kind: codeColumn<'drawn' | 'repaid' | 'refunded'>(16),
    amountFen: signedFenColumn(),
    owedAfterFen: fenColumn(),
    /** The payment, statement line or refund part behind it. */
    ref: p.string().length(17),
    atMs: instantColumn(),
  },
  indexes: [{ name: 'credit_movement_company_index', properties: ['companyId', 'id'] }],
})

/** What a department may spend from one instant to another. Two budgets of a department never lie over one another. */
export const Budget = defineEntity({
  name: 'Budget',
  tableName: 'budget',
  properties: {
    id: idColumn<'budget'>().primary(),
    companyId: idColumn<'company'>(),
    /** As lists of staff write it; empty for people without one. */
    department: p.string().length(200),
    fromMs: instantColumn(),
    /** The first instant after it. */
    toMs: instantColumn(),
    grantedFen: fenColumn(),
    heldFen: fenColumn(),
    usedFen: fenColumn(),
    version: p.integer(),
    changedBy: p.string().length(17),
    createdAtMs: instantColumn(),
  },
  checks: [
    {
      name: 'budget_within_granted',
      expression: 'held_fen >= 0 and used_fen >= 0 and held_fen + used_fen <= granted_fen',
    },
  ],
  indexes: [{ name: 'budget_company_index', properties: ['companyId', 'fromMs'] }],
})
export type BudgetRow = InferEntity<typeof Budget>

/** What a campaign takes of a budget: held from its submission, used from its approval, released when it comes to nothing. */
export const BudgetHold = defineEntity({
  name: 'BudgetHold',
  tableName: 'budget_hold',
  properties: {
    id: idColumn<'budgetHold'>().primary(),
    budgetId: idColumn<'budget'>(),
    companyId: idColumn<'company'>(),
    campaignId: idColumn<'campaign'>(),
    fen: fenColumn(),
    /** Of it: given back; all of it once released. */
    releasedFen: fenColumn(),
    state: codeColumn<BudgetHoldState>(16),
    version: p.integer(),
    createdAtMs: instantColumn(),
    changedAtMs: instantColumn(),
  },
  checks: [{ name: 'budget_hold_released_within', expression: 'released_fen >= 0 and released_fen <= fen' }],
  indexes: [
    { name: 'budget_hold_campaign_index', properties: ['campaignId', 'state'] },
    { name: 'budget_hold_budget_index', properties: ['budgetId', 'id'] },
  ],
})
