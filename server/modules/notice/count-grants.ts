import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import type { NoticeGrants, NoticeKind } from '../../../contract/store/notice.ts'
import { noticeKinds } from '../../../contract/store/notice.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { holdBuyer } from '../buyer/hold-buyer.ts'
import { MOST_OPEN, SAME_MS } from './rules.ts'

interface Accepted {
  readonly buyerId: Id<'buyer'>
  readonly kind: NoticeKind
  /** When WeChat says that it was accepted; null: the page says so, just now. */
  readonly eventAtMs: number | null
}

/**
 * Counts that somebody allowed one message. What the page said and what WeChat said of the same acceptance are one permission, in
 * whatever order they come; WeChat leaves some of them out. The caller makes sure that each is told here once.
 */
export async function countGrant(tx: Tx, { buyerId, kind, eventAtMs }: Accepted): Promise<void> {
  await holdBuyer(tx, buyerId)
  const atMs = eventAtMs ?? tx.clock.now()
  const [other] = await sql<{ id: string }>(
    tx.em,
    eventAtMs === null
      ? `select id from notice_grant where buyer_id = ? and kind = ? and said_by_page = ? and event_at_ms between ? and ?
          order by id limit 1`
      : `select id from notice_grant where buyer_id = ? and kind = ? and said_by_page = ? and event_at_ms is null
          and created_at_ms between ? and ? order by id limit 1`,
    [buyerId, kind, eventAtMs === null ? 0 : 1, atMs - SAME_MS, atMs + SAME_MS],
  )
  if (other !== undefined) {
    const told = eventAtMs === null ? 'said_by_page = 1' : `event_at_ms = ${Math.floor(eventAtMs)}`
    await change(tx.em, `update notice_grant set ${told}, version = version + 1 where id = ?`, [other.id])
    return
  }
  if ((await leftOf(tx, buyerId, kind)) >= MOST_OPEN) return
  await insertRows(tx.em, 'notice_grant', [
    {
      id: tx.newId('noticeGrant'),
      buyer_id: buyerId,
      kind,
      state: 'open',
      version: 1,
      said_by_page: eventAtMs === null ? 1 : 0,
      event_at_ms: eventAtMs,
      message_id: null,
      created_at_ms: tx.clock.now(),
    },
  ])
}

async function leftOf(tx: Tx, buyerId: Id<'buyer'>, kind: NoticeKind): Promise<number> {
  const [row] = await sql<{ found: unknown }>(
    tx.em,
    "select count(*) as found from notice_grant where buyer_id = ? and kind = ? and state = 'open'",
    [buyerId, kind],
  )
  return Number(row?.found)
}

/** Uses one permission up for a message, the oldest first. False: there is none. */
export async function useGrant(
  tx: Tx,
  of: { readonly buyerId: Id<'buyer'>; readonly kind: NoticeKind; readonly messageId: Id<'noticeMessage'> },
): Promise<boolean> {
  const rows = await sql<{ id: string }>(
    tx.em,
    "select id from notice_grant where buyer_id = ? and kind = ? and state = 'open' order by id limit 10",
    [of.buyerId, of.kind],
  )
  for (const { id } of rows) {
    const text =
      "update notice_grant set state = 'used', message_id = ?, version = version + 1 where id = ? and state = 'open'"
    if ((await change(tx.em, text, [of.messageId, id])) === 1) return true
  }
  return false
}

/** Whether there is a permission to use. */
export const mayTell = async (tx: Tx, buyerId: Id<'buyer'>, kind: NoticeKind): Promise<boolean> =>
  (await leftOf(tx, buyerId, kind)) > 0

/** The message was not sent after all: its permission can be used for another. */
export async function reopenGrant(tx: Tx, messageId: Id<'noticeMessage'>): Promise<void> {
  await change(
    tx.em,
    "update notice_grant set state = 'open', message_id = null, version = version + 1 where message_id = ? and state = 'used'",
    [messageId],
  )
}

/** WeChat says that there is no permission (any more): what we counted was wrong, or was taken back. */
export async function dropGrants(tx: Tx, buyerId: Id<'buyer'>, kind: NoticeKind): Promise<void> {
  await change(
    tx.em,
    "update notice_grant set state = 'gone', version = version + 1 where buyer_id = ? and kind = ? and state = 'open'",
    [buyerId, kind],
  )
}

/** How many messages of each kind may still be sent to a buyer. */
export async function readGrants(tx: Tx, buyerId: Id<'buyer'>): Promise<z.input<typeof NoticeGrants>> {
  const rows = await sql<{ kind: NoticeKind; found: unknown }>(
    tx.em,
    "select kind, count(*) as found from notice_grant where buyer_id = ? and state = 'open' group by kind",
    [buyerId],
  )
  const left = new Map(rows.map(({ kind, found }) => [kind, Number(found)]))
  const templates = tx.house.wechat?.templates ?? {}
  const askable = noticeKinds.filter((kind) => templates[kind] !== undefined)
  return { kinds: askable.map((kind) => ({ kind, left: left.get(kind) ?? 0 })) }
}
