import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

const HOUR_MS = 3_600_000
/**
 * Keys that stand for a way in, and how long each kind is kept: past its own age a state or token is refused anyway
 * (after 10 minutes; a link for the first sign-in after 24 hours), and a while longer for clocks that differ.
 */
const KEPT: readonly { readonly scopes: string; readonly keptMs: number }[] = [
  { scopes: "'sign-in', 'wecom-install', 'wecom-install-spent'", keptMs: HOUR_MS },
  { scopes: "'first-sign-in'", keptMs: 25 * HOUR_MS },
]
/** Rows that one transaction may delete. */
const BATCH = 1_000

/** Forgets keys of sign-ins and installs that are long over. Returns how many; call again while it is a whole thousand. */
export async function forgetSignIns(tx: Tx): Promise<number> {
  let forgotten = 0
  for (const { scopes, keptMs } of KEPT) {
    const rows = await sql<{ once_key: string }>(
      tx.em,
      `select once_key from once_key where scope in (${scopes}) and at_ms < ? limit ${BATCH - forgotten}`,
      [tx.clock.now() - keptMs],
    )
    if (rows.length === 0) continue
    const slots = rows.map(() => '?').join(',')
    const keys = rows.map((row) => row.once_key)
    forgotten += await change(tx.em, `delete from once_key where scope in (${scopes}) and once_key in (${slots})`, keys)
    if (forgotten >= BATCH) break
  }
  return forgotten
}
