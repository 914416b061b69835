import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { fen } from '../../../contract/fen.ts'
import { change, insertIgnore } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'

/**
 * Sets how much a company may owe; 0 closes the line, what is owed stays. The platform decides it company by company,
 * because the law bars much credit for prepaid cards (compliance/rules.ts, `credit_purchase`). Returns false when it was
 * so before. The caller has checked that there is such a company.
 */
export async function setCreditLine(tx: Tx, companyId: Id<'company'>, limitFen: Fen): Promise<boolean> {
  const [changedBy, now] = [actorName(tx.actor), tx.clock.now()]
  const first = { company_id: companyId, limit_fen: fen(0), owed_fen: fen(0), version: 1 }
  if (limitFen > 0) await insertIgnore(tx.em, 'credit_line', [{ ...first, changed_by: changedBy, changed_at_ms: now }])
  const changed = await change(
    tx.em,
    'update credit_line set limit_fen = ?, changed_by = ?, changed_at_ms = ?, version = version + 1 where company_id = ? and limit_fen <> ?',
    [limitFen, changedBy, now, companyId, limitFen],
  )
  if (changed !== 1) return false
  await trail(tx, { objectId: companyId, act: 'credit_line.set', note: String(limitFen) })
  return true
}
