import { defineEntity, p } from '@mikro-orm/core'
import type { OrderState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** Money and approval of one purchase. `securedFen` is what arrived, `issuedFen` the price of the cards made. */
export const Order = defineEntity({
  name: 'Order',
  tableName: 'orders',
  properties: {
    id: idColumn<'order'>().primary(),
    companyId: idColumn<'company'>().nullable(),
    /** Who buys in the storefront; null for an order of a company. */
    buyerId: idColumn<'buyer'>().nullable(),
    state: codeColumn<OrderState>(16),
    version: p.integer(),
    totalFen: fenColumn(),
    securedFen: fenColumn(),
    issuedFen: fenColumn(),
    /** Price of cards that were taken back: their money goes to the payers again. */
    refundedFen: fenColumn().default(0),
    /** Secured money that went back before it became cards. */
    returnedFen: fenColumn().default(0),
    itemCount: p.integer(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'orders_buyer_index', properties: ['buyerId', 'id'] }],
  checks: [{ name: 'orders_issued_within_secured', expression: 'issued_fen >= 0 and issued_fen <= secured_fen' }],
})

/** One card to make: for whom, from which template version, at which face and price. Issuance reads nothing else. */
export const OrderItem = defineEntity({
  name: 'OrderItem',
  tableName: 'order_item',
  properties: {
    id: idColumn<'orderItem'>().primary(),
    orderId: idColumn<'order'>(),
    seq: p.integer(),
    holderId: p.string().length(17),
    templateVersionId: idColumn<'templateVersion'>(),
    /** From which place on the shelf it was bought; null: not from the shelf. */
    listingId: idColumn<'listing'>().nullable(),
    faceFen: fenColumn(),
    priceFen: fenColumn(),
  },
  uniques: [{ name: 'order_item_seq_unique', properties: ['orderId', 'seq'] }],
})

/** At most 1,000 items of one order that are issued in one transaction, exactly once. */
export const OrderSlice = defineEntity({
  name: 'OrderSlice',
  tableName: 'order_slice',
  properties: {
    id: idColumn<'orderSlice'>().primary(),
    orderId: idColumn<'order'>(),
    fromSeq: p.integer(),
    toSeq: p.integer(),
    state: codeColumn<'planned' | 'issued'>(8),
    issuedAtMs: instantColumn().nullable(),
  },
  indexes: [{ name: 'order_slice_order_index', properties: ['orderId', 'state', 'fromSeq'] }],
})
