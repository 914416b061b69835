import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** Somebody who holds money on cards of a company that end at one instant. */
export interface Expiring {
  readonly holderId: Id<'person'>
  readonly expiresAtMs: number
}

/** Companies whose people hold usable cards with a balance that end after `fromMs` and no later than `toMs`. */
export async function findExpiringCompanies(tx: Tx, fromMs: number, toMs: number): Promise<Id<'company'>[]> {
  const rows = await sql<{ id: Id<'company'> }>(
    tx.em,
    `select distinct company_id as id from card
      where expires_at_ms > ? and expires_at_ms <= ? and state = 'active' and balance_fen > 0 and company_id is not null`,
    [fromMs, toMs],
  )
  return rows.map(({ id }) => id)
}

/** Who of a company holds such cards, once for each instant, in the order of holders after `afterId`. */
export async function readExpiring(
  tx: Tx,
  companyId: Id<'company'>,
  between: { readonly fromMs: number; readonly toMs: number; readonly afterId: string; readonly limit: number },
): Promise<Expiring[]> {
  const rows = await sql<{ holderId: Id<'person'>; expiresAtMs: unknown }>(
    tx.em,
    `select holder_id as holderId, min(expires_at_ms) as expiresAtMs from card
      where expires_at_ms > ? and expires_at_ms <= ? and state = 'active' and balance_fen > 0 and company_id = ?
        and holder_id > ?
      group by holder_id order by holder_id limit ?`,
    [between.fromMs, between.toMs, companyId, between.afterId, between.limit],
  )
  return rows.map((row) => ({ holderId: row.holderId, expiresAtMs: readSum(row.expiresAtMs) }))
}
