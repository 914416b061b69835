import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import type { CoverState } from '../../../contract/states.ts'
import type { CoverView } from '../../../contract/store/cover.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { coverLink, readCoverLink, type Whom } from './cover-link.ts'
import { openPicture } from './seal-picture.ts'
import { Cover } from './tables.ts'

/** A cover of the buyer who asks. Another's is 404. */
export async function readOwnCover(tx: Tx, id: Id<'cover'>): Promise<z.input<typeof CoverView>> {
  const [row] = await sql<{ state: CoverState; createdAtMs: unknown }>(
    tx.em,
    'select state, created_at_ms as createdAtMs from cover where id = ? and buyer_id = ?',
    [id, buyerOf(tx.actor)],
  )
  if (row === undefined) return refuse('not_found')
  const url = (await readPictureUrls(tx, [id], 'owner')).get(id) ?? null
  return { id, state: row.state, url, createdAtMs: Number(row.createdAtMs) }
}

/**
 * Addresses of pictures for whoever is being shown what carries them; the caller knows whether that is their owner. Those that they
 * may not see (not passed, refused, erased) have none: the cover chosen beside them is shown.
 */
export async function readPictureUrls(
  tx: Tx,
  ids: readonly Id<'cover'>[],
  whom: Whom,
): Promise<ReadonlyMap<Id<'cover'>, string>> {
  if (ids.length === 0) return new Map()
  const states = whom === 'owner' ? ['passed', 'in_review'] : ['passed']
  const marks = (list: readonly string[]): string => list.map(() => '?').join(',')
  const rows = await sql<{ id: Id<'cover'> }>(
    tx.em,
    `select id from cover where id in (${marks(ids)}) and state in (${marks(states)}) and picture_sealed is not null`,
    [...ids, ...states],
  )
  return new Map(rows.map(({ id }) => [id, coverLink(tx, id, whom)]))
}

/** The JPEG behind an address. Refuses with `not_found`. */
export async function readPicture(
  tx: Tx,
  link: { readonly id: Id<'cover'>; readonly until: number; readonly sign: string },
): Promise<Buffer> {
  const whom = readCoverLink(tx, link) ?? refuse('not_found')
  const row = await tx.em.findOne(Cover, { id: link.id }, { disableIdentityMap: true })
  if (!row?.pictureSealed || (whom === 'others' && row.state !== 'passed')) return refuse('not_found')
  return openPicture(tx, row.id, row.pictureSealed)
}
