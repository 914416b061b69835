import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'

/**
 * Hands out `count` counters of a brand's number series for ever: the caller runs it in a short transaction of its own,
 * before the one that issues. A block that is not used leaves a gap, never a repeat. Returns the first counter.
 */
export async function reserveNumbers(tx: Tx, brandId: Id<'brand'>, keyEpoch: number, count: number): Promise<number> {
  const name = `card-number:${brandId}:${keyEpoch}`
  await insertIgnore(tx.em, 'counter', [{ name, next: 0 }])
  await change(tx.em, 'update counter set next = next + ? where name = ?', [count, name])
  const [row] = await sql<{ next: number }>(tx.em, 'select next from counter where name = ?', [name])
  return Number(row?.next) - count
}
