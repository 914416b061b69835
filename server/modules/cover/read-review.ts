import type { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import type { ReviewList } from '../../../contract/operator/review.ts'
import type { CoverState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { coverLink } from './cover-link.ts'

interface Found {
  readonly id: Id<'cover'>
  readonly state: CoverState
  readonly there: unknown
  readonly usedAtMs: unknown
  readonly createdAtMs: unknown
  readonly decidedAtMs: unknown
}

/** A page of pictures that wait for somebody, oldest first, or that somebody judged, newest first. */
export async function readReview(
  tx: Tx,
  page: { readonly which: 'in_review' | 'decided'; readonly cursor?: string | undefined; readonly limit: number },
): Promise<z.input<typeof ReviewList>> {
  const waits = page.which === 'in_review'
  const where = waits ? "state = 'in_review'" : "state <> 'in_review' and decided_at_ms is not null"
  const from = page.cursor === undefined ? '' : `and id ${waits ? '>' : '<'} ?`
  const rows = await sql<Found>(
    tx.em,
    `select id, state, picture_sealed is not null as there, used_at_ms as usedAtMs, created_at_ms as createdAtMs,
        decided_at_ms as decidedAtMs
      from cover where ${where} ${from} order by id ${waits ? 'asc' : 'desc'} limit ?`,
    [...(page.cursor === undefined ? [] : [page.cursor]), page.limit + 1],
  )
  const [count] = await sql<{ waiting: unknown }>(
    tx.em,
    "select count(*) as waiting from cover where state = 'in_review'",
  )
  const shown = rows.slice(0, page.limit)
  return {
    covers: shown.map((row) => ({
      id: row.id,
      state: row.state,
      url: Number(row.there) === 1 ? coverLink(tx, row.id, 'owner') : null,
      used: row.usedAtMs !== null,
      createdAtMs: Number(row.createdAtMs),
      decidedAtMs: row.decidedAtMs === null ? null : Number(row.decidedAtMs),
    })),
    waiting: Number(count?.waiting),
    nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}
