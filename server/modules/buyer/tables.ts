import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import { codeColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** Somebody who buys for themselves, of no company. All that we know of them is by which accounts they come. */
export const Buyer = defineEntity({
  name: 'Buyer',
  tableName: 'buyer',
  properties: {
    id: idColumn<'buyer'>().primary(),
    createdAtMs: instantColumn(),
    /** When they withdrew their data, or WeChat told that the account is gone; null: they are known. */
    forgottenAtMs: instantColumn().nullable(),
  },
})
export type BuyerRow = InferEntity<typeof Buyer>

/** A buyer under one app: an openid means nothing without the app that it is of. */
export const BuyerAccount = defineEntity({
  name: 'BuyerAccount',
  tableName: 'buyer_account',
  properties: {
    id: idColumn<'buyerAccount'>().primary(),
    buyerId: idColumn<'buyer'>(),
    appid: codeColumn(32),
    openidSealed: p.blob(),
    openidIndex: codeColumn(64),
    /** The same person under all apps of one Open Platform account; null where the app does not tell. */
    unionidIndex: codeColumn(64).nullable(),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'buyer_account_openid_unique', properties: ['appid', 'openidIndex'] }],
  indexes: [
    { name: 'buyer_account_buyer_index', properties: ['buyerId'] },
    { name: 'buyer_account_union_index', properties: ['unionidIndex'] },
  ],
})
