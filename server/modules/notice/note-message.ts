import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { NoticeKind } from '../../../contract/store/notice.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'
import { isHeldOut } from './rules.ts'

export interface NewMessage {
  readonly buyerId: Id<'buyer'>
  readonly kind: NoticeKind
  /** The same subject is told once. */
  readonly subject: string
  readonly cardId: Id<'card'>
  readonly giftId?: Id<'gift'>
  readonly amountFen: Fen
  readonly expiresAtMs?: number | null
}

/** Puts messages into inboxes, those that are not there yet, and enqueues what WeChat may tell of them. */
export async function noteMessages(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  if (messages.length === 0) return
  const rows = messages.map((one) => ({
    id: tx.newId('noticeMessage'),
    buyer_id: one.buyerId,
    kind: one.kind,
    subject: one.subject,
    card_id: one.cardId,
    gift_id: one.giftId ?? null,
    amount_fen: one.amountFen,
    expires_at_ms: one.expiresAtMs ?? null,
    state: 'planned',
    version: 1,
    held_out: isHeldOut(tx, one.buyerId) ? 1 : 0,
    reason: null,
    sent_id: null,
    created_at_ms: tx.clock.now(),
    read_at_ms: null,
  }))
  await insertIgnore(tx.em, 'notice_message', rows)
  const made = await sql<{ id: Id<'noticeMessage'> }>(
    tx.em,
    `select id from notice_message where id in (${rows.map(() => '?').join(',')})`,
    rows.map(({ id }) => id),
  )
  await enqueue(
    tx,
    made.map(({ id }) => ({ kind: 'notice.send', key: `notice.send:${id}`, args: { messageId: id } })),
  )
}
