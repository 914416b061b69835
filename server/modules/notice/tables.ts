import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { NoticeState } from '../../../contract/states.ts'
import type { NoticeKind } from '../../../contract/store/notice.ts'
import { codeColumn, fenColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

/**
 * One permission to send one message of a kind to a buyer through WeChat. Heard of twice, from the page and from WeChat, in any order,
 * or once: `saidByPage`, `eventAtMs`.
 */
export const NoticeGrant = defineEntity({
  name: 'NoticeGrant',
  tableName: 'notice_grant',
  properties: {
    id: idColumn<'noticeGrant'>().primary(),
    buyerId: idColumn<'buyer'>(),
    kind: codeColumn<NoticeKind>(16),
    /** `used`: for the message `messageId`. `gone`: WeChat said that there is none. */
    state: codeColumn<'open' | 'used' | 'gone'>(8),
    version: p.integer(),
    saidByPage: p.boolean(),
    eventAtMs: instantColumn().nullable(),
    messageId: idColumn<'noticeMessage'>().nullable().unique(),
    createdAtMs: instantColumn(),
  },
  indexes: [{ name: 'notice_grant_buyer_index', properties: ['buyerId', 'kind', 'state'] }],
})

/** What a buyer is told of: a line of their inbox, and perhaps a message of WeChat. */
export const NoticeMessage = defineEntity({
  name: 'NoticeMessage',
  tableName: 'notice_message',
  properties: {
    id: idColumn<'noticeMessage'>().primary(),
    buyerId: idColumn<'buyer'>(),
    kind: codeColumn<NoticeKind>(16),
    /** What it is about, so that it is told once: a gift; a card; how long before which day cards end. */
    subject: codeColumn(40),
    cardId: idColumn<'card'>(),
    giftId: idColumn<'gift'>().nullable(),
    amountFen: fenColumn(),
    expiresAtMs: instantColumn().nullable(),
    state: codeColumn<NoticeState>(12),
    version: p.integer(),
    /** Of the tenth of all buyers whom WeChat tells nothing, and would have: what messages bring is measured against them. */
    heldOut: p.boolean(),
    /** Why it was kept, or WeChat's code. */
    reason: codeColumn(32).nullable(),
    /** WeChat's id of the message. */
    sentId: codeColumn(40).nullable(),
    createdAtMs: instantColumn(),
    readAtMs: instantColumn().nullable(),
  },
  uniques: [{ name: 'notice_message_once', properties: ['buyerId', 'kind', 'subject'] }],
  indexes: [
    { name: 'notice_message_inbox_index', properties: ['buyerId', 'id'] },
    { name: 'notice_message_sent_index', properties: ['sentId'] },
  ],
})
export type NoticeMessageRow = InferEntity<typeof NoticeMessage>
