import type { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Inbox, NoticeKind } from '../../../contract/store/notice.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { buyerOf } from '../../kernel/tenant.ts'

/** A page shows no more, and what is older nobody looks for. */
const SHOWN = 50

interface Row {
  readonly id: Id<'noticeMessage'>
  readonly kind: NoticeKind
  readonly cardId: Id<'card'>
  readonly holderId: string
  readonly giftId: Id<'gift'> | null
  readonly brandName: string
  readonly amount: unknown
  readonly expires: unknown
  readonly created: unknown
  readonly readAt: unknown
}

/** What the buyer who asks was told, newest first. */
export async function readInbox(tx: Tx): Promise<z.input<typeof Inbox>> {
  const buyerId = buyerOf(tx.actor)
  const rows = await sql<Row>(
    tx.em,
    `select notice_message.id as id, kind, card_id as cardId, card.holder_id as holderId, gift_id as giftId,
        brand.name as brandName, amount_fen as amount, notice_message.expires_at_ms as expires,
        notice_message.created_at_ms as created, read_at_ms as readAt
      from notice_message join card on card.id = notice_message.card_id join brand on brand.id = card.brand_id
      where buyer_id = ? order by notice_message.id desc limit ${SHOWN}`,
    [buyerId],
  )
  const [count] = await sql<{ unread: unknown }>(
    tx.em,
    'select count(*) as unread from notice_message where buyer_id = ? and read_at_ms is null',
    [buyerId],
  )
  return {
    messages: rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      brandName: row.brandName,
      cardId: row.holderId === buyerId ? row.cardId : null,
      giftId: row.giftId,
      amountFen: fen(Number(row.amount)),
      expiresAtMs: row.expires === null ? null : Number(row.expires),
      createdAtMs: Number(row.created),
      read: row.readAt !== null,
    })),
    unread: Number(count?.unread),
  }
}

/** The buyer has seen all messages up to this one. */
export async function readUpTo(tx: Tx, id: Id<'noticeMessage'>): Promise<void> {
  await change(
    tx.em,
    'update notice_message set read_at_ms = ?, version = version + 1 where buyer_id = ? and id <= ? and read_at_ms is null',
    [tx.clock.now(), buyerOf(tx.actor), id],
  )
}
