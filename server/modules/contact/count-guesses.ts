import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { contactLimits } from './rules.ts'

/** What wrong guesses are counted by: an address as a fingerprint, or a door by its id. */
export type Counted = readonly [name: string, most: number]

export const byAddress = (addressIndex: string): Counted => [
  `claim.address:${addressIndex}`,
  contactLimits.guessesOfAnAddress,
]
export const byDoor = (doorId: string): Counted => [`claim.door:${doorId}`, contactLimits.guessesAtADoor]

const windowOf = (nowMs: number): number => nowMs - (nowMs % contactLimits.guessWindowMs)

/** How often each of these was counted in the present window of guesses, or in the one given, in all processes. */
export async function readGuesses(tx: Tx, names: readonly string[], windowAtMs?: number): Promise<Map<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await sql<{ name: string; count: unknown }>(
    tx.em,
    `select name, count from shared_count where window_at_ms = ? and name in (${names.map(() => '?').join(',')})`,
    [windowAtMs ?? windowOf(tx.clock.now()), ...names],
  )
  return new Map(rows.map((row) => [row.name, readSum(row.count)]))
}

/** Counts more for each name, in the order of the names: two transactions never wait for each other. */
export async function countMore(tx: Tx, more: ReadonlyMap<string, number>, windowAtMs?: number): Promise<void> {
  const window = windowAtMs ?? windowOf(tx.clock.now())
  for (const [name, count] of [...more].sort(([one], [other]) => (one < other ? -1 : 1))) {
    await insertIgnore(tx.em, 'shared_count', [{ name, window_at_ms: window, count: 0 }])
    await change(tx.em, 'update shared_count set count = count + ? where name = ? and window_at_ms = ?', [
      count,
      name,
      window,
    ])
  }
}
