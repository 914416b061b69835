import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/** Rows that one transaction may delete. */
const BATCH = 1_000
/** A state is refused by its own age after 10 minutes; its row is kept a while longer for clocks that differ. */
const KEPT_MS = 3_600_000

/** Forgets states of sign-ins that are long over. Returns how many; call again while it is a whole thousand. */
export async function forgetSignIns(tx: Tx): Promise<number> {
  const rows = await sql<{ once_key: string }>(
    tx.em,
    `select once_key from once_key where scope = 'sign-in' and at_ms < ? limit ${BATCH}`,
    [tx.clock.now() - KEPT_MS],
  )
  if (rows.length === 0) return 0
  const slots = rows.map(() => '?').join(',')
  const keys = rows.map((row) => row.once_key)
  return change(tx.em, `delete from once_key where scope = 'sign-in' and once_key in (${slots})`, keys)
}
