import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { ShelfRound } from './tables.ts'

/**
 * Begins the next round: writes down what every listing has sold by now, which is what lists sorted by sales go by until the one
 * after. Of two at once one does, in one row. The round before stays, for those who are turning pages; older ones go.
 */
export async function beginRound(tx: Tx): Promise<number> {
  const [newest] = await sql<{ number: unknown }>(tx.em, 'select max(number) as number from shelf_round')
  const number = Number(newest?.number ?? 0) + 1
  const sold = await sql<{ id: string; sold: unknown }>(
    tx.em,
    "select id, sold from listing where sold > 0 and state = 'on'",
  )
  const sales = Object.fromEntries(sold.map((row) => [row.id, Number(row.sold)]))
  try {
    await tx.em.insert(ShelfRound, { number, sales: JSON.stringify(sales), atMs: tx.clock.now() })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return number
    throw error
  }
  await change(tx.em, 'delete from shelf_round where number < ?', [number - 1])
  return number
}
