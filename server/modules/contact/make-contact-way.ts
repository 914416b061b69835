import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { TOKEN_BYTES, tokenOf } from './rules.ts'
import { sealServing } from './seal-contact.ts'
import { ContactWay } from './tables.ts'

export interface ContactWayWish {
  readonly campaignId: Id<'campaign'>
  /** Where it hangs; once a campaign. */
  readonly site: string
  /** Whether scanning it adds a member of the company as a contact; without, it opens the claim page at once. */
  readonly adds: boolean
  /** Who serves it: userids as WeCom writes them, 1 to 100 where it adds. */
  readonly userIds: readonly string[]
}

const MOST_MEMBERS = 100

/**
 * Makes the QR code of a campaign at a site. One that adds a contact is asked of WeCom by a job; until then, and whatever
 * WeCom says, its own claim page is open. Refuses with `state_conflict` for a campaign that was not approved,
 * `contact_members_missing`, and `contact_site_taken`.
 */
export async function makeContactWay(tx: Tx, wish: ContactWayWish): Promise<Id<'contactWay'>> {
  const companyId = companyOf(tx.actor)
  const campaign = await findOwnCampaign(tx, wish.campaignId)
  if (!['approved', 'running', 'finished'].includes(campaign.state)) refuse('state_conflict')
  const userIds = wish.adds ? [...new Set(wish.userIds)] : []
  if (wish.adds && (userIds.length === 0 || userIds.length > MOST_MEMBERS)) refuse('contact_members_missing')
  const taken = await sql(tx.em, 'select 1 from contact_way where campaign_id = ? and site = ?', [
    campaign.id,
    wish.site,
  ])
  if (taken.length > 0) refuse('contact_site_taken', { field: 'site' })
  const id = tx.newId('contactWay')
  await tx.em.insert(ContactWay, {
    id,
    companyId,
    campaignId: campaign.id,
    state: wish.adds ? 'planned' : 'active',
    version: 1,
    site: wish.site,
    token: tokenOf(tx.random(TOKEN_BYTES)),
    adds: wish.adds,
    membersSealed: userIds.length === 0 ? null : sealServing(tx.house, id, userIds),
    createdBy: memberOf(tx.actor),
    createdAtMs: tx.clock.now(),
  })
  await trail(tx, { objectId: id, act: 'contact_way.made', toState: wish.adds ? 'planned' : 'active' })
  if (wish.adds)
    await enqueue(tx, [{ kind: 'contact-way.make', key: `contact-way.make:${id}:1`, args: { contactWayId: id } }])
  return id
}
