import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { CardState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn, signedFenColumn } from '../../kernel/columns.ts'

/** Value in somebody's hand. The balance has no setter: only activities change it. One order item makes one card. */
export const Card = defineEntity({
  name: 'Card',
  tableName: 'card',
  properties: {
    id: idColumn<'card'>().primary(),
    orderItemId: idColumn<'orderItem'>().unique(),
    companyId: idColumn<'company'>().nullable(),
    brandId: idColumn<'brand'>(),
    templateVersionId: idColumn<'templateVersion'>(),
    holderId: p.string().length(17),
    number: codeColumn(24).unique(),
    secretSealed: p.blob(),
    secretIndex: codeColumn(64).unique(),
    faceFen: fenColumn(),
    balanceFen: fenColumn(),
    heldFen: fenColumn(),
    state: codeColumn<CardState>(12),
    version: p.integer(),
    /** The number of its last activity. */
    activities: p.integer().default(1),
    /** How often it was passed on. */
    giftDepth: p.integer().default(0),
    /** What was spent on the day that it was last spent on (20261123, in China), and in how many purchases. */
    spentDay: p.integer().default(0),
    spentDayFen: fenColumn().default(0),
    spentDayTimes: p.integer().default(0),
    /** Since when it has its secret; 0: since it was made. No code to pay with that is older spends it. */
    handSinceMs: instantColumn().default(0),
    lockedUntilMs: instantColumn(),
    expiresAtMs: instantColumn().nullable(),
    issuedAtMs: instantColumn(),
  },
  indexes: [
    { name: 'card_holder_index', properties: ['holderId'] },
    { name: 'card_expiry_index', properties: ['expiresAtMs'] },
  ],
  checks: [{ name: 'card_held_within_balance', expression: 'held_fen >= 0 and held_fen <= balance_fen' }],
})

export type CardRow = InferEntity<typeof Card>

/** A movement on a card with the balance after it: the card's own postings and its trail. Append-only. */
export const Activity = defineEntity({
  name: 'Activity',
  tableName: 'activity',
  properties: {
    cardId: idColumn<'card'>().primary(),
    seq: p.integer().primary().autoincrement(false),
    kind: codeColumn(16),
    amountFen: signedFenColumn(),
    balanceFen: fenColumn(),
    ref: p.string().length(40),
    atMs: instantColumn(),
  },
})

/** A number that a card had before it was reported lost: it is never given out again, and finds nothing but that. */
export const RetiredNumber = defineEntity({
  name: 'RetiredNumber',
  tableName: 'retired_number',
  properties: {
    number: codeColumn(24).primary(),
    cardId: idColumn<'card'>(),
    atMs: instantColumn(),
  },
})
