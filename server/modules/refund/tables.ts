import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { RefundKind, RefundRoute, RefundPartReason } from '../../../contract/refunds.ts'
import type { RefundPartState, RefundState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** Money of one order that goes back, and why. */
export const Refund = defineEntity({
  name: 'Refund',
  tableName: 'refund',
  properties: {
    id: idColumn<'refund'>().primary(),
    companyId: idColumn<'company'>().nullable(),
    orderId: idColumn<'order'>(),
    kind: codeColumn<RefundKind>(16),
    state: codeColumn<RefundState>(12),
    version: p.integer(),
    campaignId: idColumn<'campaign'>().nullable(),
    /** Surplus: the payment that brought it. */
    paymentId: idColumn<'payment'>().nullable(),
    /** Asked for: a wallet credit in place of WeChat Pay, where the brand agreed to it. */
    toWallet: p.boolean(),
    /** What goes back so far; it stays once the refund is accepted. */
    amountFen: fenColumn(),
    /** Cards looked at when it was asked for, and what became of them so far. */
    cardsPlanned: p.integer(),
    cardsBack: p.integer(),
    cardsKept: p.integer(),
    /** Campaigns: everything up to this card was looked at. */
    afterCardId: idColumn<'card'>().nullable(),
    requestedBy: p.string().length(17),
    requestedAtMs: instantColumn(),
    acceptedAtMs: instantColumn().nullable(),
    doneAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'refund_company_index', properties: ['companyId', 'id'] },
    { name: 'refund_order_index', properties: ['orderId', 'id'] },
    { name: 'refund_campaign_index', properties: ['campaignId', 'id'] },
  ],
})
export type RefundRow = InferEntity<typeof Refund>

/** One card that was taken back, with the price that goes back and how it had been cut. */
export const RefundItem = defineEntity({
  name: 'RefundItem',
  tableName: 'refund_item',
  properties: {
    id: idColumn<'refundItem'>().primary(),
    refundId: idColumn<'refund'>(),
    /** A card is taken back once. */
    cardId: idColumn<'card'>().unique(),
    orderItemId: idColumn<'orderItem'>(),
    brandId: idColumn<'brand'>(),
    priceFen: fenColumn(),
    faceFen: fenColumn(),
    /** Of the price: what platform and all channels had got of it; the rest was the brand's. */
    platformFen: fenColumn(),
    channelFen: fenColumn(),
  },
  indexes: [{ name: 'refund_item_refund_index', properties: ['refundId', 'brandId'] }],
})

/** What of a refund goes back over one payment, and how far it is. */
export const RefundPart = defineEntity({
  name: 'RefundPart',
  tableName: 'refund_part',
  properties: {
    id: idColumn<'refundPart'>().primary(),
    refundId: idColumn<'refund'>(),
    companyId: idColumn<'company'>().nullable(),
    orderId: idColumn<'order'>(),
    paymentId: idColumn<'payment'>(),
    /** Null: surplus, which no brand was to get. */
    brandId: idColumn<'brand'>().nullable(),
    fen: fenColumn(),
    route: codeColumn<RefundRoute>(16),
    state: codeColumn<RefundPartState>(12),
    version: p.integer(),
    /** Why it waits, or a person must look. */
    reason: codeColumn<RefundPartReason>(40).nullable(),
    /** WeChat Pay: our number, the exact body that every repeat sends again, their number. */
    outRefundNo: codeColumn(64).nullable().unique(),
    body: p.text().nullable(),
    providerRefundId: codeColumn(64).nullable(),
    /** Numbers used before this one: WeChat Pay closed them. */
    retries: p.integer(),
    calls: p.integer(),
    looks: p.integer(),
    firstCallAtMs: instantColumn().nullable(),
    lastCallAtMs: instantColumn().nullable(),
    /** When WeChat Pay took it, as its bills see it: a call may have been lost before. */
    takenAtMs: instantColumn().nullable(),
    nextAtMs: instantColumn().nullable(),
    /** What receivers of shares gave back for it, and what the brand pays from what was freed to it before. */
    returnedFen: fenColumn(),
    ownFen: fenColumn(),
    /** A person decided to refund without waiting for what receivers did not give back. */
    withoutReturns: p.boolean(),
    createdAtMs: instantColumn(),
    doneAtMs: instantColumn().nullable(),
  },
  checks: [{ name: 'refund_part_positive', expression: 'fen > 0 and own_fen >= 0 and own_fen <= fen' }],
  uniques: [{ name: 'refund_part_payment_unique', properties: ['refundId', 'paymentId', 'brandId'] }],
  indexes: [
    { name: 'refund_part_payment_index', properties: ['paymentId', 'state'] },
    { name: 'refund_part_state_index', properties: ['state', 'id'] },
    { name: 'refund_part_order_index', properties: ['orderId', 'state'] },
  ],
})
export type RefundPartRow = InferEntity<typeof RefundPart>
