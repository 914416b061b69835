import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WecomWizard } from '../../../contract/hr/wecom.ts'
import type { ProviderView } from '../../../contract/operator/wecom.ts'
import type { Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { workOnce } from '../../../jobs/worker.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { WecomPort } from '../../channels/ports.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { change, sql } from '../../kernel/sql.ts'
import { postCallback, sealedCallback, xmlOf } from '../../testing/callbacks.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { openSuites, portsWith, suiteWecomOf, testProvider, workAll } from '../../testing/suites.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { createOperator } from './create-operator.ts'
import { companyEndpoints } from './endpoints.ts'
import { readCompany } from './read-company.ts'
import { findMemberByUserId, readMembers } from './read-members.ts'
import { readConnection, readWecomApp } from './read-wecom-app.ts'

const [suiteId, templateId] = ['wwsuite', 'dktemplate']
const T0 = Date.UTC(2026, 8, 25, 2)

onBothDatabases('suites', (database) => {
  let box: WecomSandbox
  let web: Web
  let wecom: WecomPort
  let nowMs: number
  let company: TestCompany
  beforeEach(async () => {
    nowMs = T0
    box = await startWecomSandbox({ now: () => nowMs })
    wecom = suiteWecomOf(database, box, () => nowMs)
    web = await startWeb(database, { endpoints: companyEndpoints, ports: { wecom }, now: () => nowMs })
    await openSuites(database, box, web.base)
    company = await aCompany(database, { code: 'qinghe', sandbox: box })
    await ticketsAreIn()
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const edge = () => database.edge(portsWith(wecom), { kind: 'system', name: 'test' }, () => nowMs)
  const query = <T>(text: string, values: unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  async function ticketsAreIn(): Promise<void> {
    await expect.poll(() => query('select 1 from wecom_suite where ticket_at_ms is not null')).toHaveLength(2)
  }
  /** Until the sandbox has told us of an event of this kind, however often before. */
  const told = (kind: string, count = 1) =>
    expect.poll(() => query('select 1 from wecom_event where kind = ?', [kind])).toHaveLength(count)
  const work = () => workAll(edge())
  const cookie = (kind: 'member' | 'operator', ids: Record<string, string>): string => {
    const name = kind === 'member' ? 'fulika_hr' : 'fulika_ops'
    return `${name}=${encodeSession({ kind, ids, expiresAtMs: nowMs + 3_600_000 }, database.house.sessionKey)}`
  }
  const asAdmin = (of: TestCompany = company): Browser =>
    aBrowser(web.base, { cookie: cookie('member', { companyId: of.id, memberId: of.members.admin }) })
  const wizard = async (browser = asAdmin()) => (await (await browser.get('/hr/wecom')).json()) as WecomWizard
  const connection = (id: Id<'company'> = company.id) => database.tx((tx) => readConnection(tx, id))
  const app = (id: Id<'company'> = company.id) => database.tx((tx) => readWecomApp(tx, id))
  const corpId = () => company.wecom.corpId

  /** The administrator confirms in WeCom; answers where the browser is sent back to. */
  async function confirmed(browser: Browser, suite = suiteId): Promise<string> {
    const answer = await browser.send('POST', '/hr/wecom/install', { suiteId: suite })
    const { url } = (await answer.json()) as { url: string }
    const form = new URLSearchParams({ corpId: corpId(), range: 'all' })
    const back = await fetch(url, { method: 'POST', body: form, redirect: 'manual' })
    return back.headers.get('location')!
  }
  async function installHere(suite = suiteId): Promise<void> {
    const browser = asAdmin()
    const back = await browser.get(await confirmed(browser, suite))
    expect(back.headers.get('location')).toBe('/console/wecom?installed=1')
  }

  test('an administrator installs from our site and the company is connected at once', async () => {
    await installHere()
    const view = await wizard()
    expect(view.connection).toMatchObject({ kind: 'third_party', suiteId, state: 'active', accountLimit: 100_000 })
    expect(view.connection?.scope).toMatchObject({ authMode: 'admin' })
    expect(view.connection?.trialEndsAtMs).toBe(nowMs + 90 * 86_400_000)
    const granted = await app()
    expect(granted?.agentId).toBeGreaterThan(0)
    await wecom.checkCredential(granted!)
    await work()
    // The console's people are known by other ids now, and the administrator is still one and the same.
    const people = await database.tx((tx) => readMembers(tx, company.id))
    expect(people.filter((one) => one.state === 'active').map((one) => one.id)).toEqual(Object.values(company.members))
    expect((await asAdmin().get('/hr/session')).status).toBe(200)
    const [hr] = [...(await wecom.openUserIds(granted!, ['hr'])).values()]
    expect(await database.tx((tx) => findMemberByUserId(tx, company.id, hr!))).toBe(company.members.hr)
    expect(await database.tx((tx) => findMemberByUserId(tx, company.id, hr!.toLowerCase()))).toBeNull()
    const text = JSON.stringify(await query('select args, last_error from job')) + JSON.stringify(view)
    expect(text).not.toContain(granted!.secret)
  })

  test('a state counts once, for its own company, and for a while', async () => {
    const [browser, other] = [asAdmin(), asAdmin(await aCompany(database))]
    const back = await confirmed(browser)
    const to = async (who: Browser, address: string) => (await who.get(address)).headers.get('location')
    const expired = '/console/wecom?problem=wecom_install_expired'
    expect(await to(other, back)).toBe(expired)
    expect(await to(browser, back.replace(/state=\w+/, `state=${'a'.repeat(32)}`))).toBe(expired)
    expect(await to(browser, back)).toBe('/console/wecom?installed=1')
    expect(await to(browser, back)).toBe(expired)
    const late = await confirmed(browser)
    nowMs += 40 * 60_000
    expect(await to(browser, late)).toBe(expired)
    const hr = aBrowser(web.base, { cookie: cookie('member', { companyId: company.id, memberId: company.members.hr }) })
    expect((await hr.send('POST', '/hr/wecom/install', { suiteId })).status).toBe(403)
    expect((await browser.send('POST', '/hr/wecom/install', { suiteId: 'wwother' })).status).toBe(404)
  })

  test('an install from the market makes a company with a code, a name, a wallet and its administrator', async () => {
    box.suites.installFromMarket({ suiteId, corpId: corpId(), adminUserId: 'admin' })
    await told('create_auth')
    await work()
    const [row] = await query<{ companyId: Id<'company'> }>(
      'select company_id as companyId from wecom_connection where suite_id = ?',
      [suiteId],
    )
    const made = row!.companyId
    expect(made).not.toBe(company.id)
    const facts = await database.tx((tx) => readCompany(tx, made))
    expect(facts).toMatchObject({ state: 'active', paymentRoute: 'strict' })
    expect(facts?.code).toMatch(/^wecom-[a-z2-9]{8}$/)
    expect(await query('select roles from member where company_id = ?', [made])).toEqual([{ roles: 'admin' }])
    expect(await query('select 1 from wallet where company_id = ?', [made])).toHaveLength(1)
    expect((await app(made))?.agentId).toBeGreaterThan(0)
    expect(await query("select 1 from wecom_event where kind = 'create_auth' and state = 'done'")).toHaveLength(1)
  })

  test('the redirect and the market race: one company, connected once, whoever is first', async () => {
    const browser = asAdmin()
    const back = new URL(await confirmed(browser))
    const state = back.searchParams.get('state')!
    const authCode = back.searchParams.get('auth_code')!
    const event = xmlOf({
      SuiteId: suiteId,
      AuthCode: authCode,
      InfoType: 'create_auth',
      TimeStamp: T0 / 1000,
      State: state,
    })
    const post = () =>
      postCallback(
        `${web.base}/callback/wecom-suite/${suiteId}/command`,
        sealedCallback(testProvider.suites[0]!, event, suiteId, nowMs),
      )
    expect(await Promise.all([post(), post()])).toEqual([
      [200, 'success'],
      [200, 'success'],
    ])
    const [answer] = await Promise.all([browser.get(back.href), work()])
    expect(answer.headers.get('location')).toBe('/console/wecom?installed=1')
    // An event that found the code in use elsewhere is tried again a little later.
    nowMs += 60_000
    await work()
    expect(await query('select company_id from wecom_connection where suite_id = ?', [suiteId])).toEqual([
      { company_id: company.id },
    ])
    expect(await query("select state, copies from wecom_event where kind = 'create_auth'")).toEqual([
      { state: 'done', copies: 2 },
    ])
    await wecom.checkCredential((await app())!)
  })

  test('an answer that is lost after the code was used is told, not guessed', async () => {
    const browser = asAdmin()
    const back = await confirmed(browser)
    box.control.addFault({ path: 'service/v2/get_permanent_code', kind: 'cut_after', times: 1 })
    const answer = await browser.get(back)
    expect(answer.headers.get('location')).toBe('/console/wecom?problem=wecom_install_lost')
    expect(await connection()).toMatchObject({ kind: 'self_built', state: 'active' })
  })

  test('a change is asked about, a reset swaps the permanent code at once', async () => {
    await installHere(templateId)
    await work()
    const before = (await app())!
    box.suites.changeAuth({ suiteId: templateId, corpId: corpId(), visible: { userIds: ['hr'] } })
    await told('change_auth')
    await work()
    expect((await wizard()).connection?.scope).toMatchObject({ users: 1 })
    nowMs += 1000
    box.suites.resetPermanentCode({ suiteId: templateId, corpId: corpId() })
    await told('reset_permanent_code')
    await work()
    const after = (await app())!
    expect(after.secret).not.toBe(before.secret)
    expect(after.agentId).toBe(before.agentId)
    await wecom.checkCredential(after)
  })

  test('a reset of the app that a company had before does not take it back from the one that it uses now', async () => {
    await installHere(templateId)
    await work()
    await installHere(suiteId)
    await work()
    const before = await app()
    expect(before).toMatchObject({ suiteId })
    nowMs += 1000
    box.suites.resetPermanentCode({ suiteId: templateId, corpId: corpId() })
    await told('reset_permanent_code')
    await work()
    expect(await app()).toEqual(before)
  })

  test('a withdrawal stops the sending, the erasure is done, and a second install brings the same company back', async () => {
    await installHere()
    await work()
    nowMs += 60_000
    box.suites.cancelAuth({ suiteId, corpId: corpId() })
    await told('cancel_auth')
    expect(await app()).toBeNull()
    expect(await connection()).toMatchObject({ state: 'cancelled' })
    await work()
    expect((await wizard()).connection).toMatchObject({ state: 'cancelled', scope: null })
    expect(await query("select 1 from job where kind = 'company.forget' and state = 'done'")).not.toHaveLength(0)
    nowMs += 60_000
    await installHere()
    expect((await app())?.agentId).toBeGreaterThan(0)
    expect(await query('select 1 from wecom_connection where suite_id = ?', [suiteId])).toHaveLength(1)
  })

  test('a withdrawal in the middle of sending: nobody is sent to after it, the accounts go, people and cards stay', async () => {
    const people = ['hr', 'approver', 'finance'].map((userid, index) => ({ userid, name: `员工${index}` }))
    const personIds = await somePeople(database, company.id, people)
    const first = await anIssuedCampaign(database, company, personIds)
    const second = await anIssuedCampaign(database, company, personIds, { issuerPrefix: '6231' })
    // Fixtures write their jobs by the real clock, which is ahead of this test's.
    await database.tx((tx) => change(tx.em, 'update job set ready_at_ms = 0 where ready_at_ms > ?', [nowMs]))
    await installHere()
    const states = () => query<{ state: string; reason: string | null }>('select state, reason from delivery')
    const sentNow = async () => (await states()).filter((row) => row.state === 'sent').length
    const turn = async () => {
      for (const lane of ['fast', 'small', 'bulk'] as const) if (await workOnce(edge(), handlers, lane)) return true
      return false
    }
    for (let idle = 0; (await sentNow()) === 0; idle += 1) {
      expect(idle).toBeLessThan(200)
      await turn()
    }
    const sent = await sentNow()
    expect(sent).toBe(3)
    box.suites.cancelAuth({ suiteId, corpId: corpId() })
    await told('cancel_auth')
    const accepted = box.control.stats(corpId())!.accepted
    while (await turn());
    expect(box.control.stats(corpId())!.accepted).toBe(accepted)
    const after = await states()
    expect(after).toHaveLength(6)
    expect(after.filter((row) => row.state === 'failed').map((row) => row.reason)).toEqual(
      Array.from({ length: 3 }, () => 'app_not_connected'),
    )
    const left = await query<{ n: number; found: number }>(
      'select count(*) as n, sum(case when user_id_index is null then 0 else 1 end) as found from person',
    )
    expect(left.map((row) => [Number(row.n), Number(row.found)])).toEqual([[3, 0]])
    expect(await query('select 1 from directory_member')).toEqual([])
    expect(await query('select 1 from card')).toHaveLength(6)
    expect([first.id, second.id]).toHaveLength(2)
  })

  test('a withdrawal that was lost is noticed when WeCom is asked', async () => {
    await installHere()
    await work()
    box.control.addFault({ path: null, kind: 'callback_lose', times: 10 })
    box.suites.cancelAuth({ suiteId, corpId: corpId() })
    const view = (await (await asAdmin().send('POST', '/hr/wecom/refresh')).json()) as WecomWizard
    expect(view.connection?.state).toBe('cancelled')
    expect(await app()).toBeNull()
  })

  test('the platform sees tickets, installs, events and what failed, and runs it again', async () => {
    await installHere()
    const key = 'k'.repeat(43)
    const operatorId = await database.tx((tx) => createOperator(tx, { name: '平台', roles: ['ops'], key }))
    const ops = aBrowser(web.base, { cookie: cookie('operator', { operatorId }) })
    const read = async () => (await (await ops.get('/operator/wecom')).json()) as ProviderView
    await work()
    const view = await read()
    expect(view.suites[0]).toMatchObject({ suiteId, installs: 1, name: '福利卡' })
    expect(nowMs - view.suites[0]!.ticketAtMs!).toBeLessThan(2000)
    expect(view.connections).toContainEqual({ kind: 'third_party', state: 'active', count: 1 })
    expect(view.events).toContainEqual(expect.objectContaining({ kind: 'suite_ticket', state: 'done' }))
    const event = xmlOf({ SuiteId: suiteId, AuthCode: 'invented', InfoType: 'create_auth', TimeStamp: 1 })
    const sealed = sealedCallback(testProvider.suites[0]!, event, 'wwsuite', nowMs)
    await postCallback(`${web.base}/callback/wecom-suite/${templateId}/command`, sealed)
    const own = sealedCallback(testProvider.suites[1]!, event.replace(suiteId, templateId), templateId, nowMs)
    await postCallback(`${web.base}/callback/wecom-suite/${templateId}/command`, own)
    for (let turn = 0; turn < 12; turn += 1) {
      await work()
      nowMs += 61_000
    }
    const [failed] = (await read()).failed
    expect(failed).toMatchObject({ kind: 'create_auth', companyName: null, lastError: 'wecom_install_lost' })
    const again = async () => (await ops.send('POST', `/operator/wecom/events/${failed!.id}/revive`)).json()
    expect(await again()).toEqual({ revived: true })
    expect(await again()).toEqual({ revived: false })
    expect((await read()).failed).toEqual([])
  })
})
