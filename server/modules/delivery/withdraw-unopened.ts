import type { Id } from '../../../contract/ids.ts'
import type { DeliveryState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { moveDeliveries } from './move-deliveries.ts'

/** Before these nobody has looked at the card; `revoked`: recalled, or its holder left. */
const unopened = ['planned', 'sending', 'sent', 'failed', 'revoked'] as const satisfies readonly DeliveryState[]
type Unopened = (typeof unopened)[number]

/** Somebody's message of a campaign that nobody has opened, as this transaction holds it. */
export interface UnopenedMessage {
  readonly id: Id<'delivery'>
  readonly personId: Id<'person'>
  readonly state: Unopened
}

/**
 * Holds the messages of up to 1,000 people of a campaign until the end of the transaction, and tells who has not opened
 * theirs. Whose message was not planned yet has it planned now, so that nobody else plans and sends it meanwhile.
 */
export async function holdUnopened(
  tx: Tx,
  campaign: { readonly id: Id<'campaign'>; readonly companyId: Id<'company'> },
  personIds: readonly Id<'person'>[],
): Promise<UnopenedMessage[]> {
  const ids = [...new Set(personIds)].sort()
  if (ids.length === 0) return []
  const rows = ids.map((personId) => ({
    id: tx.newId('delivery'),
    company_id: campaign.companyId,
    campaign_id: campaign.id,
    person_id: personId,
    state: 'planned',
    version: 1,
    attempts: 0,
  }))
  await insertIgnore(tx.em, 'delivery', rows)
  const some = `campaign_id = ? and person_id in (${ids.map(() => '?').join(',')})`
  await change(tx.em, `update delivery set version = version where ${some}`, [campaign.id, ...ids])
  const found = await sql<{ id: Id<'delivery'>; personId: Id<'person'>; state: DeliveryState }>(
    tx.em,
    `select id, person_id as personId, state from delivery where ${some} order by id`,
    [campaign.id, ...ids],
  )
  return found.flatMap((row) => (isUnopened(row.state) ? [{ ...row, state: row.state }] : []))
}

const isUnopened = (state: DeliveryState): state is Unopened => (unopened as readonly string[]).includes(state)

/** The cards behind these messages were taken back: nothing more is sent, and nothing sent again. */
export async function withdrawMessages(
  tx: Tx,
  campaignId: Id<'campaign'>,
  messages: readonly UnopenedMessage[],
): Promise<void> {
  const reason = 'taken_back'
  for (const from of unopened) {
    const ids = messages.filter((message) => message.state === from).map((message) => message.id)
    if (ids.length === 0) continue
    if (from !== 'revoked') await moveDeliveries(tx, { objectId: campaignId, ids, from, to: 'revoked', reason })
    else
      await change(
        tx.em,
        `update delivery set reason = ?, version = version + 1 where state = 'revoked' and id in (${ids.map(() => '?').join(',')})`,
        [reason, ...ids],
      )
  }
}
