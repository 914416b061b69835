import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { contactLimits } from './rules.ts'

/** Rows that one transaction may delete. */
const BATCH = 1_000

/**
 * Job `sms-codes.forget`: forgets codes, and counts of guesses at claim pages and at card numbers, that are a day old. Returns how many rows; call again until
 * there are none.
 */
export async function forgetSmsCodes(tx: Tx): Promise<number> {
  const before = tx.clock.now() - contactLimits.codesKeptMs
  const codes = await sql<{ id: string }>(tx.em, `select id from sms_code where created_at_ms < ? limit ${BATCH}`, [
    before,
  ])
  const counts = await sql<{ name: string; at: unknown }>(
    tx.em,
    `select name, window_at_ms as at from shared_count where (name like 'claim.%' or name like 'bind.%')
      and window_at_ms < ? limit ${BATCH}`,
    [before],
  )
  if (codes.length > 0)
    await change(
      tx.em,
      `delete from sms_code where id in (${codes.map(() => '?').join(',')})`,
      codes.map(({ id }) => id),
    )
  for (const { name, at } of counts)
    await change(tx.em, 'delete from shared_count where name = ? and window_at_ms = ?', [name, at])
  return codes.length + counts.length
}
