import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/** Rows that one transaction may delete. */
const BATCH = 500
const KEPT_MS = 30 * 24 * 3_600_000

/** Forgets callbacks that came 30 days ago, worked or not. Returns how many; call again until there is none. */
export async function forgetEvents(tx: Tx): Promise<number> {
  const rows = await sql<{ id: string }>(
    tx.em,
    `select id from wecom_event where received_at_ms < ? and state in ('received', 'done', 'unknown', 'failed')
      order by id limit ${BATCH}`,
    [tx.clock.now() - KEPT_MS],
  )
  return erase(tx, rows)
}

/** Forgets callbacks of one company, whatever their age. Returns how many; call again until there is none. */
export async function forgetEventsOf(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const rows = await sql<{ id: string }>(
    tx.em,
    `select id from wecom_event where company_id = ? order by id limit ${BATCH}`,
    [companyId],
  )
  return erase(tx, rows)
}

async function erase(tx: Tx, rows: readonly { readonly id: string }[]): Promise<number> {
  if (rows.length === 0) return 0
  const ids = rows.map((row) => row.id)
  return change(tx.em, `delete from wecom_event where id in (${ids.map(() => '?').join(',')})`, ids)
}
