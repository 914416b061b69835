import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'

/** Suspends an active company: its people lose access at once. Returns false when it was not active. */
export async function suspendCompany(tx: Tx, companyId: Id<'company'>): Promise<boolean> {
  return step(tx, companyId, 'active', 'suspended')
}

/** Opens a suspended company again. Returns false when it was not suspended. */
export async function resumeCompany(tx: Tx, companyId: Id<'company'>): Promise<boolean> {
  return step(tx, companyId, 'suspended', 'active')
}

type State = 'active' | 'suspended'

async function step(tx: Tx, companyId: Id<'company'>, from: State, to: State): Promise<boolean> {
  const changed = await change(tx.em, 'update company set state = ? where id = ? and state = ?', [to, companyId, from])
  if (changed !== 1) return false
  await trail(tx, { objectId: companyId, act: `company.${to}`, fromState: from, toState: to })
  return true
}
