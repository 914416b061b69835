import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { moveConnection } from './move-connection.ts'

/** Notes that WeCom takes a company's credential again: sending goes on. Returns whether it was broken until now. */
export async function mendConnection(tx: Tx, companyId: Id<'company'>): Promise<boolean> {
  return moveConnection(tx, { companyId, from: 'broken', to: 'active', set: { broken_code: null } })
}
