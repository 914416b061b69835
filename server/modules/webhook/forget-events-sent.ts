import type { Tx } from '../../kernel/context.ts'
import { idAt } from '../../kernel/new-ids.ts'
import { change, sql } from '../../kernel/sql.ts'

/** The file of a day tells the same for as long as anybody asks; an event is news. */
const KEPT_MS = 90 * 86_400_000
/** Rows that one transaction may delete. */
const BATCH = 1_000

/** Forgets events of more than ninety days ago, however they ended. Returns how many; call again until it is none. */
export async function forgetEventsSent(tx: Tx): Promise<number> {
  const before = idAt('webhookDelivery', tx.clock.now() - KEPT_MS)
  const text = `select id from webhook_delivery where id < ? order by id limit ${BATCH}`
  const rows = await sql<{ id: string }>(tx.em, text, [before])
  if (rows.length === 0) return 0
  const ids = rows.map((row) => row.id)
  return change(tx.em, `delete from webhook_delivery where id in (${ids.map(() => '?').join(',')})`, ids)
}
