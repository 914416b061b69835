import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

const AT_ONCE = 200
const DAY_MS = 86_400_000
/** A refused picture can be looked at again when its owner complains. */
const REFUSED_MS = 7 * DAY_MS
/** Whoever uploaded a picture and bought nothing with it in this time has forgotten it. */
const UNUSED_MS = 30 * DAY_MS

/**
 * Job `covers.forget`: pictures that were refused, that nobody bought anything with, and those of cards as old as words on cards are
 * kept. Returns how many it erased; call again until there are none.
 */
export async function forgetCovers(tx: Tx): Promise<number> {
  const now = tx.clock.now()
  const rows = await sql<{ id: Id<'cover'> }>(
    tx.em,
    `select id from cover where picture_sealed is not null and ((state = 'refused' and coalesce(decided_at_ms, 0) < ?)
        or (used_at_ms is null and created_at_ms < ?) or used_at_ms < ?) order by id limit ${AT_ONCE}`,
    [now - REFUSED_MS, now - UNUSED_MS, now - limits.wordsKeptMs],
  )
  return erase(tx, rows)
}

/** The pictures of a buyer who is forgotten. Harmless to repeat. */
export async function forgetCoversOf(tx: Tx, buyerId: Id<'buyer'>): Promise<void> {
  const pictures = 'select id from cover where buyer_id = ? and picture_sealed is not null'
  await erase(tx, await sql<{ id: Id<'cover'> }>(tx.em, pictures, [buyerId]))
}

async function erase(tx: Tx, rows: readonly { readonly id: Id<'cover'> }[]): Promise<number> {
  if (rows.length === 0) return 0
  const marks = rows.map(() => '?').join(',')
  const ids = rows.map(({ id }) => id)
  return change(
    tx.em,
    `update cover set picture_sealed = null, version = version + 1 where id in (${marks}) and picture_sealed is not null`,
    ids,
  )
}
