import { fen, type Fen } from '../../../contract/fen.ts'
import type { HolderId, Id } from '../../../contract/ids.ts'
import type { CardState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { dialectOf, readBound, sql } from '../../kernel/sql.ts'

/** A card as it stands while this transaction holds it. */
export interface LockedCard {
  readonly id: Id<'card'>
  readonly brandId: Id<'brand'>
  readonly holderId: string
  readonly number: string
  readonly state: CardState
  readonly version: number
  readonly balanceFen: Fen
  readonly heldFen: Fen
  readonly lockedUntilMs: number
  readonly expiresAtMs: number | null
  /** The number of its last activity. */
  readonly activities: number
  readonly spentDay: number
  readonly spentDayFen: Fen
  readonly spentDayTimes: number
  /** Since when it has its secret: with each hand it gets another. */
  readonly handSinceMs: number
}

/** More cards of one brand than anybody holds with money on them. */
const MOST_OF_HOLDER = 50

/**
 * Holds cards until the end of the transaction, in the order of their ids, so that two transactions never wait for each
 * other, and reads them as they stand then (SQLite's only writer just reads). An id that names no card is left out.
 */
export async function lockCards(tx: Tx, cardIds: readonly Id<'card'>[]): Promise<Map<Id<'card'>, LockedCard>> {
  const ids = [...new Set(cardIds)].sort()
  if (ids.length === 0) return new Map()
  const [index, hold] = dialectOf(tx.em) === 'mysql' ? ['force index (primary)', 'for update'] : ['', '']
  const rows = await readBound<Record<string, unknown>>(
    tx.em,
    `select id, brand_id, holder_id, number, state, version, balance_fen, held_fen, locked_until_ms, expires_at_ms, activities,
        spent_day, spent_day_fen, spent_day_times, hand_since_ms
      from card ${index} where id in (${ids.map(() => '?').join(',')}) order by id ${hold}`,
    ids,
  )
  return new Map(rows.map((row) => [row['id'] as Id<'card'>, cardOf(row)]))
}

/** The cards of a brand that a person could pay with now, those that end soonest first. Locks nothing. */
export async function findSpendable(tx: Tx, holderId: HolderId, brandId: Id<'brand'>): Promise<Id<'card'>[]> {
  const now = tx.clock.now()
  const rows = await sql<{ id: Id<'card'> }>(
    tx.em,
    `select id from card where holder_id = ? and brand_id = ? and state = 'active' and balance_fen > held_fen
        and locked_until_ms <= ? and (expires_at_ms is null or expires_at_ms > ?)
      order by case when expires_at_ms is null then 1 else 0 end, expires_at_ms, id limit ?`,
    [holderId, brandId, now, now, MOST_OF_HOLDER],
  )
  return rows.map(({ id }) => id)
}

const cardOf = (row: Record<string, unknown>): LockedCard => ({
  id: row['id'] as Id<'card'>,
  brandId: row['brand_id'] as Id<'brand'>,
  holderId: String(row['holder_id']),
  number: String(row['number']),
  state: row['state'] as CardState,
  version: Number(row['version']),
  balanceFen: fen(Number(row['balance_fen'])),
  heldFen: fen(Number(row['held_fen'])),
  lockedUntilMs: Number(row['locked_until_ms']),
  expiresAtMs: row['expires_at_ms'] === null ? null : Number(row['expires_at_ms']),
  activities: Number(row['activities']),
  spentDay: Number(row['spent_day']),
  spentDayFen: fen(Number(row['spent_day_fen'])),
  spentDayTimes: Number(row['spent_day_times']),
  handSinceMs: Number(row['hand_since_ms']),
})
