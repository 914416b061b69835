import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/**
 * Which of these merchants want to be told of what happens at their tills: one read, so that nobody else pays for it. For
 * those, each movement is enqueued as `{ kind: 'webhook.note', key: 'webhook.note:<movementId>', args: { movementId } }`;
 * what ends without a movement (voided, timed_out) by its purchase: the key `webhook.note:<redemptionId>`, args
 * `{ redemptionId }`.
 */
export async function hasWebhook(tx: Tx, merchantIds: readonly Id<'merchant'>[]): Promise<ReadonlySet<Id<'merchant'>>> {
  if (merchantIds.length === 0) return new Set()
  const wanted = [...new Set(merchantIds)]
  const rows = await sql<{ merchantId: Id<'merchant'> }>(
    tx.em,
    `select distinct merchant_id as merchantId from webhook_endpoint where state = 'active' and merchant_id in (${wanted.map(() => '?').join(',')})`,
    wanted,
  )
  return new Set(rows.map((row) => row.merchantId))
}
