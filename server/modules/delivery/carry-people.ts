import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import type { Lane } from '../../kernel/tables.ts'
import { moveDeliveries } from './move-deliveries.ts'
import { besideTheRush } from './rules.ts'
import type { Wait } from './send-limits.ts'
import type { DeliveryBatchRow } from './tables.ts'

/** People of a batch who are not sent to now. */
export interface Carried {
  readonly ids: readonly Id<'delivery'>[]
  readonly wait: Wait
}

/**
 * Plans people of a batch for the instant from which WeCom's limits let them through, with a job for each such instant.
 * They are carried by no batch until then, and nothing has reached them.
 */
export async function carryPeople(
  tx: Tx,
  batch: Pick<DeliveryBatchRow, 'id' | 'campaignId'>,
  carried: readonly Carried[],
): Promise<void> {
  const groups = new Map<string, { ids: Id<'delivery'>[]; wait: Wait }>()
  for (const { ids, wait } of carried) {
    const later = { ...wait, untilMs: besideTheRush(tx.house, wait.untilMs) }
    const key = `${later.waitsFor}:${later.untilMs}`
    const group = groups.get(key) ?? { ids: [], wait: later }
    group.ids.push(...ids)
    groups.set(key, group)
  }
  for (const { ids, wait } of groups.values()) {
    const step = { objectId: batch.id, ofBatch: batch.id, from: 'sending', to: 'planned' } as const
    const moved = await moveDeliveries(tx, { ...step, ids, wait, batchId: null, attempts: -1 })
    if (moved > 0) await enqueue(tx, [sendJob(tx, batch.campaignId, moved, wait.untilMs)])
  }
}

/** A job that sends what is planned of a campaign and due, at that instant. */
export function sendJob(tx: Tx, campaignId: Id<'campaign'>, people: number, readyAtMs: number) {
  const key = `deliveries.send:${tx.newId('job')}`
  return { kind: 'deliveries.send', key, args: { campaignId }, lane: laneFor(people), readyAtMs } as const
}

/** Thousands travel in the bulk lane; a few are never stuck behind them. */
export const laneFor = (people: number): Lane => (people >= limits.cardsPerSlice / 2 ? 'bulk' : 'small')
