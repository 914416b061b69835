import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { OrderState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { Order } from './tables.ts'

/** An order as it stands while this transaction holds it. */
export interface LockedOrder {
  readonly id: Id<'order'>
  readonly companyId: Id<'company'> | null
  readonly state: OrderState
  readonly totalFen: Fen
  readonly securedFen: Fen
}

/**
 * Holds orders until the end of the transaction, in the order of their ids, so that two transactions never wait for
 * each other, and reads them afterwards. A write takes the lock: SQLite drops `for update` without a word.
 * An id that names no order is left out.
 */
export async function lockOrders(tx: Tx, orderIds: readonly Id<'order'>[]): Promise<Map<Id<'order'>, LockedOrder>> {
  const ids = [...new Set(orderIds)].sort()
  for (const id of ids) await change(tx.em, 'update orders set version = version + 1 where id = ?', [id])
  const rows = await tx.em.find(Order, { id: { $in: ids } }, { disableIdentityMap: true })
  return new Map(rows.map((row) => [row.id, { ...row, companyId: row.companyId ?? null }]))
}
