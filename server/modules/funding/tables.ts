import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { PaymentOutcome, PaymentState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** Money from one source for one order. */
export const Payment = defineEntity({
  name: 'Payment',
  tableName: 'payment',
  properties: {
    id: idColumn<'payment'>().primary(),
    companyId: idColumn<'company'>().nullable(),
    orderId: idColumn<'order'>(),
    source: codeColumn<'wallet' | 'wechat_pay' | 'bank_transfer'>(16),
    state: codeColumn<PaymentState>(16),
    version: p.integer(),
    /** What was asked for. */
    amountFen: fenColumn(),
    /** What arrived; null until something did. */
    paidFen: fenColumn().nullable(),
    outcome: codeColumn<PaymentOutcome>(16).nullable(),
    /** WeChat Pay: who collects, our number, the QR text, its end, their number, how it was paid. */
    mchid: codeColumn(32).nullable(),
    appid: codeColumn(32).nullable(),
    outTradeNo: codeColumn(32).nullable().unique(),
    codeUrl: p.string().length(512).nullable(),
    expiresAtMs: instantColumn().nullable(),
    transactionId: codeColumn(40).nullable().unique(),
    bankType: codeColumn(32).nullable(),
    /** JSON {openid} or {holder, account}: who paid, sealed. */
    payerSealed: p.blob().nullable(),
    /** Bank transfer: what the payer writes on it. */
    reference: codeColumn(24).nullable().unique(),
    openedBy: p.string().length(17),
    openedAtMs: instantColumn(),
    paidAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'payment_order_index', properties: ['orderId', 'id'] },
    { name: 'payment_company_index', properties: ['companyId', 'id'] },
    { name: 'payment_state_index', properties: ['state', 'source', 'id'] },
  ],
})
export type PaymentRow = InferEntity<typeof Payment>

/** Which brand gets which fen of a payment; the parts of a payment sum to what it secured. */
export const PaymentPart = defineEntity({
  name: 'PaymentPart',
  tableName: 'payment_part',
  properties: {
    id: idColumn<'paymentPart'>().primary(),
    paymentId: idColumn<'payment'>(),
    brandId: idColumn<'brand'>(),
    amountFen: fenColumn(),
  },
  uniques: [{ name: 'payment_part_brand_unique', properties: ['paymentId', 'brandId'] }],
})

/** A bank statement as the platform's finance imported it; the same bytes come in once. */
export const BankStatement = defineEntity({
  name: 'BankStatement',
  tableName: 'bank_statement',
  properties: {
    id: idColumn<'statement'>().primary(),
    contentIndex: codeColumn(64).unique(),
    /** The file's name, sealed: people write names into it. */
    nameSealed: p.blob(),
    lineCount: p.integer(),
    importedBy: p.string().length(17),
    importedAtMs: instantColumn(),
  },
})

/** One amount that the bank says arrived, and what it was taken for. A serial number comes in once, whatever the file. */
export const StatementLine = defineEntity({
  name: 'StatementLine',
  tableName: 'statement_line',
  properties: {
    id: idColumn<'statementLine'>().primary(),
    statementId: idColumn<'statement'>(),
    serial: codeColumn(64).unique(),
    amountFen: fenColumn(),
    arrivedAtMs: instantColumn(),
    /** JSON {holder, account, memo}, sealed. */
    payerSealed: p.blob(),
    outcome: codeColumn<'payment' | 'top_up' | 'unmatched'>(16),
    companyId: idColumn<'company'>().nullable(),
    paymentId: idColumn<'payment'>().nullable(),
  },
  indexes: [
    { name: 'statement_line_outcome_index', properties: ['outcome', 'id'] },
    { name: 'statement_line_statement_index', properties: ['statementId', 'outcome'] },
    { name: 'statement_line_payment_index', properties: ['paymentId'] },
  ],
})
