import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import { codeColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** Who runs shops that take the cards of one brand: a card is spent with its own issuer only (decision 0026). */
export const Merchant = defineEntity({
  name: 'Merchant',
  tableName: 'merchant',
  properties: {
    id: idColumn<'merchant'>().primary(),
    brandId: idColumn<'brand'>(),
    name: p.string().length(100),
    state: codeColumn<'active' | 'suspended'>(12),
    version: p.integer(),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'merchant_name_unique', properties: ['brandId', 'name'] }],
})

/** A place where cards are spent. Where it lies is in millionths of a degree (GCJ-02, as maps in China use it). */
export const Shop = defineEntity({
  name: 'Shop',
  tableName: 'shop',
  properties: {
    id: idColumn<'shop'>().primary(),
    merchantId: idColumn<'merchant'>(),
    brandId: idColumn<'brand'>(),
    name: p.string().length(100),
    city: p.string().length(40),
    address: p.string().length(200),
    latitudeE6: p.integer().nullable(),
    longitudeE6: p.integer().nullable(),
    phone: codeColumn(40).nullable(),
    hours: p.string().length(100).nullable(),
    state: codeColumn<'open' | 'closed'>(8),
    version: p.integer(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'shop_brand_index', properties: ['brandId', 'city'] }],
  uniques: [{ name: 'shop_name_unique', properties: ['merchantId', 'name'] }],
})

export type ShopRow = InferEntity<typeof Shop>

/** Somebody who takes cards in a shop (`clerk`), or runs all shops of a merchant (`manager`). */
export const Clerk = defineEntity({
  name: 'Clerk',
  tableName: 'clerk',
  properties: {
    id: idColumn<'clerk'>().primary(),
    merchantId: idColumn<'merchant'>(),
    /** Where they stand; a manager may change it. */
    shopId: idColumn<'shop'>(),
    nameSealed: p.blob(),
    role: codeColumn<'clerk' | 'manager'>(8),
    state: codeColumn<'active' | 'removed'>(8),
    version: p.integer(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'clerk_merchant_index', properties: ['merchantId', 'state'] }],
})

/** A link that signs a clerk in on one phone, once, within its time. */
export const ClerkLink = defineEntity({
  name: 'ClerkLink',
  tableName: 'clerk_link',
  properties: {
    id: idColumn<'clerkLink'>().primary(),
    clerkId: idColumn<'clerk'>(),
    tokenIndex: codeColumn(64).unique(),
    expiresAtMs: instantColumn(),
    usedAtMs: instantColumn().nullable(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'clerk_link_clerk_index', properties: ['clerkId'] }],
})

/** A till that speaks to us by itself (POS API). Its id names its key. */
export const Terminal = defineEntity({
  name: 'Terminal',
  tableName: 'terminal',
  properties: {
    id: idColumn<'terminal'>().primary(),
    merchantId: idColumn<'merchant'>(),
    shopId: idColumn<'shop'>(),
    name: p.string().length(60),
    secretSealed: p.blob(),
    /** The key before the last: good until the till has taken the new one. */
    oldSecretSealed: p.blob().nullable(),
    oldUntilMs: instantColumn().nullable(),
    state: codeColumn<'active' | 'revoked'>(8),
    version: p.integer(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'terminal_shop_index', properties: ['shopId'] }],
})

/** A nonce that a terminal has used: the same request again is refused until its time stamp is too old anyway. */
export const TerminalNonce = defineEntity({
  name: 'TerminalNonce',
  tableName: 'terminal_nonce',
  properties: {
    terminalId: idColumn<'terminal'>().primary(),
    nonce: codeColumn(64).primary(),
    /** Written by whoever came first: reading back one's own means "you are first". */
    token: codeColumn(32),
    endsAtMs: instantColumn(),
  },
  indexes: [{ name: 'terminal_nonce_end_index', properties: ['endsAtMs'] }],
})

/** Where a merchant wants to be told of what happened at its tills. */
export const WebhookEndpoint = defineEntity({
  name: 'WebhookEndpoint',
  tableName: 'webhook_endpoint',
  properties: {
    id: idColumn<'webhookEndpoint'>().primary(),
    merchantId: idColumn<'merchant'>(),
    url: p.string().length(500),
    secretSealed: p.blob(),
    state: codeColumn<'active' | 'paused'>(8),
    version: p.integer(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'webhook_endpoint_merchant_index', properties: ['merchantId', 'state'] }],
})
