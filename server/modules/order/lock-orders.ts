import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { OrderState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { dialectOf, sql } from '../../kernel/sql.ts'

/** An order as it stands while this transaction holds it. */
export interface LockedOrder {
  readonly id: Id<'order'>
  readonly companyId: Id<'company'> | null
  /** Who buys in the storefront; null for an order of a company. */
  readonly buyerId: Id<'buyer'> | null
  readonly state: OrderState
  readonly totalFen: Fen
  readonly securedFen: Fen
  readonly itemCount: number
}

/**
 * Holds orders until the end of the transaction, in the order of their ids, so that two transactions never wait for
 * each other, and reads them as they stand then. SQLite's writer holds the whole database from its beginning, so it
 * only reads. An id that names no order is left out.
 */
export async function lockOrders(tx: Tx, orderIds: readonly Id<'order'>[]): Promise<Map<Id<'order'>, LockedOrder>> {
  const ids = [...new Set(orderIds)].sort()
  if (ids.length === 0) return new Map()
  const [index, hold] = dialectOf(tx.em) === 'mysql' ? ['force index (primary)', 'for update'] : ['', '']
  const rows = await sql<{
    id: Id<'order'>
    company_id: Id<'company'> | null
    buyer_id: Id<'buyer'> | null
    state: OrderState
    total_fen: unknown
    secured_fen: unknown
    item_count: unknown
  }>(
    tx.em,
    `select id, company_id, buyer_id, state, total_fen, secured_fen, item_count from orders ${index} where id in (${ids.map(() => '?').join(',')}) order by id ${hold}`,
    ids,
  )
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        companyId: row.company_id,
        buyerId: row.buyer_id,
        state: row.state,
        totalFen: fen(Number(row.total_fen)),
        securedFen: fen(Number(row.secured_fen)),
        itemCount: Number(row.item_count),
      },
    ]),
  )
}
