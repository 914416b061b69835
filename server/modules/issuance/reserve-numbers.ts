import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, dialectOf, sql } from '../../kernel/sql.ts'

/**
 * Hands out `count` counters of a brand's number series for ever: the caller runs it in a short transaction of its own,
 * before the one that issues. A block that is not used leaves a gap, never a repeat. Returns the first counter.
 * One statement makes or moves the row: an insert that passes over the row, then an update, is a deadlock of two callers.
 */
export async function reserveNumbers(tx: Tx, brandId: Id<'brand'>, keyEpoch: number, count: number): Promise<number> {
  const name = `card-number:${brandId}:${keyEpoch}`
  const taken = dialectOf(tx.em) === 'mysql' ? 'on duplicate key update' : 'on conflict (name) do update set'
  await change(tx.em, `insert into counter (name, next) values (?, ?) ${taken} next = counter.next + ?`, [
    name,
    count,
    count,
  ])
  const [row] = await sql<{ next: number }>(tx.em, 'select next from counter where name = ?', [name])
  return Number(row?.next) - count
}
