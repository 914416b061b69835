import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Check, CheckPoint, WecomWizard } from '../../../contract/hr/wecom.ts'
import { checkPoints } from '../../../contract/hr/wecom.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { Registry } from 'prom-client'
import { encodeSession } from '../../kernel/cookies.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { openSuites, portsWith, suiteWecomOf } from '../../testing/suites.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { connectWecom } from './connect-wecom.ts'
import { companyEndpoints } from './endpoints.ts'
import { measureWecom } from './measure-wecom.ts'
import { readWecomApp } from './read-wecom-app.ts'
import { watchTickets } from './watch-tickets.ts'

const T0 = Date.UTC(2026, 8, 25, 2)

onBothDatabases('wizard', (database) => {
  let box: WecomSandbox
  let web: Web
  let nowMs: number
  let company: TestCompany
  beforeEach(async () => {
    nowMs = T0
    box = await startWecomSandbox({ now: () => nowMs })
    const wecom = suiteWecomOf(database, box, () => nowMs)
    web = await startWeb(database, { endpoints: companyEndpoints, ports: { wecom }, now: () => nowMs })
    company = await aCompany(database, { sandbox: box })
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const as = (role: 'hr' | 'admin', of = company): Browser => {
    const ids = { companyId: of.id, memberId: of.members[role] }
    const session = { kind: 'member' as const, ids, expiresAtMs: nowMs + 3_600_000 }
    return aBrowser(web.base, { cookie: `fulika_hr=${encodeSession(session, database.house.sessionKey)}` })
  }
  const look = async (point: CheckPoint, browser = as('admin')) =>
    (await (await browser.send('POST', `/hr/wecom/checks/${point}`)).json()) as Check
  const wizard = async (browser = as('admin')) => (await (await browser.get('/hr/wecom')).json()) as WecomWizard
  const save = (form: object, browser = as('admin')) => browser.send('PUT', '/hr/wecom', form)
  const { corpId, agentId, secret } = {
    corpId: () => company.wecom.corpId,
    agentId: () => company.wecom.agentId,
    secret: () => company.wecom.secret,
  }

  test('a connection that stands is told point by point, and the findings stay', async () => {
    await save({ corpId: corpId(), agentId: agentId(), accountLimit: 300 })
    const found = Object.fromEntries(await Promise.all(checkPoints.map(async (point) => [point, await look(point)])))
    expect(found).toMatchObject({
      credential: { outcome: 'ok', code: null },
      agent: { outcome: 'ok' },
      visible: { outcome: 'ok', count: 1, people: 4 },
      sign_in: { outcome: 'waiting', code: 'never' },
      callback: { outcome: 'missing', code: 'no_keys' },
      contact_sync: { outcome: 'unused' },
      quota: { outcome: 'ok', count: 60_000 },
    })
    const view = await wizard(as('hr'))
    expect(view.checks.map((one) => one.point)).toEqual([...checkPoints])
    expect(view.connection).toMatchObject({ accountLimit: 300, callbackSet: false, contactSecretSet: false })
    expect(JSON.stringify(view)).not.toContain(secret())
    expect((await as('hr').send('POST', '/hr/wecom/checks/credential')).status).toBe(403)
    expect((await as('admin').send('POST', '/hr/wecom/checks/nonsense')).status).toBe(422)
  })

  test('a wrong secret breaks the connection, is tried once, and the right one mends it', async () => {
    const typo = await save({ corpId: corpId(), agentId: agentId(), accountLimit: null, secret: 'SANDBOXtypo' })
    expect(await typo.json()).toMatchObject({ code: 'wecom_secret_refused', field: 'secret' })
    expect(await database.tx((tx) => readWecomApp(tx, company.id))).toEqual(company.wecom)
    // The app's secret was reset in WeCom.
    const broken = { companyId: company.id, corpId: corpId(), agentId: agentId(), secret: 'SANDBOXwrong' }
    await database.tx((tx) => connectWecom(tx, broken))
    const calls = () => box.control.stats(corpId())!.gettoken
    const before = calls()
    expect(await look('credential')).toMatchObject({ outcome: 'missing', code: '40001' })
    expect((await wizard()).connection).toMatchObject({ state: 'broken', brokenCode: '40001' })
    expect(await database.tx((tx) => readWecomApp(tx, company.id))).toBeNull()
    const tried = calls() - before
    for (let turn = 0; turn < 5; turn += 1) await look('credential')
    expect(calls() - before).toBe(tried)
    await save({ corpId: corpId(), agentId: agentId(), accountLimit: null, secret: secret() })
    expect((await wizard()).connection).toMatchObject({ state: 'active', brokenCode: null })
    expect(await look('credential')).toMatchObject({ outcome: 'ok' })
  })

  test('a secret of another app, an app that sees nobody and a silent WeCom are told apart', async () => {
    await save({ corpId: corpId(), agentId: 7, accountLimit: null, secret: secret() })
    expect(await look('agent')).toMatchObject({ outcome: 'missing', code: expect.stringMatching(/^(301002|40056)$/) })
    await save({ corpId: corpId(), agentId: agentId(), accountLimit: null })
    box.suites.changeVisible({ corpId: corpId(), agentId: agentId(), visible: { userIds: [] } })
    expect(await look('visible')).toMatchObject({ outcome: 'missing' })
    box.control.addFault({ path: 'gettoken', kind: 'status500_before', times: 20 })
    box.control.expireTokens()
    expect(await look('credential')).toMatchObject({ outcome: 'waiting' })
    expect((await wizard()).connection).toMatchObject({ state: 'active' })
    expect(await look('quota')).toMatchObject({ outcome: 'missing', code: 'unset' })
  })

  test('callback keys are made, shown once, and hold: WeCom verifies the address with them', async () => {
    const made = await as('admin').send('POST', '/hr/wecom/callback-keys')
    const keys = (await made.json()) as { token: string; encodingAesKey: string }
    expect(keys.token).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(keys.encodingAesKey).toMatch(/^[A-Za-z0-9]{43}$/)
    const view = await wizard()
    expect(JSON.stringify(view)).not.toContain(keys.token)
    expect(view.connection?.callbackSet).toBe(true)
    expect(await look('callback')).toMatchObject({ outcome: 'waiting', code: 'never' })
    const saved = await box.control.saveCallback({ corpId: corpId(), ...keys, url: view.callbackUrl })
    expect(saved).toBeNull()
    expect(await look('callback')).toMatchObject({ outcome: 'ok' })
    const bytes = await database.tx((tx) =>
      sql<{ sealed: Uint8Array }>(tx.em, 'select callback_sealed as sealed from wecom_connection'),
    )
    expect(bytes.map((row) => Buffer.from(row.sealed ?? []).toString('latin1')).join()).not.toContain(keys.token)
  })

  test('a form that cannot be is refused by its field, and another company is never touched', async () => {
    const other = await aCompany(database, { sandbox: box })
    const form = { corpId: corpId(), agentId: agentId(), accountLimit: null }
    for (const [wrong, field] of [
      [{ corpId: 'a b' }, 'corpId'],
      [{ agentId: 0 }, 'agentId'],
      [{ accountLimit: 0 }, 'accountLimit'],
      [{ secret: '' }, 'secret'],
      [{ corpId: 'wwElse' }, 'secret'],
      [{ kind: 'third_party' }, 'kind'],
    ] as const) {
      const answer = await save({ ...form, ...wrong })
      expect([answer.status, ((await answer.json()) as { field: string }).field]).toEqual([422, field])
    }
    const taken = await save({ ...form, corpId: other.wecom.corpId, secret: other.wecom.secret })
    expect(await taken.json()).toMatchObject({ code: 'wecom_corp_taken' })
    expect(await database.tx((tx) => readWecomApp(tx, other.id))).toEqual(other.wecom)
    expect((await save(form, as('hr'))).status).toBe(403)
    expect((await aBrowser(web.base).get('/hr/wecom')).status).toBe(401)
  })

  test('nobody takes the id of a corp whose secret was not proved, however WeCom is kept from answering', async () => {
    const form = { corpId: 'wwVictim', agentId: 1_000_002, accountLimit: null }
    for (const secret of ['SANDBOXa', 'SANDBOXb', 'SANDBOXc'])
      expect((await save({ ...form, secret })).status).toBe(422)
    // By now wrong secrets of this corp are not tried any more.
    const waiting = await save({ ...form, secret: 'SANDBOXd' })
    expect([waiting.status, await waiting.json()]).toMatchObject([503, { code: 'provider_unavailable' }])
    box.control.addFault({ path: 'gettoken', kind: 'status500_before', times: 20 })
    expect((await save({ ...form, corpId: 'wwSilent', secret: 'SANDBOXe' })).status).toBe(503)
    expect((await save({ corpId: corpId(), agentId: agentId(), accountLimit: 9, secret: 'SANDBOXf' })).status).toBe(200)
    expect((await wizard()).connection).toMatchObject({ corpId: corpId() })
  })

  test('metrics and alerts show the age of tickets, and no name of a person', async () => {
    await openSuites(database, box, web.base)
    const ports = portsWith(suiteWecomOf(database, box, () => nowMs))
    const edge = database.edge(ports, undefined, () => nowMs)
    await expect
      .poll(() => database.tx((tx) => sql(tx.em, 'select 1 from wecom_suite where ticket_at_ms is not null')))
      .toHaveLength(2)
    const errors: string[] = []
    const log = { ...edge.log, error: (facts: object) => errors.push(JSON.stringify(facts)) }
    await watchTickets({ ...edge, log })
    expect(errors).toEqual([])
    nowMs += 21 * 60_000
    await watchTickets({ ...edge, log })
    expect(errors).toHaveLength(2)
    const registry = new Registry()
    measureWecom(registry, edge)
    const text = await registry.metrics()
    expect(text).toContain('wecom_events{state="done"} 2')
    expect(text).toContain('wecom_connections{kind="self_built",state="active"} 1')
    expect(text).toMatch(/wecom_suite_ticket_age_seconds\{suite="wwsuite"\} 12\d\d/)
  })
})
