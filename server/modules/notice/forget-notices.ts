import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

const AT_ONCE = 500
/** WeChat repeats an event within seconds. */
const EVENTS_KEPT_MS = 7 * 86_400_000

/**
 * Job `notices.forget`: messages and permissions that are a year old, and fingerprints of events that nobody repeats any more. Returns how
 * many rows it deleted; call again until there are none.
 */
export async function forgetNotices(tx: Tx): Promise<number> {
  const before = tx.clock.now() - limits.wordsKeptMs
  const messages = await drop(tx, 'notice_message', 'id', 'created_at_ms < ?', [before])
  const grants = await drop(tx, 'notice_grant', 'id', "created_at_ms < ? and state <> 'open'", [before])
  const events = await drop(tx, 'once_key', 'once_key', "scope = 'wechat.event' and at_ms < ?", [
    tx.clock.now() - EVENTS_KEPT_MS,
  ])
  return messages + grants + events
}

/** All that a buyer who is forgotten was told and allowed. Harmless to repeat. */
export async function forgetNoticesOf(tx: Tx, buyerId: Id<'buyer'>): Promise<void> {
  await change(tx.em, 'delete from notice_message where buyer_id = ?', [buyerId])
  await change(tx.em, 'delete from notice_grant where buyer_id = ?', [buyerId])
}

async function drop(
  tx: Tx,
  table: 'notice_message' | 'notice_grant' | 'once_key',
  key: 'id' | 'once_key',
  where: string,
  values: readonly number[],
): Promise<number> {
  const rows = await sql<{ id: string }>(
    tx.em,
    `select ${key} as id from ${table} where ${where} order by ${key} limit ${AT_ONCE}`,
    values,
  )
  if (rows.length === 0) return 0
  const scope = table === 'once_key' ? " and scope = 'wechat.event'" : ''
  const ids = rows.map(({ id }) => id)
  return change(tx.em, `delete from ${table} where ${key} in (${ids.map(() => '?').join(',')})${scope}`, ids)
}
