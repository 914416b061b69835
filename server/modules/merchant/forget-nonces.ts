import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/** Rows that one transaction may delete. */
const BATCH = 1_000

/** Forgets nonces whose time stamp would be refused by now. Returns how many; call again until it is none. */
export async function forgetNonces(tx: Tx): Promise<number> {
  const rows = await sql<{ terminalId: string; nonce: string }>(
    tx.em,
    `select terminal_id as terminalId, nonce from terminal_nonce where ends_at_ms < ? order by ends_at_ms limit ${BATCH}`,
    [tx.clock.now()],
  )
  const byTerminal = Map.groupBy(rows, (row) => row.terminalId)
  let forgotten = 0
  for (const [terminalId, used] of [...byTerminal].sort(([a], [b]) => (a < b ? -1 : 1)))
    forgotten += await change(
      tx.em,
      `delete from terminal_nonce where terminal_id = ? and nonce in (${used.map(() => '?').join(',')})`,
      [terminalId, ...used.map((row) => row.nonce)],
    )
  return forgotten
}
