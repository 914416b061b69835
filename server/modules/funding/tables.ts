import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { PaymentOutcome, PaymentState } from '../../../contract/states.ts'
import type { PayProduct } from '../../channels/wechatpay-port.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** Money from one source for one order. */
export const Payment = defineEntity({
  name: 'Payment',
  tableName: 'payment',
  properties: {
    id: idColumn<'payment'>().primary(),
    companyId: idColumn<'company'>().nullable(),
    orderId: idColumn<'order'>(),
    source: codeColumn<'wallet' | 'wechat_pay' | 'bank_transfer' | 'credit_line'>(16),
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
    product: codeColumn<PayProduct>(8).nullable(),
    /** Sub-orders of one combined payment share this number; each is a payment with its own transaction. */
    combineNo: codeColumn(32).nullable(),
    /** Who combined them: the merchant that signs, asks and closes. */
    combineMchid: codeColumn(32).nullable(),
    /**
     * The exact body of the first call, sealed (it may name the payer); every repeat sends it again. Of a combined
     * payment the first row has it.
     */
    requestSealed: p.blob().nullable(),
    /** What the payer's device needs: a QR text, a prepay id or an address; and until when it is good. */
    codeUrl: p.string().length(512).nullable(),
    codeUntilMs: instantColumn().nullable(),
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
    /** Of what arrived: accepted to be given back. */
    refundedFen: fenColumn().default(0),
    /** A share and a refund of one transaction are never under way together: funding/take-flight.ts. */
    inFlight: codeColumn<'share' | 'refund'>(8).nullable(),
    /** The split or refund part that is under way. */
    inFlightRef: p.string().length(17).nullable(),
    /** Refunds that wait for their turn: no new share begins before them. */
    refundsWaiting: p.integer().default(0),
  },
  indexes: [
    { name: 'payment_order_index', properties: ['orderId', 'id'] },
    { name: 'payment_company_index', properties: ['companyId', 'id'] },
    { name: 'payment_state_index', properties: ['state', 'source', 'id'] },
    { name: 'payment_combine_index', properties: ['combineNo'] },
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
    /** Of it: accepted to be given back. */
    refundedFen: fenColumn().default(0),
  },
  checks: [{ name: 'payment_part_refund_within', expression: 'refunded_fen >= 0 and refunded_fen <= amount_fen' }],
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

/**
 * What a line of incoming money was taken for; `withdrawn`: it came from our own merchant account, which `mchid` names;
 * `not_ours`: it goes back to its payer, `sent_back`: a line shows that it did.
 */
export type IncomingOutcome = 'payment' | 'top_up' | 'withdrawn' | 'unmatched' | 'not_ours' | 'sent_back'
/** What a line of outgoing money was: `outgoing` while nobody knows; a payout or a bank refund; money that was not ours. */
export type OutgoingOutcome = 'outgoing' | 'paid_out' | 'returned'

/**
 * One amount that a bank (or WeChat Pay, of transfers into our merchant account) says moved, and what it was taken for.
 * A serial number comes in once, whatever the file.
 */
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
    outcome: codeColumn<IncomingOutcome | OutgoingOutcome>(16),
    companyId: idColumn<'company'>().nullable(),
    paymentId: idColumn<'payment'>().nullable(),
    direction: codeColumn<'in' | 'out'>(4).default('in'),
    /** `wechat_income`: a transfer into our own WeChat Pay account, which `mchid` then names (as it does what left it). */
    source: codeColumn<'bank' | 'wechat_income'>(16).default('bank'),
    mchid: codeColumn(32).nullable(),
    /** Fingerprint of the other side's account: who pays again is known by it. */
    payerIndex: codeColumn(64).nullable(),
    /** Who said what it is. */
    matchedBy: codeColumn<'reference' | 'payer' | 'person'>(16).nullable(),
    /** The payout or refund part that went out, or the other line of money that went back. */
    ref: p.string().length(17).nullable(),
    /** Why a person said that it is not ours, sealed. */
    reasonSealed: p.blob().nullable(),
    decidedAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'statement_line_outcome_index', properties: ['outcome', 'id'] },
    { name: 'statement_line_statement_index', properties: ['statementId', 'outcome'] },
    { name: 'statement_line_payment_index', properties: ['paymentId'] },
    { name: 'statement_line_payer_index', properties: ['payerIndex', 'outcome'] },
  ],
})
export type StatementLineRow = InferEntity<typeof StatementLine>
