import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { breakConnection } from '../company/break-connection.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { finishDelivered } from './finish-delivered.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { RECALL_MS } from './recall-campaign.ts'
import { DeliveryBatch, type DeliveryBatchRow } from './tables.ts'

type RecallEnd = 'done' | 'too_late' | 'refused'
/** The code for a message older than 24 hours. */
const TOO_LATE = '42052'

/**
 * Job `batch.recall`: takes the message of one call back and moves those who had not opened it to `revoked`. A call whose
 * answer got lost is made again; a refusal then says that the first one went through.
 */
export async function recallBatch(edge: Edge, batchId: Id<'deliveryBatch'>): Promise<void> {
  const begun = await edge.tx((tx) => begin(tx, batchId))
  if (begun === null) return
  const { batch, doubtful, app, messageId } = begun
  const end = app === null ? 'refused' : await recall(edge, { app, messageId, doubtful }, batch.companyId)
  await edge.tx((tx) => record(tx, batch, end))
  await finishDelivered(edge, batch.campaignId)
}

/** Writes that WeCom is about to be asked. Null when there is nothing to ask. */
async function begin(tx: Tx, batchId: Id<'deliveryBatch'>) {
  const batch = await tx.em.findOne(DeliveryBatch, { id: batchId }, { disableIdentityMap: true })
  if (!batch || (batch.recallState !== 'asked' && batch.recallState !== 'calling')) return null
  const messageId = batch.messageId ?? null
  if (batch.state !== 'sent' || messageId === null) return null
  if ((batch.firstCallAtMs ?? 0) <= tx.clock.now() - RECALL_MS && batch.recallState === 'asked') {
    await record(tx, batch, 'too_late')
    return null
  }
  await change(tx.em, "update delivery_batch set recall_state = 'calling' where id = ? and recall_state = 'asked'", [
    batchId,
  ])
  const app = await readWecomApp(tx, batch.companyId)
  return { batch, messageId, doubtful: batch.recallState === 'calling', app }
}

interface Ask {
  readonly app: NonNullable<Awaited<ReturnType<typeof readWecomApp>>>
  readonly messageId: string
  readonly doubtful: boolean
}

/** Throws OutsideError where asking again helps: the job comes back. */
async function recall(edge: Edge, ask: Ask, companyId: Id<'company'>): Promise<RecallEnd> {
  try {
    await edge.ports.wecom.recall(ask.app, ask.messageId)
    return 'done'
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ outcome: error.outcome, code: error.code }, 'a message was not recalled')
    if (error.outcome === 'unknown' || error.outcome === 'busy') throw error
    if (error.outcome === 'broken') await edge.tx((tx) => breakConnection(tx, companyId, error.code))
    if (error.code === TOO_LATE) return 'too_late'
    return ask.doubtful && error.outcome === 'refused' ? 'done' : 'refused'
  }
}

async function record(tx: Tx, batch: DeliveryBatchRow, end: RecallEnd): Promise<void> {
  const now = tx.clock.now()
  const ended = await change(
    tx.em,
    "update delivery_batch set recall_state = ?, recalled_at_ms = ? where id = ? and recall_state in ('asked', 'calling')",
    [end, end === 'done' ? now : null, batch.id],
  )
  if (ended !== 1 || end !== 'done') return
  const rows = await sql<{ id: Id<'delivery'> }>(
    tx.em,
    "select id from delivery where batch_id = ? and state = 'sent' order by id",
    [batch.id],
  )
  const ids = rows.map(({ id }) => id)
  const step = { objectId: batch.id, ofBatch: batch.id, from: 'sent', to: 'revoked' } as const
  await moveDeliveries(tx, { ...step, ids, reason: 'recalled' })
}
