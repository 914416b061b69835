import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { CoverState } from '../../../contract/states.ts'
import { codeColumn, idColumn, instantColumn, largeBlobColumn } from '../../kernel/columns.ts'

/** A picture that a buyer uploaded for their cards, as we made it anew. */
export const Cover = defineEntity({
  name: 'Cover',
  tableName: 'cover',
  properties: {
    id: idColumn<'cover'>().primary(),
    buyerId: idColumn<'buyer'>(),
    state: codeColumn<CoverState>(12),
    version: p.integer(),
    /** The JPEG in base64. Null: it was erased. */
    pictureSealed: largeBlobColumn().nullable(),
    createdAtMs: instantColumn(),
    /** When somebody of the platform judged it last; null: nobody had to. */
    decidedAtMs: instantColumn().nullable(),
    /** When a card was bought with it last; null: never. */
    usedAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'cover_state_index', properties: ['state', 'id'] },
    { name: 'cover_buyer_index', properties: ['buyerId', 'createdAtMs'] },
  ],
})
export type CoverRow = InferEntity<typeof Cover>
