import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { CampaignList } from '../../../contract/hr/campaign.ts'
import { Home, Progress, Recipients, RosterUses } from '../../../contract/hr/delivery.ts'
import type { Id } from '../../../contract/ids.ts'
import { Companies, Jobs, Proof } from '../../../contract/operator/platform.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople, type TestCampaign } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { createOperator } from '../company/create-operator.ts'
import { deliverAgain, deliverCards } from '../delivery/deliver-cards.ts'
import { deliveryEndpoints } from '../delivery/endpoints.ts'
import { sendBatch } from '../delivery/send-batch.ts'
import { analyticsEndpoints } from './endpoints.ts'

onBothDatabases('the pages of a company and of the platform', (database) => {
  let box: WecomSandbox
  let web: Web
  let ports: Ports
  let company: TestCompany
  let campaign: TestCampaign
  beforeEach(async () => {
    box = await startWecomSandbox()
    ports = { wecom: wecomOf(box) } as Ports
    web = await startWeb(database, { endpoints: [...analyticsEndpoints, ...deliveryEndpoints], ports })
    const staff = Array.from({ length: 4 }, (_, i) => ({ userid: `Staff${i}`, name: `员工${i}` }))
    company = await aCompany(database, { sandbox: box, staff, walletFen: 12_300 })
    const people = await somePeople(database, company.id, [
      ...staff.map(({ userid, name }) => ({ userid, name, phone: `1390000000${userid.slice(-1)}` })),
      { name: '错号', userid: 'wrong-one' },
    ])
    campaign = await anIssuedCampaign(database, company, people)
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const browserOf = (session: Parameters<typeof encodeSession>[0], name: string, path: string) => {
    const browser = aBrowser(web.base)
    const value = encodeURIComponent(encodeSession(session, database.house.sessionKey))
    browser.cookies.set(name, { value, path, host: new URL(web.base).host })
    return browser
  }
  const expiresAtMs = Date.now() + 3_600_000
  const member = (of: TestCompany, role: 'hr' | 'approver' | 'finance' | 'admin') =>
    browserOf(
      { kind: 'member', ids: { companyId: of.id, memberId: of.members[role] }, expiresAtMs },
      'fulika_hr',
      '/hr',
    )
  async function deliver(): Promise<void> {
    const edge = database.edge(ports)
    for (const { id } of await database.tx((tx) => sql<{ id: Id<'orderSlice'> }>(tx.em, 'select id from order_slice')))
      await deliverCards(edge, id)
    await sendAll()
  }
  async function sendAll(): Promise<void> {
    const open = "select id from delivery_batch where state = 'planned'"
    for (const { id } of await database.tx((tx) => sql<{ id: Id<'deliveryBatch'> }>(tx.em, open)))
      await sendBatch(database.edge(ports), id)
  }
  const json = async <S extends z.ZodType>(schema: S, answer: Response) => {
    expect(answer.status).toBe(200)
    return schema.parse(await answer.json())
  }
  const problem = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]

  test('the stages of a campaign add up before, while and after its messages go out', async () => {
    const hr = member(company, 'hr')
    const path = `/hr/campaigns/${campaign.id}/progress`
    const before = await json(Progress, await hr.get(path))
    expect(before).toMatchObject({ heads: 5, totalFen: 250_000, securedFen: 250_000, issued: 5, failures: [] })
    expect(before.delivery).toMatchObject({ pending: 5, sent: 0, failed: 0, opened: 0 })
    await deliver()
    const after = await json(Progress, await hr.get(path, { 'accept-language': 'en' }))
    expect(after).toMatchObject({ state: 'finished', orderId: campaign.orderId, repeats: 0 })
    expect(after.delivery).toMatchObject({ pending: 0, sent: 4, failed: 1, opened: 0 })
    expect(after.failures).toMatchObject([{ reason: 'not_visible', retryable: true, count: 1 }])
    expect(after.failures[0]!.text).toMatch(/visible range/)
    const list = await json(CampaignList, await hr.get('/hr/campaigns'))
    expect(list).toMatchObject({ nextCursor: null, campaigns: [{ id: campaign.id, heads: 5, faceTotalFen: 250_000 }] })
    expect(list.campaigns[0]!.stages).toMatchObject({ issued: 5, delivery: after.delivery })
  })

  test('progress streams each change and ends when nobody is pending', async () => {
    const answer = await member(company, 'hr').get(`/hr/campaigns/${campaign.id}/progress/events`)
    expect(answer.headers.get('content-type')).toMatch(/event-stream/)
    const text = answer.text()
    await deliver()
    const events = (await text)
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => Progress.parse(JSON.parse(event.split('data: ')[1]!)))
    expect(events.length).toBeGreaterThanOrEqual(2)
    for (const { heads, delivery } of events)
      expect(delivery.pending + delivery.sent + delivery.failed + delivery.revoked).toBe(heads)
    expect(events.at(-1)).toMatchObject({ state: 'finished', delivery: { pending: 0, sent: 4, failed: 1 } })
  })

  test('people are listed page by page, by state and by name; one is corrected and sent again', async () => {
    await deliver()
    const hr = member(company, 'hr')
    const path = `/hr/campaigns/${campaign.id}/people`
    const first = await json(Recipients, await hr.get(`${path}?limit=3`))
    const rest = await json(Recipients, await hr.get(`${path}?limit=3&cursor=${first.nextCursor}`))
    expect([first.people.length, rest.people.length, rest.nextCursor]).toEqual([3, 2, null])
    expect([...first.people, ...rest.people].map(({ personId }) => personId)).toEqual(campaign.personIds)
    expect(first.people[0]).toMatchObject({ name: '员工0', phone: '139****0000', state: 'sent', faceFen: 50_000 })
    const [failed, ...none] = (await json(Recipients, await hr.get(`${path}?state=failed`))).people
    expect(none).toEqual([])
    expect(failed).toMatchObject({ name: '错号', reason: 'not_visible', wecomUserId: 'wrong-one' })
    const found = await json(Recipients, await hr.get(path, { 'x-search': encodeURIComponent('员工2') }))
    expect(found.people.map(({ name }) => name)).toEqual(['员工2'])
    expect((await json(Recipients, await hr.get(path, { 'x-search': 'nobody' }))).people).toEqual([])
    expect(await problem(await hr.get(`${path}?cursor=x`))).toEqual([422, 'malformed_request'])

    const correct = `/hr/deliveries/${failed!.deliveryId}/correct`
    expect(await problem(await hr.send('POST', correct, {}))).toEqual([422, 'malformed_request'])
    expect(await (await hr.send('POST', correct, { wecomUserId: 'HR' })).json()).toEqual({ queued: 1 })
    await deliverAgain(database.edge(ports), campaign.id)
    await sendAll()
    expect((await json(Recipients, await hr.get(`${path}?state=sent`))).people).toHaveLength(5)
    const resend = (key: string, body: object) =>
      hr.send('POST', `/hr/campaigns/${campaign.id}/resend`, body, { 'idempotency-key': key })
    const named = { deliveryIds: [failed!.deliveryId!] }
    expect(await problem(await resend('k1', named))).toEqual([409, 'delivery_not_retryable'])
    expect(await (await resend('k2', {})).json()).toEqual({ queued: 0 })
    expect(await problem(await resend('k2', named))).toEqual([409, 'idempotency_conflict'])
  })

  test('another company sees none of it, and roles that may not act cannot', async () => {
    await deliver()
    const [one] = await database.tx((tx) =>
      sql<{ id: string }>(tx.em, "select id from delivery where state = 'failed'"),
    )
    const other = await aCompany(database)
    const strange = member(other, 'admin')
    for (const path of ['progress', 'progress/events', 'people'])
      expect(await problem(await strange.get(`/hr/campaigns/${campaign.id}/${path}`))).toEqual([404, 'not_found'])
    const key = { 'idempotency-key': 'k' }
    const resend = (of: TestCompany, role: 'hr' | 'finance' | 'admin') =>
      member(of, role).send('POST', `/hr/campaigns/${campaign.id}/resend`, {}, key)
    expect(await problem(await resend(other, 'admin'))).toEqual([404, 'not_found'])
    const body = { wecomUserId: 'hr' }
    expect(await problem(await strange.send('POST', `/hr/deliveries/${one!.id}/correct`, body))).toEqual([
      404,
      'not_found',
    ])
    expect((await json(CampaignList, await strange.get('/hr/campaigns'))).campaigns).toEqual([])
    const home = await json(Home, await strange.get('/hr/home'))
    expect(home).toMatchObject({ todo: [], running: [], people: 0, walletFen: 0 })
    expect(await problem(await resend(company, 'finance'))).toEqual([403, 'forbidden'])
    expect(await problem(await aBrowser(web.base).get('/hr/home'))).toEqual([401, 'unauthenticated'])
    expect(await problem(await member(company, 'admin').get('/operator/jobs'))).toEqual([401, 'unauthenticated'])
  })

  test('home tells each role what only that role can do', async () => {
    const set = (text: string) => database.tx((tx) => change(tx.em, text))
    const kindsOf = async (role: 'hr' | 'approver' | 'finance') =>
      (await json(Home, await member(company, role).get('/hr/home'))).todo.map(({ kind }) => kind)
    await deliver()
    expect(await kindsOf('hr')).toEqual(['heads_failed'])
    const home = await json(Home, await member(company, 'hr').get('/hr/home'))
    expect(home).toMatchObject({ walletFen: 12_300, people: 5, running: [], delivered: { sent: 4, failed: 1 } })
    expect(home.todo[0]).toMatchObject({ id: campaign.id, title: '中秋节日问候', count: 1 })
    expect(await kindsOf('approver')).toEqual([])
    const second = await anIssuedCampaign(database, company, campaign.personIds, {
      issuerPrefix: '6231',
      title: '司庆',
    })
    await database.tx((tx) => change(tx.em, "update campaign set state = 'in_review' where id = ?", [second.id]))
    expect(await kindsOf('approver')).toEqual(['campaign_to_approve'])
    await database.tx((tx) =>
      change(tx.em, 'update campaign set submitted_by = ? where id = ?', [company.members.approver, second.id]),
    )
    expect(await kindsOf('approver')).toEqual([])
    await set("update orders set state = 'awaiting_funds', secured_fen = secured_fen - 100, issued_fen = 0")
    const money = (await json(Home, await member(company, 'finance').get('/hr/home'))).todo
    expect(money).toContainEqual(
      expect.objectContaining({ kind: 'money_missing', id: second.orderId, fen: 100, title: '司庆' }),
    )
    await set("update orders set state = 'issued', secured_fen = total_fen, issued_fen = total_fen")
    await set("update campaign set roster_id = 'ros_0000000000001'")
    const uses = await json(RosterUses, await member(company, 'hr').get('/hr/roster-uses'))
    expect(uses.uses.map(({ campaignId }) => campaignId)).toEqual([second.id, campaign.id])
  })

  test('the platform sees companies, jobs and the proof, and the proof finds what is wrong', async () => {
    const operatorId = await database.tx((tx) =>
      createOperator(tx, { name: '运营', roles: ['admin'], key: 'k'.repeat(43) }),
    )
    const ops = browserOf({ kind: 'operator', ids: { operatorId }, expiresAtMs }, 'fulika_ops', '/operator')
    const { companies } = await json(Companies, await ops.get('/operator/companies'))
    expect(companies).toMatchObject([{ id: company.id, wecomConnected: true, people: 5, walletFen: 12_300 }])
    await database.tx((tx) => change(tx.em, "update job set state = 'dead' where kind = 'order.issue'"))
    const jobs = await json(Jobs, await ops.get('/operator/jobs'))
    expect(jobs.counts).toContainEqual({ kind: 'cards.deliver', lane: 'small', state: 'ready', count: 1 })
    expect(jobs.dead.map(({ kind }) => kind)).toEqual(['order.issue'])
    const good = await json(Proof, await ops.send('POST', '/operator/prove'))
    expect(good).toMatchObject({ balanced: true, findings: [], cards: 5 })
    expect(good.entries).toBeGreaterThan(0)
    const tamper = (by: number) =>
      database.tx((tx) => change(tx.em, 'update wallet set balance_fen = balance_fen + ?', [by]))
    await tamper(1)
    const bad = await json(Proof, await ops.send('POST', '/operator/prove'))
    expect(bad.balanced).toBe(false)
    expect(bad.findings.map(({ subject }) => subject)).toContain(company.id)
    await tamper(-1)
  })
})
