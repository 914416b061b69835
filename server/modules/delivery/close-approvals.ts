import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { isAsked, subjectOf } from './approval-subject.ts'
import { moveNotifications } from './move-notifications.ts'
import { updateJob } from './notification-jobs.ts'
import type { NotificationRow } from './tables.ts'

/**
 * Job `approval.close`: ends the cards of a campaign that ask for nothing any more, wherever it was decided: those that
 * were sent are changed, those that were not are not sent.
 */
export async function closeApprovals(edge: Edge, campaignId: Id<'campaign'>): Promise<void> {
  await edge.tx(async (tx) => {
    const campaign = await readCampaign(tx, campaignId)
    if (!campaign) return
    const asked = (await isAsked(tx, subjectOf(campaign))) ? subjectOf(campaign) : null
    for (const { id, state, subject } of await readCards(tx, campaign.companyId, campaignId)) {
      if (subject === asked) continue
      if (state === 'planned') await moveNotifications(tx, { carrierId: id, ids: [id], from: state, to: 'cancelled' })
      if (state === 'sent' || state === 'answered') await enqueue(tx, [updateJob(tx, id, 'decided')])
    }
  })
}

/** A card of one submission, or of all. */
export async function readCards(tx: Tx, companyId: Id<'company'>, campaignId: Id<'campaign'>) {
  // As a range: the underscore of an id is a wildcard of `like`.
  return sql<Pick<NotificationRow, 'id' | 'state' | 'subject'>>(
    tx.em,
    'select id, state, subject from notification where company_id = ? and subject > ? and subject < ? order by id',
    [companyId, `approval:${campaignId}:`, `approval:${campaignId};`],
  )
}
