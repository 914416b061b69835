import { defineEntity, p } from '@mikro-orm/core'
import type { HoldState, RedemptionState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** One purchase at a till, paid from one or several cards of one brand and, where they do not reach, otherwise (cash). */
export const Redemption = defineEntity({
  name: 'Redemption',
  tableName: 'redemption',
  properties: {
    id: idColumn<'redemption'>().primary(),
    brandId: idColumn<'brand'>(),
    merchantId: idColumn<'merchant'>(),
    shopId: idColumn<'shop'>(),
    /** Whose till: a clerk's phone or a terminal. */
    tillId: p.string().length(17),
    /** The clerk's shift in which it began; a terminal has none. */
    shiftId: idColumn<'shift'>().nullable(),
    /** The till's own number for it. */
    ref: codeColumn(64).nullable(),
    state: codeColumn<RedemptionState>(16),
    version: p.integer(),
    /** The bill, and what of it the cards were asked to pay; the rest is cash. */
    billFen: fenColumn(),
    authorisedFen: fenColumn(),
    capturedFen: fenColumn(),
    refundedFen: fenColumn(),
    /** When value last moved; null: none did yet. */
    movedAtMs: instantColumn().nullable(),
    createdAtMs: instantColumn(),
    /** From then on what is still held goes back to the cards. */
    endsAtMs: instantColumn(),
  },
  indexes: [
    { name: 'redemption_till_index', properties: ['tillId', 'id'] },
    { name: 'redemption_ref_index', properties: ['tillId', 'ref', 'id'] },
    { name: 'redemption_shop_index', properties: ['shopId', 'id'] },
    { name: 'redemption_end_index', properties: ['state', 'endsAtMs'] },
  ],
  checks: [
    {
      name: 'redemption_amounts_nest',
      expression:
        'refunded_fen <= captured_fen and captured_fen <= authorised_fen and authorised_fen <= bill_fen and refunded_fen >= 0',
    },
  ],
})

/** Value of a card set aside for one purchase or gift, until it is captured, given up or its time is over. */
export const Hold = defineEntity({
  name: 'Hold',
  tableName: 'hold',
  properties: {
    id: idColumn<'hold'>().primary(),
    cardId: idColumn<'card'>(),
    amountFen: fenColumn(),
    /** What of it was spent, and what of that came back. */
    capturedFen: fenColumn().default(0),
    refundedFen: fenColumn().default(0),
    state: codeColumn<HoldState>(12),
    version: p.integer(),
    /** What it is for: the id of a redemption or a gift. */
    ref: codeColumn(64),
    createdAtMs: instantColumn(),
    /** From then on it may be ended by the house. */
    endsAtMs: instantColumn(),
  },
  indexes: [
    { name: 'hold_card_index', properties: ['cardId', 'state'] },
    { name: 'hold_ref_index', properties: ['ref'] },
  ],
  checks: [
    { name: 'hold_amount_positive', expression: 'amount_fen > 0' },
    { name: 'hold_amounts_nest', expression: 'refunded_fen <= captured_fen and captured_fen <= amount_fen' },
  ],
})

/** Value that moved at a till: the till's journal. Append-only; the entry in the ledger is shared by a whole commit. */
export const RedemptionMovement = defineEntity({
  name: 'RedemptionMovement',
  tableName: 'redemption_movement',
  properties: {
    id: idColumn<'redemptionMovement'>().primary(),
    redemptionId: idColumn<'redemption'>(),
    kind: codeColumn<'capture' | 'refund' | 'undo'>(8),
    amountFen: fenColumn(),
    entryId: idColumn<'entry'>(),
    merchantId: idColumn<'merchant'>(),
    shopId: idColumn<'shop'>(),
    tillId: p.string().length(17),
    shiftId: idColumn<'shift'>().nullable(),
    atMs: instantColumn(),
  },
  indexes: [
    { name: 'redemption_movement_redemption_index', properties: ['redemptionId'] },
    { name: 'redemption_movement_shop_index', properties: ['shopId', 'atMs'] },
    { name: 'redemption_movement_shift_index', properties: ['shiftId'] },
  ],
  checks: [{ name: 'redemption_movement_positive', expression: 'amount_fen > 0' }],
})

/** A payment code that was shown to a till: it pays once, whatever becomes of it. */
export const UsedCode = defineEntity({
  name: 'UsedCode',
  tableName: 'used_code',
  properties: {
    /** What is signed of a code; its end and whose it is stand in it. */
    code: codeColumn(44).primary(),
    redemptionId: idColumn<'redemption'>(),
  },
  indexes: [{ name: 'used_code_redemption_index', properties: ['redemptionId'] }],
})

/** A clerk's time at a till. `openMark` is the same for every open one, so a clerk has one open at a time. */
export const Shift = defineEntity({
  name: 'Shift',
  tableName: 'shift',
  properties: {
    id: idColumn<'shift'>().primary(),
    merchantId: idColumn<'merchant'>(),
    shopId: idColumn<'shop'>(),
    clerkId: idColumn<'clerk'>(),
    state: codeColumn<'open' | 'closed'>(8),
    openMark: codeColumn(17),
    version: p.integer(),
    openedAtMs: instantColumn(),
    closedAtMs: instantColumn().nullable(),
    /** What stood on the slip that was printed at the end. */
    capturedFen: fenColumn().default(0),
    returnedFen: fenColumn().default(0),
    purchases: p.integer().default(0),
  },
  uniques: [{ name: 'shift_one_open', properties: ['clerkId', 'openMark'] }],
  indexes: [{ name: 'shift_shop_index', properties: ['shopId', 'id'] }],
})
