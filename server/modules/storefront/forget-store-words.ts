import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

const AT_ONCE = 500

/**
 * Job `store-words.forget`: what buyers wrote on cards a year ago. What they bought stays, by ids. Returns how many it touched; call
 * again until there are none.
 */
export async function forgetStoreWords(tx: Tx): Promise<number> {
  const rows = await sql<{ id: string }>(
    tx.em,
    `select order_id as id from store_order where created_at_ms < ? and length(greeting_sealed) > 0
      order by order_id limit ${AT_ONCE}`,
    [tx.clock.now() - limits.wordsKeptMs],
  )
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  const marks = ids.map(() => '?').join(',')
  return change(tx.em, `update store_order set greeting_sealed = ? where order_id in (${marks})`, [
    Buffer.alloc(0),
    ...ids,
  ])
}
