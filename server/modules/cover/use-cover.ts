import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'

/**
 * A card is bought with this picture: it is kept as long as the words on a card. One that still waits for its review may be used; until
 * it passes only its owner sees it. Refuses with `cover_refused`, and with `not_found` for another buyer's.
 */
export async function useCover(tx: Tx, id: Id<'cover'>, buyerId: Id<'buyer'>): Promise<void> {
  const used = await change(
    tx.em,
    `update cover set used_at_ms = ?, version = version + 1
      where id = ? and buyer_id = ? and state in ('in_review', 'passed') and picture_sealed is not null`,
    [tx.clock.now(), id, buyerId],
  )
  if (used === 1) return
  const [own] = await sql(tx.em, 'select 1 from cover where id = ? and buyer_id = ?', [id, buyerId])
  refuse(own === undefined ? 'not_found' : 'cover_refused', { field: 'pictureId' })
}
