import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, dialectOf, sql } from '../../kernel/sql.ts'

/**
 * The next version of the shelf, for one change of what lists show. Its row is held until this transaction ends, so versions are
 * seen in their order: whoever has seen one has seen all before it.
 */
export async function nextShelfVersion(tx: Tx): Promise<number> {
  const taken = dialectOf(tx.em) === 'mysql' ? 'on duplicate key update' : 'on conflict (name) do update set'
  await change(tx.em, `insert into counter (name, next) values ('shelf', 1) ${taken} next = counter.next + 1`)
  const [row] = await sql<{ next: number }>(tx.em, "select next from counter where name = 'shelf'")
  return Number(row?.next)
}

/** Has every list read a brand's listings again, whose name is another one now. */
export async function showBrandAnew(tx: Tx, brandId: Id<'brand'>): Promise<void> {
  const shelfVersion = await nextShelfVersion(tx)
  await change(tx.em, 'update listing set shelf_version = ? where brand_id = ?', [shelfVersion, brandId])
}
