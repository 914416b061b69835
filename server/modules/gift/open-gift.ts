import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { findGift } from './find-gift.ts'
import { refuse } from '../../kernel/errors.ts'

/**
 * Somebody with the link turned the cover: its giver is told when, once. Nothing when the giver looks, or when it is over.
 * Returns when it was opened first. Refuses with `not_found` for a link that is none.
 */
export async function openGift(tx: Tx, token: string): Promise<number | null> {
  const gift = (await findGift(tx, token)) ?? refuse('not_found')
  const now = tx.clock.now()
  const giver = actorName(tx.actor) === gift.fromId
  if (giver || gift.state !== 'offered' || gift.endsAtMs <= now) return gift.openedAtMs ?? null
  const opened = await change(
    tx.em,
    `update gift set opened_at_ms = ?, version = version + 1
      where id = ? and state = 'offered' and ends_at_ms > ? and opened_at_ms is null`,
    [now, gift.id, now],
  )
  if (opened !== 1) return (await findGift(tx, token))?.openedAtMs ?? null
  await trail(tx, { objectId: gift.id, act: 'gift.opened' })
  return now
}
