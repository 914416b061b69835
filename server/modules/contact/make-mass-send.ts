import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { claimUrlOf } from './greet-contact.ts'
import { contactLimits, cutToBytes } from './rules.ts'
import { openContact, sealMassSend } from './seal-contact.ts'
import { MassSend } from './tables.ts'

/**
 * Plans a reminder to the outside contacts of a campaign who have not claimed: the exact task, sealed, and the job that
 * hands it to WeCom. It sends nothing by itself: members confirm it in WeCom (protocols wecom 6.4). Refuses with
 * `mass_send_nobody`, and `state_conflict` where no QR code of the campaign is open any more.
 */
export async function makeMassSend(tx: Tx, campaignId: Id<'campaign'>): Promise<Id<'massSend'>> {
  const companyId = companyOf(tx.actor)
  const campaign = await findOwnCampaign(tx, campaignId)
  const company = (await readCompany(tx, companyId)) ?? refuse('not_found')
  const targets = await readTargets(tx, campaign.id)
  if (targets.length === 0) refuse('mass_send_nobody')
  const [way] = await sql<{ token: string }>(
    tx.em,
    "select token from contact_way where campaign_id = ? and state <> 'removed' order by id limit 1",
    [campaign.id],
  )
  if (way === undefined) refuse('state_conflict')
  const id = tx.newId('massSend')
  const body = bodyOf(id, {
    company: company.name,
    title: campaign.title,
    targets,
    url: claimUrlOf(tx.house.publicUrl, way.token),
  })
  await tx.em.insert(MassSend, {
    id,
    companyId,
    campaignId: campaign.id,
    state: 'planned',
    version: 1,
    bodySealed: sealMassSend(tx.house, id, body),
    targets: targets.length,
    sent: 0,
    notFriends: 0,
    overQuota: 0,
    waiting: targets.length,
    createdBy: memberOf(tx.actor),
    createdAtMs: tx.clock.now(),
  })
  await trail(tx, { objectId: id, act: 'mass_send.made', note: `${targets.length}` })
  await enqueue(tx, [{ kind: 'mass-send.create', key: `mass-send.create:${id}`, args: { massSendId: id } }])
  return id
}

/** By this a task of ours is known again among all that a company made; people read it as a number of ours. */
export const markOf = (id: Id<'massSend'>): string => `（编号 ${id.slice(-8)}）`

/** The external ids of contacts who came by the campaign's QR codes and have not claimed; each once. */
async function readTargets(tx: Tx, campaignId: Id<'campaign'>): Promise<string[]> {
  const rows = await sql<{ id: string; sealed: Uint8Array }>(tx.em, `${targetsQuery} order by contact.id limit ?`, [
    campaignId,
    contactLimits.massSendMost,
  ])
  return [...new Set(rows.map((row) => openContact(tx.house, row).externalUserId))]
}

export const targetsQuery = `select contact.id as id, contact.sealed as sealed from external_contact contact
  join contact_way way on way.id = contact.contact_way_id and way.campaign_id = ?
  where contact.state = 'added' and not exists (
    select 1 from claim where claim.campaign_id = way.campaign_id and claim.person_id = contact.person_id)`

function bodyOf(
  id: Id<'massSend'>,
  facts: {
    readonly company: string
    readonly title: string
    readonly targets: readonly string[]
    readonly url: string
  },
): string {
  const { company, title, targets, url } = facts
  return JSON.stringify({
    chat_type: 'single',
    external_userid: targets,
    text: {
      content: `${company}为您准备的「${title}」还没有领取。点开下面的卡片，用名单上的手机号收一个验证码就能领到。${markOf(id)}`,
    },
    attachments: [
      {
        msgtype: 'link',
        link: { title: cutToBytes(`领取${title}`, 128), desc: '手机号验证后即可领取，约一分钟', url },
      },
    ],
  })
}
