import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { addJoiner, holdChange, settleChange } from '../staff/settle-change.ts'
import { createCampaign } from './create-campaign.ts'
import { contentOf } from './plan-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'

/**
 * Makes a draft with the words and the card of a campaign for people who joined after it: they become people of the staff
 * and are its recipients. It goes the way of every campaign (dry run, submission, approval, order). Where the campaign's
 * amounts came from a list, the draft has none yet. Refuses with `not_found` for another company's campaign or difference,
 * and `state_conflict` when one of them is no joiner or was settled by somebody else.
 */
export async function topUpCampaign(
  tx: Tx,
  wish: { readonly id: Id<'campaign'>; readonly changeIds: readonly Id<'directoryChange'>[] },
): Promise<{ readonly id: Id<'campaign'>; readonly heads: number }> {
  const campaign = await findOwnCampaign(tx, wish.id)
  const personIds = new Set<Id<'person'>>()
  for (const changeId of new Set(wish.changeIds)) {
    const joined = await holdChange(tx, changeId)
    if (joined.kind !== 'joined' || !joined.open) refuse('state_conflict')
    const personId = await addJoiner(tx, joined)
    if (!(await settleChange(tx, { id: changeId, personId }, 'done'))) refuse('state_conflict')
    personIds.add(personId)
  }
  const content = contentOf(campaign)
  const id = await createCampaign(tx, {
    ...content,
    rosterId: null,
    selection: { kind: 'people', personIds: [...personIds] },
    amountFrom: 'same',
    faceFen: content.amountFrom === 'same' ? content.faceFen : null,
    sendAtMs: null,
  })
  await change(tx.em, 'update campaign set tops_up = ? where id = ?', [campaign.topsUp ?? campaign.id, id])
  await trail(tx, { objectId: campaign.id, act: 'campaign.topped_up', note: `${personIds.size}` })
  return { id, heads: personIds.size }
}
