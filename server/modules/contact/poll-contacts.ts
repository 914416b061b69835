import type { Id } from '../../../contract/ids.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { keepContact } from './keep-contact.ts'
import { askTag, findWayByState } from './note-contact-event.ts'
import { externalIndexOf, followerIndexOf, openContact, openServing } from './seal-contact.ts'
import { ContactWay, ExternalContact } from './tables.ts'

/** Contacts asked about one by one in a night: a member with thousands of customers of other kinds ends here. */
const MOST_ASKED = 3_000

/**
 * Job `contacts.poll`: finds the contacts whose events were lost, among the customers of the members who serve a live QR
 * code, and those who left without a word. Throws OutsideError where WeCom must be asked again later.
 */
export async function pollContacts(edge: Edge, companyId: Id<'company'>): Promise<void> {
  const { app, members } = await edge.read(async (tx) => ({
    app: await readWecomApp(tx, companyId),
    members: await servingMembers(tx, companyId),
  }))
  if (app === null) return
  let asked = 0
  for (const userid of members) {
    const ids = await customersOf(edge, app, userid)
    if (ids === null) continue
    const known = await edge.read((tx) => readKnown(tx, companyId, userid))
    const there = new Set(ids.map((id) => externalIndexOf(edge.house, id)))
    for (const externalUserId of ids) {
      const row = known.get(externalIndexOf(edge.house, externalUserId))
      if (row?.state === 'added' || asked >= MOST_ASKED) continue
      asked += 1
      await askAbout(edge, app, { companyId, userid, externalUserId })
    }
    // Half a relation is not on WeCom's list, so its absence says nothing.
    for (const [index, row] of known)
      if (row.state === 'added' && !there.has(index)) await markGone(edge, companyId, row)
  }
  if (asked >= MOST_ASKED) edge.log.warn({ companyId, asked }, 'more contacts than are asked about in one night')
}

/** Job `contacts.heal`: has every company with a live QR code polled. */
export async function healContacts(edge: Edge): Promise<void> {
  const day = new Date(edge.clock.now()).toISOString().slice(0, 10)
  await edge.tx(async (tx) => {
    const rows = await sql<{ id: Id<'company'> }>(
      tx.em,
      "select distinct company_id as id from contact_way where state = 'active' and config_id is not null",
    )
    await enqueue(
      tx,
      rows.map(({ id }) => ({ kind: 'contacts.poll', key: `contacts.poll:${id}:${day}`, args: { companyId: id } })),
    )
  })
}

/** The userids of everybody who serves a live QR code of a company. */
async function servingMembers(tx: Tx, companyId: Id<'company'>): Promise<string[]> {
  const ways = await tx.em.find(ContactWay, { companyId, state: 'active', adds: true }, { disableIdentityMap: true })
  return [...new Set(ways.flatMap((way) => openServing(tx.house, way)))]
}

/** Null where WeCom would not tell: that is no sign that anybody left. */
async function customersOf(edge: Edge, app: WecomApp, userid: string): Promise<readonly string[] | null> {
  try {
    return await edge.ports.wecom.customersOf(app, userid)
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome !== 'refused') throw error
    edge.log.warn({ code: error.code }, 'the customers of a member who serves cannot be listed')
    return null
  }
}

type Known = Awaited<ReturnType<typeof readKnown>> extends Map<string, infer Row> ? Row : never

async function readKnown(tx: Tx, companyId: Id<'company'>, userid: string) {
  const where = { companyId, followerIndex: followerIndexOf(tx.house, userid) }
  const rows = await tx.em.find(ExternalContact, where, { disableIdentityMap: true })
  return new Map(rows.map((row) => [row.externalIdIndex, row]))
}

async function askAbout(
  edge: Edge,
  app: WecomApp,
  one: { readonly companyId: Id<'company'>; readonly userid: string; readonly externalUserId: string },
): Promise<void> {
  const { companyId, userid, externalUserId } = one
  const customer = await edge.ports.wecom.customer(app, externalUserId)
  const follow = customer?.followers.find((follower) => follower.userid.toLowerCase() === userid.toLowerCase())
  if (follow === undefined) return
  await edge.tx(async (tx) => {
    const contactWayId = follow.state === null ? null : await findWayByState(tx, companyId, follow.state)
    // When they were added decides, not that they are listed: whoever removed our member stays on WeCom's list.
    const atMs = follow.addedAtMs
    const news = { companyId, externalUserId, follower: userid, contactWayId, state: 'added', atMs } as const
    const kept = await keepContact(tx, news)
    if (kept !== null) await askTag(tx, kept)
  })
}

async function markGone(edge: Edge, companyId: Id<'company'>, row: Known): Promise<void> {
  const ids = openContact(edge.house, row)
  const news = { companyId, ...ids, contactWayId: null, state: 'removed', atMs: edge.clock.now() } as const
  await edge.tx((tx) => keepContact(tx, news))
}
