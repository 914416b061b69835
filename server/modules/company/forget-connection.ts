import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { secretPlace } from './connect-wecom.ts'
import { trail } from '../../kernel/trail.ts'

/**
 * Forgets the credentials of a connection that the company has withdrawn, and what WeCom told of its app. The corp id
 * stays, so that a second install finds the company again; a connection that works again by now is left as it is.
 */
export async function forgetConnection(tx: Tx, companyId: Id<'company'>): Promise<void> {
  const { seal } = tx.house
  const forgotten = await change(
    tx.em,
    `update wecom_connection set secret_sealed = ?, contact_secret_sealed = null, callback_sealed = null, scope = null,
        checks = null, changed_at_ms = ? where company_id = ? and state = 'cancelled'`,
    [seal.seal(secretPlace(companyId), ''), tx.clock.now(), companyId],
  )
  if (forgotten === 0) return
  await trail(tx, { objectId: companyId, act: 'company.wecom_forgotten' })
}
