import { defineEntity, p } from '@mikro-orm/core'
import type { HoldState } from '../../../contract/states.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** Value of a card set aside for one purchase, until it is captured, given up or its time is over. */
export const Hold = defineEntity({
  name: 'Hold',
  tableName: 'hold',
  properties: {
    id: idColumn<'hold'>().primary(),
    cardId: idColumn<'card'>(),
    amountFen: fenColumn(),
    state: codeColumn<HoldState>(12),
    version: p.integer(),
    /** Whose purchase it is for, in the words of whoever placed it. */
    ref: codeColumn(64),
    createdAtMs: instantColumn(),
    /** From then on it may be ended by the house. */
    endsAtMs: instantColumn(),
  },
  indexes: [
    { name: 'hold_card_index', properties: ['cardId', 'state'] },
    { name: 'hold_end_index', properties: ['state', 'endsAtMs'] },
  ],
  checks: [{ name: 'hold_amount_positive', expression: 'amount_fen > 0' }],
})
