import { defineEntity, p } from '@mikro-orm/core'
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
  },
  checks: [{ name: 'wallet_not_negative', expression: 'balance_fen >= 0' }],
})

/** Each change of a wallet with the balance after it. Append-only. */
export const WalletMovement = defineEntity({
  name: 'WalletMovement',
  tableName: 'wallet_movement',
  properties: {
    id: idColumn<'walletMovement'>().primary(),
    companyId: idColumn<'company'>(),
    kind: codeColumn<'top_up' | 'spent' | 'refunded'>(16),
    amountFen: signedFenColumn(),
    balanceAfterFen: fenColumn(),
    /** The payment or statement line behind it. */
    ref: p.string().length(17),
    atMs: instantColumn(),
  },
  indexes: [{ name: 'wallet_movement_company_index', properties: ['companyId', 'id'] }],
})
