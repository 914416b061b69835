import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readBound } from '../../kernel/sql.ts'

/** What an issuer allows one of its cards on one day; null: as much as is on it, as often as its holder likes. */
export interface DayLimits {
  readonly cardDayFen: number | null
  readonly cardDayTimes: number | null
}

/** The daily limits of brands. A brand that is not there has no line. */
export async function readDayLimits(tx: Tx, brandIds: readonly Id<'brand'>[]): Promise<Map<Id<'brand'>, DayLimits>> {
  if (brandIds.length === 0) return new Map()
  const rows = await readBound<{ id: Id<'brand'>; fen: unknown; times: unknown }>(
    tx.em,
    `select id, card_day_fen as fen, card_day_times as times from brand where id in (${brandIds.map(() => '?').join(',')})`,
    brandIds,
  )
  const numberOf = (value: unknown): number | null => (value === null ? null : Number(value))
  return new Map(rows.map((row) => [row.id, { cardDayFen: numberOf(row.fen), cardDayTimes: numberOf(row.times) }]))
}
