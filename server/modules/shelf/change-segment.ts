import type { Id } from '../../../contract/ids.ts'
import type { Segments } from '../../../contract/operator/shelf.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'

export interface SegmentChange {
  readonly segment: string
  readonly add: readonly Id<'buyer'>[]
  readonly remove: readonly Id<'buyer'>[]
}

/**
 * Adds buyers to an audience and takes others out; says how many belong to it now. Who belongs to it already, or does not, is
 * passed over. Refuses with `not_found` for somebody who is no buyer.
 */
export async function changeSegment(tx: Tx, { segment, add, remove }: SegmentChange): Promise<number> {
  const added = [...new Set(add)]
  const marks = (ids: readonly string[]): string => ids.map(() => '?').join(',')
  if (added.length > 0) {
    const known = await sql(tx.em, `select id from buyer where id in (${marks(added)})`, added)
    if (known.length !== added.length) refuse('not_found', { field: 'add' })
    await insertIgnore(
      tx.em,
      'segment_buyer',
      added.map((buyerId) => ({ segment, buyer_id: buyerId })),
    )
  }
  if (remove.length > 0)
    await change(tx.em, `delete from segment_buyer where segment = ? and buyer_id in (${marks(remove)})`, [
      segment,
      ...remove,
    ])
  const note = { note: segment }
  await trailMany(tx, [
    ...added.map((objectId) => ({ objectId, act: 'segment.joined', ...note })),
    ...remove.map((objectId) => ({ objectId, act: 'segment.left', ...note })),
  ])
  const [row] = await sql<{ buyers: unknown }>(
    tx.em,
    'select count(*) as buyers from segment_buyer where segment = ?',
    [segment],
  )
  return readSum(row?.buyers)
}

/** How many audiences a page lists: they are named by people. */
const MOST_SEGMENTS = 500

/** Audiences that buyers belong to or that listings name, by their codes. */
export async function readAllSegments(tx: Tx): Promise<Segments['segments']> {
  const rows = await sql<{ segment: string; buyers: unknown; listings: unknown }>(
    tx.em,
    `select named.segment as segment,
        (select count(*) from segment_buyer where segment_buyer.segment = named.segment) as buyers,
        (select count(*) from listing where listing.segment = named.segment) as listings
      from (select segment from segment_buyer union select segment from listing where segment is not null) as named
      order by named.segment limit ${MOST_SEGMENTS}`,
  )
  return rows.map(({ segment, buyers, listings }) => ({
    segment,
    buyers: readSum(buyers),
    listings: readSum(listings),
  }))
}
