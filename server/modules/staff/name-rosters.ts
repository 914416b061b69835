import type { Id } from '../../../contract/ids.ts'
import type { RosterState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { Roster } from './tables.ts'

/** A list of the actor's company with its name opened; another company's, and one that does not exist, are 404. */
export async function nameOwnRoster(
  tx: Tx,
  id: Id<'roster'>,
): Promise<{ readonly id: Id<'roster'>; readonly name: string; readonly state: RosterState }> {
  const row = await findOwn(tx, Roster, id)
  const place = { table: 'roster', column: 'name_sealed', rowId: row.id }
  return { id: row.id, name: tx.house.seal.open(place, row.nameSealed), state: row.state }
}
