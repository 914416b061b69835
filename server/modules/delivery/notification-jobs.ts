import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import type { AnswerCode } from './approval-card.ts'
import { readSubject } from './approval-subject.ts'
import type { NotificationRow } from './tables.ts'

/** The job that sends what this notification carries. */
export const sendNotificationJob = (id: Id<'notification'>) =>
  ({ kind: 'notification.send', key: `notification.send:${id}`, args: { notificationId: id } }) as const

/** The job that changes one card; each time it is asked for it is one more, for each has a code of its own. */
export const updateJob = (tx: Tx, id: Id<'notification'>, code: AnswerCode) =>
  ({ kind: 'approval.update', key: `approval.update:${tx.newId('job')}`, args: { notificationId: id, code } }) as const

/** The job that ends cards which were on their way while the campaign was decided. */
export function closeJob(row: Pick<NotificationRow, 'id' | 'subject'>) {
  const campaignId = readSubject(row.subject)?.campaignId ?? ''
  return { kind: 'approval.close', key: `approval.close:${row.id}`, args: { campaignId } } as const
}
