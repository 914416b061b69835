import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/**
 * Holds a person until the end of the transaction and says whether they are with the company: what follows somebody's
 * leaving and what follows their return stand in line. Null when there is nobody.
 */
export async function holdPerson(tx: Tx, personId: Id<'person'>): Promise<'active' | 'left' | null> {
  // A write that changes nothing takes the lock on either database.
  await change(tx.em, 'update person set changed_at_ms = changed_at_ms where id = ?', [personId])
  const [row] = await sql<{ state: 'active' | 'left' }>(tx.em, 'select state from person where id = ?', [personId])
  return row?.state ?? null
}
