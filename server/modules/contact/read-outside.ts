import type { Lang } from '../../../contract/error-codes.ts'
import type { ContactWayView, MassSendView, OutsideView } from '../../../contract/hr/contact.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { contactCodeSentence } from './contact-codes.ts'
import { claimUrlOf } from './greet-contact.ts'
import { targetsQuery } from './make-mass-send.ts'
import { visitsName } from './read-door.ts'
import { openServing } from './seal-contact.ts'
import { ContactWay, MassSend } from './tables.ts'

/** QR codes and mass sendings shown at once. */
const MOST = 200

/** A campaign's people without a company account: how many, by which ways they are reached, and what came of each. */
export async function readOutside(tx: Tx, campaignId: Id<'campaign'>, lang: Lang): Promise<OutsideView> {
  const campaign = await findOwnCampaign(tx, campaignId)
  const company = (await readCompany(tx, companyOf(tx.actor))) ?? refuse('not_found')
  const [heads] = await sql<Record<'unreached' | 'withoutPhone', unknown>>(
    tx.em,
    `select count(*) as unreached, sum(case when person.phone_index is null then 1 else 0 end) as withoutPhone
      from delivery join person on person.id = delivery.person_id
      where delivery.campaign_id = ? and delivery.state = 'failed'`,
    [campaign.id],
  )
  const [contacts] = await sql<{ count: unknown }>(
    tx.em,
    `select count(*) as count from external_contact contact join contact_way way on way.id = contact.contact_way_id
      where way.campaign_id = ? and contact.state in ('added', 'half')`,
    [campaign.id],
  )
  return {
    title: campaign.title,
    companyName: company.name,
    claimed: await count(tx, 'select count(*) as count from claim where campaign_id = ?', campaign.id),
    unreached: readSum(heads?.unreached),
    withoutPhone: readSum(heads?.withoutPhone),
    ways: await readWays(tx, campaign.id, lang),
    massSends: await readMassSends(tx, campaign.id, lang),
    contacts: readSum(contacts?.count),
    toRemind: await count(tx, `select count(*) as count from (${targetsQuery}) as targets`, campaign.id),
    connected: (await readWecomApp(tx, company.id)) !== null,
  }
}

async function count(tx: Tx, query: string, campaignId: Id<'campaign'>): Promise<number> {
  const [row] = await sql<{ count: unknown }>(tx.em, query, [campaignId])
  return readSum(row?.count)
}

async function readWays(tx: Tx, campaignId: Id<'campaign'>, lang: Lang): Promise<ContactWayView[]> {
  const where = { campaignId, state: { $ne: 'removed' as const } }
  const ways = await tx.em.find(ContactWay, where, { orderBy: { id: 'asc' }, limit: MOST, disableIdentityMap: true })
  if (ways.length === 0) return []
  const visits = await countsBy(
    tx,
    'select name as id, sum(count) as count from shared_count where name in (SLOTS) group by name',
    ways.map(({ id }) => visitsName(id)),
  )
  const ids = ways.map(({ id }) => id)
  const contacts = await countsBy(
    tx,
    "select contact_way_id as id, count(*) as count from external_contact where contact_way_id in (SLOTS) and state in ('added', 'half') group by contact_way_id",
    ids,
  )
  const claims = await countsBy(
    tx,
    'select contact_way_id as id, count(*) as count from claim where contact_way_id in (SLOTS) group by contact_way_id',
    ids,
  )
  return ways.map((way) => {
    const code = way.state === 'failed' ? (way.code ?? null) : null
    return {
      id: way.id,
      site: way.site,
      state: way.state,
      adds: way.adds,
      members: openServing(tx.house, way),
      claimUrl: claimUrlOf(tx.house.publicUrl, way.token),
      hasQr: way.state === 'active' && Boolean(way.qrUrl),
      code,
      codeText: code === null ? null : contactCodeSentence(code, lang),
      visits: visits.get(visitsName(way.id)) ?? 0,
      contacts: contacts.get(way.id) ?? 0,
      claims: claims.get(way.id) ?? 0,
      createdAtMs: way.createdAtMs,
    }
  })
}

async function countsBy(tx: Tx, query: string, ids: readonly string[]): Promise<Map<string, number>> {
  const text = query.replace('SLOTS', ids.map(() => '?').join(','))
  const rows = await sql<{ id: string; count: unknown }>(tx.em, text, ids)
  return new Map(rows.map((row) => [row.id, readSum(row.count)]))
}

async function readMassSends(tx: Tx, campaignId: Id<'campaign'>, lang: Lang): Promise<MassSendView[]> {
  const rows = await tx.em.find(
    MassSend,
    { campaignId },
    { orderBy: { id: 'desc' }, limit: MOST, exclude: ['bodySealed'], disableIdentityMap: true },
  )
  return rows.map((row) => {
    const code = row.state === 'failed' ? (row.code ?? null) : null
    const { id, state, targets, sent, notFriends, overQuota, waiting, createdAtMs, askedAtMs = null } = row
    const counts = { targets, sent, notFriends, overQuota, waiting }
    const codeText = code === null ? null : contactCodeSentence(code, lang)
    return { id, state, ...counts, code, codeText, createdAtMs, askedAtMs }
  })
}
