import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import { deliveryMoves, type DeliveryState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import type { Wait } from './send-limits.ts'

export interface DeliveryStep {
  /** Where the trail row goes: the batch, or the campaign where there is none. */
  readonly objectId: Id<'deliveryBatch'> | Id<'campaign'> | Id<'delivery'>
  readonly ids: readonly Id<'delivery'>[]
  readonly from: DeliveryState
  readonly to: DeliveryState
  /** Why it failed; without, the reason is emptied. */
  readonly reason?: DeliveryReason
  /** The batch that carries them from now on; null: none. */
  readonly batchId?: Id<'deliveryBatch'> | null
  /** Only those that this batch carries. */
  readonly ofBatch?: Id<'deliveryBatch'>
  readonly sentAtMs?: number
  readonly openedAtMs?: number
  readonly claimedAtMs?: number
  /** Planned for later by a limit of WeCom; any other step ends the waiting. */
  readonly wait?: Wait
  /** One more batch carries them, or one of them turned out to have reached nobody. */
  readonly attempts?: 1 | -1
}

/**
 * kernel/move for up to 1,000 deliveries at once: one guarded update and one trail row. Passes over those that are not
 * in `from` any more and returns how many it moved. Throws when the table of moves does not know the step.
 */
export async function moveDeliveries(tx: Tx, step: DeliveryStep): Promise<number> {
  if (!deliveryMoves[step.from].includes(step.to)) throw new Error(`delivery: no move ${step.from} -> ${step.to}`)
  if (step.ids.length === 0) return 0
  const sets: [string, unknown][] = [
    ['state = ?', step.to],
    ['reason = ?', step.reason ?? null],
    ...(step.batchId === undefined ? [] : [['batch_id = ?', step.batchId] as [string, unknown]]),
    ...(step.sentAtMs === undefined ? [] : [['sent_at_ms = ?', step.sentAtMs] as [string, unknown]]),
    ...(step.openedAtMs === undefined ? [] : [['opened_at_ms = ?', step.openedAtMs] as [string, unknown]]),
    // The first time counts: a card that was taken unopened was opened then, too.
    ...(step.claimedAtMs === undefined
      ? []
      : [
          ['claimed_at_ms = ?', step.claimedAtMs] as [string, unknown],
          ['opened_at_ms = coalesce(opened_at_ms, ?)', step.claimedAtMs] as [string, unknown],
        ]),
    ['waits_for = ?', step.wait?.waitsFor ?? null],
    ['waits_until_ms = ?', step.wait?.untilMs ?? null],
    ['attempts = attempts + ?', step.attempts ?? 0],
  ]
  const ofBatch = step.ofBatch === undefined ? [] : [step.ofBatch]
  const changed = await change(
    tx.em,
    `update delivery set version = version + 1, ${sets.map(([text]) => text).join(', ')}
      where state = ? ${ofBatch.length > 0 ? 'and batch_id = ?' : ''} and id in (${step.ids.map(() => '?').join(',')})`,
    [...sets.map(([, value]) => value), step.from, ...ofBatch, ...step.ids],
  )
  if (changed > 0)
    await trail(tx, {
      objectId: step.objectId,
      act: `delivery.${step.to}`,
      fromState: step.from,
      toState: step.to,
      note: [changed, step.reason ?? step.wait?.waitsFor ?? []].flat().join(' '),
    })
  return changed
}
