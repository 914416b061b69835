import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { Id } from '../../../contract/ids.ts'
import { notificationMoves, type NotificationState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'

export interface NotificationStep {
  /** Where the trail row goes: the notification that carries the others. */
  readonly carrierId: Id<'notification'>
  readonly ids: readonly Id<'notification'>[]
  readonly from: NotificationState
  readonly to: NotificationState
  readonly reason?: DeliveryReason
  readonly sentAtMs?: number
}

/**
 * kernel/move for up to 1,000 notifications of one call: one guarded update and one trail row. Passes over those that are
 * not in `from` any more and returns how many it moved. Throws when the table of moves does not know the step.
 */
export async function moveNotifications(tx: Tx, step: NotificationStep): Promise<number> {
  if (!notificationMoves[step.from].includes(step.to))
    throw new Error(`notification: no move ${step.from} -> ${step.to}`)
  if (step.ids.length === 0) return 0
  const sent = step.sentAtMs === undefined ? [] : [step.sentAtMs]
  const changed = await change(
    tx.em,
    `update notification set version = version + 1, state = ?, reason = ? ${sent.length > 0 ? ', sent_at_ms = ?' : ''}
      where state = ? and id in (${step.ids.map(() => '?').join(',')})`,
    [step.to, step.reason ?? null, ...sent, step.from, ...step.ids],
  )
  if (changed > 0)
    await trail(tx, {
      objectId: step.carrierId,
      act: `notification.${step.to}`,
      fromState: step.from,
      toState: step.to,
      note: step.reason === undefined ? `${changed}` : `${changed} ${step.reason}`,
    })
  return changed
}
