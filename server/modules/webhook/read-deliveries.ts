import type { Id } from '../../../contract/ids.ts'
import type { WebhookDeliveries } from '../../../contract/operator/terminal.ts'
import type { WebhookState } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { WebhookDelivery } from './tables.ts'

export interface DeliveryPage {
  readonly state?: WebhookState | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

/** Events that were given up are counted so far: one press of a button sends no more again. */
const MOST_COUNTED = 1000

/** A page of a merchant's events, newest first; the first page says how many of all were given up, up to a thousand. */
export async function readDeliveries(
  tx: Tx,
  merchantId: Id<'merchant'>,
  page: DeliveryPage,
): Promise<WebhookDeliveries> {
  const rows = await tx.em.find(
    WebhookDelivery,
    {
      merchantId,
      ...(page.state === undefined ? {} : { state: page.state }),
      ...(page.cursor === undefined ? {} : { id: { $lt: page.cursor as Id<'webhookDelivery'> } }),
    },
    { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true },
  )
  const shown = rows.slice(0, page.limit)
  return {
    deliveries: shown.map((row) => ({
      id: row.id,
      endpointId: row.endpointId,
      event: row.event,
      subjectId: row.subjectId,
      state: row.state,
      attempts: row.attempts,
      lastStatus: row.lastStatus ?? null,
      lastFault: row.lastFault ?? null,
      body: row.body,
      createdAtMs: row.createdAtMs,
      nextAtMs: row.state === 'waiting' ? row.nextAtMs : null,
      deliveredAtMs: row.deliveredAtMs ?? null,
    })),
    failed: page.cursor === undefined ? await countFailed(tx, merchantId) : null,
    nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

async function countFailed(tx: Tx, merchantId: Id<'merchant'>): Promise<number> {
  const [failed] = await sql<{ count: unknown }>(
    tx.em,
    `select count(*) as count from
      (select id from webhook_delivery where merchant_id = ? and state = 'failed' limit ${MOST_COUNTED}) as some`,
    [merchantId],
  )
  return readSum(failed?.count)
}
