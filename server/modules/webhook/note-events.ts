import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertIgnore } from '../../kernel/sql.ts'
import { readActiveWebhooks } from '../merchant/read-webhooks.ts'
import { readHappened, type Happened } from '../redemption/read-happened.ts'

export interface ToNote {
  readonly movementIds: readonly Id<'redemptionMovement'>[]
  readonly redemptionIds: readonly Id<'redemption'>[]
}

/**
 * Writes down what happened at tills for each address that its merchant wants to be told at, byte for byte as it will be
 * sent, and sets it on its way. What was noted before stays as it was.
 */
export async function noteEvents(tx: Tx, what: ToNote): Promise<void> {
  const happened = await readHappened(tx, what)
  const webhooks = await readActiveWebhooks(
    tx,
    happened.map((one) => one.merchantId),
  )
  const now = tx.clock.now()
  const rows = happened.flatMap((one) =>
    webhooks
      .filter(({ merchantId }) => merchantId === one.merchantId)
      .map(({ id: endpointId }) => {
        const id = tx.newId('webhookDelivery')
        return {
          id,
          merchant_id: one.merchantId,
          endpoint_id: endpointId,
          event: one.event,
          subject_id: one.subjectId,
          body: bodyOf(id, one),
          state: 'waiting',
          version: 1,
          attempts: 0,
          created_at_ms: now,
          since_ms: now,
          next_at_ms: now,
        }
      }),
  )
  await insertIgnore(tx.em, 'webhook_delivery', rows)
  const first = new Map(rows.toReversed().map((row) => [row.endpoint_id, row.id]))
  await enqueue(
    tx,
    [...first].map(([endpointId, id]) => ({
      kind: 'webhook.deliver',
      key: `webhook.deliver:${id}`,
      args: { endpointId },
      lane: 'webhook',
    })),
  )
}

/** JSON of ids, codes and amounts; `id` is the event's own, the same for every repeat. */
function bodyOf(id: Id<'webhookDelivery'>, one: Happened): string {
  return JSON.stringify({
    id,
    event: one.event,
    atMs: one.atMs,
    shopId: one.shopId,
    tillId: one.tillId,
    authorisationId: one.redemptionId,
    ref: one.ref,
    movementId: one.movementId,
    amountFen: one.amountFen,
  })
}
