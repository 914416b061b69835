import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { WecomPort } from '../../channels/ports.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { openSuites, portsWith, suiteWecomOf, workAll } from '../../testing/suites.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { companyEndpoints } from './endpoints.ts'

const kinds = [
  ['third_party', 'wwsuite', 'service/auth/getuserinfo3rd'],
  ['customised', 'dktemplate', 'auth/getuserinfo'],
] as const

onBothDatabases('sign-in through an app of ours', (database) => {
  let box: WecomSandbox
  let web: Web
  let wecom: WecomPort
  beforeEach(async () => {
    box = await startWecomSandbox()
    wecom = suiteWecomOf(database, box, Date.now)
    web = await startWeb(database, { endpoints: companyEndpoints, ports: { wecom } })
    await openSuites(database, box, web.base)
    await expect
      .poll(() => database.tx((tx) => sql(tx.em, 'select 1 from wecom_suite where ticket_at_ms is not null')))
      .toHaveLength(2)
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  /** A company whose administrator has installed this suite or had this template added. */
  async function aCustomer(suiteId: string): Promise<TestCompany> {
    const company = await aCompany(database, { sandbox: box })
    const ids = { companyId: company.id, memberId: company.members.admin }
    const session = encodeSession({ kind: 'member', ids, expiresAtMs: Date.now() + 60_000 }, database.house.sessionKey)
    const admin = aBrowser(web.base, { cookie: `fulika_hr=${session}` })
    const answer = await admin.send('POST', '/hr/wecom/install', { suiteId })
    const { url } = (await answer.json()) as { url: string }
    const form = new URLSearchParams({ corpId: company.wecom.corpId, range: 'all' })
    const back = await fetch(url, { method: 'POST', body: form, redirect: 'manual' })
    expect((await admin.get(back.headers.get('location')!)).headers.get('location')).toBe('/console/wecom?installed=1')
    await workAll(database.edge(portsWith(wecom), { kind: 'system', name: 'test' }))
    return company
  }
  /** From our door to WeCom, where a member of `corp` signs in, and back to the callback that is not opened yet. */
  async function callbackOf(browser: Browser, company: TestCompany, corp: TestCompany = company): Promise<string> {
    const away = await browser.get(`/hr/sign-in/${company.code}?return=/console/funds`)
    return comeBack(browser, away.headers.get('location')!, corp)
  }
  async function comeBack(browser: Browser, away: string, corp: TestCompany): Promise<string> {
    const there = await browser.get(`${away.replace('#wechat_redirect', '')}&as=hr&corp=${corp.wecom.corpId}`)
    return there.headers.get('location')!
  }
  const outcome = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]

  test.each(kinds)('%s: a member signs in, on the desk and inside of WeCom', async (_kind, suiteId) => {
    const company = await aCustomer(suiteId)
    for (const agent of ['Mozilla/5.0 (Windows NT 10.0)', 'Mozilla/5.0 (iPhone) wxwork/4.1.36']) {
      const browser = aBrowser(web.base, { 'user-agent': agent })
      const home = await browser.get(await callbackOf(browser, company))
      expect([home.status, home.headers.get('location')]).toEqual([302, '/console/funds'])
      expect(await (await browser.get('/hr/session')).json()).toMatchObject({
        member: { id: company.members.hr },
        company: { id: company.id },
      })
    }
  })

  test.each(kinds)('%s: a lost answer leads through WeCom once more', async (_kind, suiteId, path) => {
    const company = await aCustomer(suiteId)
    const browser = aBrowser(web.base)
    const back = await callbackOf(browser, company)
    box.control.addFault({ path, kind: 'cut_after' })
    const again = await browser.get(back)
    const home = await browser.get(await comeBack(browser, again.headers.get('location')!, company))
    expect([home.status, home.headers.get('location')]).toEqual([302, '/console/funds'])
  })

  test('a member of another company that has our suite does not get in, nor with a code of the other suite', async () => {
    const [ours, other, customised] = [
      await aCustomer('wwsuite'),
      await aCustomer('wwsuite'),
      await aCustomer('dktemplate'),
    ]
    const browser = aBrowser(web.base)
    const foreign = await browser.get(await callbackOf(browser, ours, other))
    expect(await outcome(foreign)).toEqual([403, 'sign_in_not_allowed'])
    const [own, strange] = [await callbackOf(browser, ours), await callbackOf(aBrowser(web.base), customised)]
    const mixed = new URL(own)
    mixed.searchParams.set('code', new URL(strange).searchParams.get('code')!)
    expect((await outcome(await browser.get(mixed.href)))[1]).toBe('sign_in_expired')
    expect((await browser.get('/hr/session')).status).toBe(401)
  })
})
