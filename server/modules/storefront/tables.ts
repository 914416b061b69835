import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { covers } from '../../../contract/hr/campaign.ts'
import type { StoreChannel } from '../../../contract/store/order.ts'
import { codeColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** What somebody wished for when they bought: beside the order, which alone says where it stands. */
export const StoreOrder = defineEntity({
  name: 'StoreOrder',
  tableName: 'store_order',
  properties: {
    orderId: idColumn<'order'>().primary(),
    buyerId: idColumn<'buyer'>(),
    listingId: idColumn<'listing'>(),
    channel: codeColumn<StoreChannel>(8),
    cover: codeColumn<(typeof covers)[number]>(24),
    /** A picture of the buyer's own in place of the cover. */
    pictureId: idColumn<'cover'>().nullable(),
    greetingSealed: p.blob(),
    forFriend: p.boolean(),
    /** How long an unused card may be given back, counted from its payment; 0: it may not. */
    rightMs: instantColumn(),
    /** Nobody has paid by then: it is closed, and its card is for others. */
    closesAtMs: instantColumn(),
    createdAtMs: instantColumn(),
  },
  indexes: [
    { name: 'store_order_buyer_index', properties: ['buyerId', 'orderId'] },
    { name: 'store_order_day_index', properties: ['createdAtMs'] },
  ],
})
export type StoreOrderRow = InferEntity<typeof StoreOrder>
