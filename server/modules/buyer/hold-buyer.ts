import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'

/** Holds a buyer's row until the end of the transaction: what is counted for one buyer comes one after the other. */
export async function holdBuyer(tx: Tx, buyerId: Id<'buyer'>): Promise<void> {
  // A write that changes nothing takes the lock on either database.
  await change(tx.em, 'update buyer set created_at_ms = created_at_ms where id = ?', [buyerId])
}
