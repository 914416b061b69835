import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { moveConnection } from './move-connection.ts'
import { WecomConnection } from './tables.ts'

export interface Cancelled {
  readonly suiteId: string
  readonly corpId: string
  /** When the company withdrew, by WeCom's clock in whole seconds. Null: WeCom itself just said that it did. */
  readonly atMs: number | null
}

/**
 * Ends a connection whose company withdrew its authorisation (protocols wecom, 8.4): from this transaction on nothing is
 * sent, and the erasure that the law asks for is enqueued. A cancellation older than the credential that stands here is
 * of an earlier install and changes nothing. True when the connection ended by this call.
 */
export async function cancelConnection(tx: Tx, cancelled: Cancelled): Promise<boolean> {
  const { suiteId, corpId, atMs } = cancelled
  const row = await tx.em.findOne(WecomConnection, { corpId, suiteId }, { disableIdentityMap: true })
  if (!row || row.state === 'cancelled') return false
  const sinceMs = Math.floor((row.authorisedAtMs ?? 0) / 1000) * 1000
  if (atMs !== null && atMs < sinceMs) return false
  const { companyId, state: from } = row
  const now = tx.clock.now()
  const ended = await moveConnection(tx, { companyId, from, to: 'cancelled', set: { cancelled_at_ms: now } })
  if (!ended) return false
  // Not the key of an erasure for changed ids, which may be done with by now.
  await enqueue(tx, [
    { kind: 'company.forget', key: `company.forget:${companyId}:withdrawn:${now}`, args: { companyId } },
  ])
  return true
}
