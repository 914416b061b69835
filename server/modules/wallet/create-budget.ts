import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { holdCompany } from '../company/hold-company.ts'
import { Budget } from './tables.ts'

export interface BudgetTerms {
  readonly fromMs: number
  /** The first instant after it. */
  readonly toMs: number
  readonly grantedFen: Fen
}

/**
 * Gives a department of a company a budget. Campaigns that were submitted before it hold nothing of it until they are
 * approved. Refuses with `budget_overlaps` where the department has one in that time, and `malformed_request` on a time
 * that ends before it begins.
 */
export async function createBudget(
  tx: Tx,
  wish: BudgetTerms & { readonly companyId: Id<'company'>; readonly department: string },
): Promise<Id<'budget'>> {
  const { companyId, department, fromMs, toMs, grantedFen } = wish
  await mustBeAlone(tx, { companyId, department, fromMs, toMs, except: null })
  const id = tx.newId('budget')
  await tx.em.insert(Budget, {
    id,
    companyId,
    department,
    fromMs,
    toMs,
    grantedFen,
    heldFen: fen(0),
    usedFen: fen(0),
    version: 1,
    changedBy: actorName(tx.actor),
    createdAtMs: tx.clock.now(),
  })
  await trail(tx, { objectId: id, act: 'budget.created', note: `${grantedFen} ${fromMs} ${toMs}` })
  return id
}

/** Holds the company, so that two changes at once see each other, and refuses a time that another budget covers. */
export async function mustBeAlone(
  tx: Tx,
  wish: {
    readonly companyId: Id<'company'>
    readonly department: string
    readonly fromMs: number
    readonly toMs: number
    readonly except: Id<'budget'> | null
  },
): Promise<void> {
  const { companyId, department, fromMs, toMs, except } = wish
  if (fromMs >= toMs) refuse('malformed_request', { field: 'toDay' })
  await holdCompany(tx, companyId)
  const where = { companyId, department, fromMs: { $lt: toMs }, toMs: { $gt: fromMs } }
  const others = await tx.em.find(Budget, where, { limit: 2, disableIdentityMap: true })
  if (others.some((other) => other.id !== except)) refuse('budget_overlaps', { field: 'fromDay' })
}
