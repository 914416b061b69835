import type { Id } from '../../../contract/ids.ts'
import type { RefundPartReason } from '../../../contract/refunds.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue, type NewJob } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'

/** Job `refund.part`: brings one part of a refund forward from wherever it stands. */
export const refundJob = (tx: Tx, partId: Id<'refundPart'>, readyAtMs: number): NewJob => ({
  kind: 'refund.part',
  key: `refund.part:${partId}:${tx.newId('job')}`,
  args: { partId },
  readyAtMs,
})

/** Says why a part waits and when it is looked at next, and enqueues that look. */
export async function lookLater(
  tx: Tx,
  partId: Id<'refundPart'>,
  atMs: number,
  reason: RefundPartReason | null,
): Promise<void> {
  await change(tx.em, 'update refund_part set next_at_ms = ?, reason = ?, version = version + 1 where id = ?', [
    atMs,
    reason,
    partId,
  ])
  await enqueue(tx, [refundJob(tx, partId, atMs)])
}
