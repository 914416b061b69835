import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { ShelfRound } from './tables.ts'

/**
 * Job `shelf.round`, every ten minutes: begins the next round. Writes down what every listing has sold by now, which is what lists
 * sorted by sales go by until the one after. Of two at once one does, in one row; where nothing was sold since, the round goes
 * on. The round before stays, for those who are turning pages; older ones go.
 */
export async function beginRound(tx: Tx): Promise<number> {
  const [newest] = await sql<{ number: unknown; sales: string }>(
    tx.em,
    'select number, sales from shelf_round order by number desc limit 1',
  )
  const stands = Number(newest?.number ?? 0)
  const sold = await sql<{ id: string; sold: unknown }>(
    tx.em,
    "select id, sold from listing where sold > 0 and state = 'on' order by id",
  )
  const sales = JSON.stringify(Object.fromEntries(sold.map((row) => [row.id, Number(row.sold)])))
  if (sales === (newest?.sales ?? '{}')) return stands
  const number = stands + 1
  try {
    await tx.em.insert(ShelfRound, { number, sales, atMs: tx.clock.now() })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return number
    throw error
  }
  await change(tx.em, 'delete from shelf_round where number < ?', [number - 1])
  return number
}
