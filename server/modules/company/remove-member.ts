import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'

/**
 * Takes away a member's access to the console, at once: every request reads the row. The row stays, because trail and
 * approvals name it. Returns false when this company has no such active member.
 */
export async function removeMember(tx: Tx, companyId: Id<'company'>, memberId: Id<'member'>): Promise<boolean> {
  const removed = await change(
    tx.em,
    "update member set state = 'removed' where id = ? and company_id = ? and state = 'active'",
    [memberId, companyId],
  )
  if (removed !== 1) return false
  await trail(tx, { objectId: memberId, act: 'member.removed', fromState: 'active', toState: 'removed' })
  return true
}
