import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type {
  PayoutState,
  SplitCallState,
  SplitReceiverState,
  SplitReturnState,
  SplitState,
} from '../../../contract/states.ts'
import {
  codeColumn,
  fenColumn,
  idColumn,
  instantColumn,
  largeBlobColumn,
  signedFenColumn,
} from '../../kernel/columns.ts'

/** An order whose money was planned to its parties: once, when nobody may hand a card back any more. */
export const Settlement = defineEntity({
  name: 'Settlement',
  tableName: 'settlement',
  properties: {
    orderId: idColumn<'order'>().primary(),
    plannedAtMs: instantColumn(),
    /** Of it: bought on credit and not repaid; it is on no payout until the company repays it. */
    heldFen: fenColumn().default(0),
  },
})

/** The sharing of one WeChat transaction, from the end of its hold to the last fen. */
export const Split = defineEntity({
  name: 'Split',
  tableName: 'split',
  properties: {
    id: idColumn<'split'>().primary(),
    paymentId: idColumn<'payment'>().unique(),
    orderId: idColumn<'order'>(),
    brandId: idColumn<'brand'>(),
    collector: codeColumn<'brand' | 'platform'>(8),
    mchid: codeColumn(32),
    appid: codeColumn(32),
    transactionId: codeColumn(40),
    state: codeColumn<SplitState>(16),
    version: p.integer(),
    /** Its jobs carry the step that they were written for: an older one finds nothing to do, so there is one chain. */
    step: p.integer(),
    nextAtMs: instantColumn().nullable(),
    /** What arrived, and what of it went back to the payer before the rest was unfrozen. */
    paidFen: fenColumn(),
    refundedFen: fenColumn(),
    /** JSON [{account, party, relation, shares: [{payee, fen}]}]: what each receiver is to get in the end. */
    targets: p.text(),
    /** How far refunds were when the targets were reckoned: they are reckoned again when it differs. */
    basis: codeColumn(60),
    /** JSON {account: reason}: receivers whose money goes by payout after all. */
    givenUp: p.text(),
    /** Received by receivers, and given back by them. */
    sharedFen: fenColumn(),
    returnedFen: fenColumn(),
    /** Set when it finishes: back to who collected, and kept by WeChat Pay. */
    unfrozenFen: fenColumn().nullable(),
    /** Beside it: what receivers had given back by then and no refund took. */
    keptFen: fenColumn().default(0),
    feeFen: fenColumn().nullable(),
    /** After that: refunded from money that receivers gave back, and from the collector's own balance. */
    refundedOfReturnsFen: fenColumn(),
    refundedOfRestFen: fenColumn(),
    /** How many calls one a receiver and slice, and an unfreeze, would have been. */
    naiveCalls: p.integer(),
    /** Why a person must look. */
    problem: codeColumn(40).nullable(),
    /** The refund part that waits for the rest to be freed; it holds the transaction meanwhile. */
    unfreezeFor: idColumn<'refundPart'>().nullable(),
    lastCallAtMs: instantColumn().nullable(),
    plannedAtMs: instantColumn(),
    finishedAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'split_state_index', properties: ['state', 'mchid', 'plannedAtMs'] },
    { name: 'split_order_index', properties: ['orderId'] },
  ],
  checks: [
    { name: 'split_within_paid', expression: 'shared_fen + refunded_fen <= paid_fen and returned_fen <= shared_fen' },
  ],
})
export type SplitRow = InferEntity<typeof Split>

/** One call of sharing or unfreezing: its number and its body stand here before it is made, and never change. */
export const SplitCall = defineEntity({
  name: 'SplitCall',
  tableName: 'split_call',
  properties: {
    id: idColumn<'splitCall'>().primary(),
    splitId: idColumn<'split'>(),
    seq: p.integer(),
    kind: codeColumn<'share' | 'unfreeze'>(8),
    state: codeColumn<SplitCallState>(16),
    version: p.integer(),
    outOrderNo: codeColumn(64).unique(),
    body: p.text(),
    /** How often it was sent, and asked about since it was accepted. */
    tries: p.integer(),
    polls: p.integer(),
    error: codeColumn(40).nullable(),
    createdAtMs: instantColumn(),
    sentAtMs: instantColumn().nullable(),
    finishedAtMs: instantColumn().nullable(),
  },
  uniques: [{ name: 'split_call_seq_unique', properties: ['splitId', 'seq'] }],
})
export type SplitCallRow = InferEntity<typeof SplitCall>

/** One receiver of one call. A repeat after a refusal is another row of another call. */
export const SplitReceiver = defineEntity({
  name: 'SplitReceiver',
  tableName: 'split_receiver',
  properties: {
    id: idColumn<'splitReceiver'>().primary(),
    splitId: idColumn<'split'>(),
    callId: idColumn<'splitCall'>(),
    account: codeColumn(64),
    party: codeColumn<'platform' | 'channel' | 'brand'>(8),
    /** JSON [{payee, fen}]: whose money it is; several where they share a merchant. */
    shares: p.text(),
    amountFen: fenColumn(),
    returnedFen: fenColumn(),
    state: codeColumn<SplitReceiverState>(16),
    version: p.integer(),
    failReason: codeColumn(40).nullable(),
    detailId: codeColumn(64).nullable(),
    finishedAtMs: instantColumn().nullable(),
  },
  uniques: [{ name: 'split_receiver_call_unique', properties: ['callId', 'account'] }],
  indexes: [{ name: 'split_receiver_split_index', properties: ['splitId'] }],
  checks: [{ name: 'split_receiver_returned_within', expression: 'returned_fen >= 0 and returned_fen <= amount_fen' }],
})
export type SplitReceiverRow = InferEntity<typeof SplitReceiver>

/** Money that a receiver gives back, for a refund part. */
export const SplitReturn = defineEntity({
  name: 'SplitReturn',
  tableName: 'split_return',
  properties: {
    id: idColumn<'splitReturn'>().primary(),
    splitId: idColumn<'split'>(),
    receiverId: idColumn<'splitReceiver'>(),
    refundPartId: idColumn<'refundPart'>(),
    state: codeColumn<SplitReturnState>(16),
    version: p.integer(),
    outReturnNo: codeColumn(64).unique(),
    body: p.text(),
    amountFen: fenColumn(),
    tries: p.integer(),
    polls: p.integer(),
    step: p.integer(),
    failReason: codeColumn(40).nullable(),
    createdAtMs: instantColumn(),
    /** When we learnt of its end, and when WeChat Pay made it: its bill goes by that. */
    finishedAtMs: instantColumn().nullable(),
    madeAtMs: instantColumn().nullable(),
    /** When it was left to who collected, because no refund takes it (any more). */
    keptAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'split_return_part_index', properties: ['refundPartId'] },
    { name: 'split_return_split_index', properties: ['splitId'] },
  ],
})
export type SplitReturnRow = InferEntity<typeof SplitReturn>

/** A receiver that a collecting merchant has told WeChat Pay about: needed once, before the first share. */
export const ShareRelation = defineEntity({
  name: 'ShareRelation',
  tableName: 'share_relation',
  properties: {
    id: idColumn<'shareRelation'>().primary(),
    mchid: codeColumn(32),
    account: codeColumn(64),
    addedAtMs: instantColumn(),
  },
  uniques: [{ name: 'share_relation_account_unique', properties: ['mchid', 'account'] }],
})

/** Money that leaves custody for one payee: what its items come to. */
export const Payout = defineEntity({
  name: 'Payout',
  tableName: 'payout',
  properties: {
    id: idColumn<'payout'>().primary(),
    payee: codeColumn(60),
    amountFen: fenColumn(),
    state: codeColumn<PayoutState>(16),
    version: p.integer(),
    fileId: idColumn<'payoutFile'>().nullable(),
    /** The line of a statement that shows it leaving. */
    statementLineId: idColumn<'statementLine'>().nullable().unique(),
    problem: codeColumn(40).nullable(),
    draftedAtMs: instantColumn(),
    exportedAtMs: instantColumn().nullable(),
    paidAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'payout_state_index', properties: ['state', 'id'] },
    { name: 'payout_payee_index', properties: ['payee', 'id'] },
  ],
})
export type PayoutRow = InferEntity<typeof Payout>

/** What a payee is to get (or owes: negative) for one reason. It goes into the payee's next payout. */
export const PayoutItem = defineEntity({
  name: 'PayoutItem',
  tableName: 'payout_item',
  properties: {
    id: idColumn<'payoutItem'>().primary(),
    payee: codeColumn(60),
    orderId: idColumn<'order'>().nullable(),
    brandId: idColumn<'brand'>().nullable(),
    amountFen: signedFenColumn(),
    kind: codeColumn<'settlement' | 'refund' | 'withdrawal'>(16),
    /** What it is for: an order, a split, a refund part, the latest line of what our merchant account holds. */
    ref: p.string().length(17),
    payoutId: idColumn<'payout'>().nullable(),
    createdAtMs: instantColumn(),
  },
  indexes: [
    { name: 'payout_item_payee_index', properties: ['payee', 'payoutId'] },
    { name: 'payout_item_order_index', properties: ['orderId'] },
    { name: 'payout_item_payout_index', properties: ['payoutId'] },
    { name: 'payout_item_ref_index', properties: ['ref'] },
  ],
})
export type PayoutItemRow = InferEntity<typeof PayoutItem>

/** A file for the bank, as it was made: the same bytes again, whenever somebody asks. */
export const PayoutFile = defineEntity({
  name: 'PayoutFile',
  tableName: 'payout_file',
  properties: {
    id: idColumn<'payoutFile'>().primary(),
    contentSealed: largeBlobColumn(),
    payouts: p.integer(),
    totalFen: fenColumn(),
    createdBy: p.string().length(17),
    createdAtMs: instantColumn(),
  },
})

/** Where a payee's money goes. */
export const PayeeAccount = defineEntity({
  name: 'PayeeAccount',
  tableName: 'payee_account',
  properties: {
    payee: codeColumn(60).primary(),
    /** JSON {holder, number, bank}, sealed. */
    bankSealed: p.blob(),
    changedBy: p.string().length(17),
    changedAtMs: instantColumn(),
  },
})
