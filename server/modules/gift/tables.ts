import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { GiftState } from '../../../contract/states.ts'
import { codeColumn, holderColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/** A card offered to somebody by a link. All that is on it is held until it is claimed or returns whole. */
export const Gift = defineEntity({
  name: 'Gift',
  tableName: 'gift',
  properties: {
    id: idColumn<'gift'>().primary(),
    /** Whose staff it is among; null: a buyer gave it. */
    companyId: idColumn<'company'>().nullable(),
    cardId: idColumn<'card'>(),
    holdId: idColumn<'hold'>(),
    fromId: holderColumn(),
    toId: holderColumn().nullable(),
    /** The link carries a token; only its fingerprint finds the gift. Sealed beside it, so that the giver can show it again. */
    tokenIndex: codeColumn(64).unique(),
    tokenSealed: p.blob(),
    cover: codeColumn(24),
    /** A picture of the giver's own in place of the cover. */
    pictureId: idColumn<'cover'>().nullable(),
    greetingSealed: p.blob(),
    state: codeColumn<GiftState>(12),
    version: p.integer(),
    createdAtMs: instantColumn(),
    endsAtMs: instantColumn(),
    openedAtMs: instantColumn().nullable(),
    claimedAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'gift_card_index', properties: ['cardId', 'state'] },
    { name: 'gift_from_index', properties: ['fromId', 'id'] },
    { name: 'gift_end_index', properties: ['state', 'endsAtMs'] },
  ],
})

export type GiftRow = InferEntity<typeof Gift>

/** A word of thanks back to whoever gave a card: HR of a campaign, or a colleague. One for each gift and person. */
export const Thanks = defineEntity({
  name: 'Thanks',
  tableName: 'thanks',
  properties: {
    id: idColumn<'thanks'>().primary(),
    companyId: idColumn<'company'>().nullable(),
    fromId: holderColumn(),
    /** The campaign or the gift. */
    subjectId: p.string().length(17),
    textSealed: p.blob(),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'thanks_once', properties: ['fromId', 'subjectId'] }],
  indexes: [{ name: 'thanks_subject_index', properties: ['subjectId', 'id'] }],
})
