import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { sql } from '../../kernel/sql.ts'
import { somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { hrOf } from '../../testing/uploads.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { decideChanges } from '../delivery/decide-changes.ts'
import { findPersonByUserId } from '../staff/find-person.ts'
import { readDirectoryChanges } from '../staff/read-directory.ts'
import { syncDirectory } from '../staff/sync-directory.ts'
import { cardpackEndpoints } from './endpoints.ts'

onBothDatabases('being found by one’s mobile', (database) => {
  let box: WecomSandbox
  let web: Web
  beforeEach(async () => {
    box = await startWecomSandbox({ now: Date.now })
    web = await startWeb(database, { endpoints: cardpackEndpoints, ports: { wecom: wecomOf(box) } })
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const staff = [
    { userid: 'NewOne', name: '新人', mobile: '13800000001' },
    { userid: 'other', name: '旁人', mobile: '13800000001' },
    { userid: 'nobody', name: '无名', mobile: '13800000009' },
  ]
  async function aWorld() {
    const company = await aCompany(database, { sandbox: box, staff })
    box.companies.putApp({ corpId: company.wecom.corpId, agentId: company.wecom.agentId, grants: ['mobile'] })
    const [person] = await somePeople(database, company.id, [{ name: '新人', phone: '13800000001' }])
    const port = { wecom: wecomOf(box) } as Parameters<typeof database.edge>[0]
    await syncDirectory(database.edge(port), company.id)
    return { company, person: person! }
  }
  /** Goes to WeCom for consent as somebody, and comes back. */
  async function consent(browser: Browser, code: string, userid: string, agreed = true): Promise<Response> {
    const left = await browser.get(`/employee/consent/${code}`)
    const authorise = new URL(left.headers.get('location') ?? '')
    expect(authorise.searchParams.get('scope')).toBe('snsapi_privateinfo')
    authorise.hash = ''
    const answer = await browser.get(`${authorise.href}&as=${userid}&consent=${agreed ? 1 : 0}`)
    return browser.follow(answer)
  }

  test('once, for the person with that mobile; refused without consent, for strangers, and for a second account', async () => {
    const { company, person } = await aWorld()
    const problem = async (answer: Response) => ((await answer.json()) as { code: string }).code
    expect(await problem(await consent(aBrowser(web.base), company.code, 'NewOne', false))).toBe('mobile_not_shown')
    expect(await problem(await consent(aBrowser(web.base), company.code, 'nobody'))).toBe('not_on_staff_list')
    const browser = aBrowser(web.base)
    const back = await consent(browser, company.code, 'NewOne')
    expect([back.status, back.headers.get('location')]).toEqual([302, '/pack/'])
    expect((await browser.get('/employee/session')).status).toBe(200)
    const find = (userid: string) => database.tx((tx) => findPersonByUserId(tx, company.id, userid))
    expect(await find('newone')).toEqual({ id: person })
    expect((await consent(aBrowser(web.base), company.code, 'NewOne')).status).toBe(302)
    expect(await problem(await consent(aBrowser(web.base), company.code, 'other'))).toBe('mobile_has_account')
    expect(await problem(await consent(aBrowser(web.base), company.code, 'other'))).toBe('mobile_has_account')
    expect(await find('other')).toBe(null)
    const { changes } = await hrOf(database, company).read((tx) => readDirectoryChanges(tx, { limit: 10 }))
    expect(changes).toMatchObject([{ kind: 'second', wecomUserId: 'other', person: { id: person } }])
    const decided = await decideChanges(hrOf(database, company), { decision: 'done', ids: [changes[0]!.id] })
    expect(decided[0]?.outcome).toBe('done')
    expect(await find('other')).toEqual({ id: person })
    expect(await find('newone')).toBe(null)
    const rows = await database.tx((tx) => sql(tx.em, 'select id from person where company_id = ?', [company.id]))
    expect(rows).toHaveLength(1)
  })

  test('a state is ours, for ten minutes and once', async () => {
    const { company } = await aWorld()
    const browser = aBrowser(web.base)
    const problem = async (answer: Response) => ((await answer.json()) as { code: string }).code
    const state = '0'.repeat(32)
    expect(await problem(await browser.get(`/employee/consent-callback?code=x&state=${state}`))).toBe('sign_in_expired')
    const left = await browser.get(`/employee/consent/${company.code}`)
    const given = new URL(left.headers.get('location') ?? '').searchParams.get('state')
    const kept = new Map(browser.cookies)
    expect(await problem(await browser.get(`/employee/consent-callback?code=x&state=${given}`))).toBe('sign_in_expired')
    for (const [name, cookie] of kept) browser.cookies.set(name, cookie)
    expect(await problem(await browser.get(`/employee/consent-callback?code=x&state=${given}`))).toBe('sign_in_expired')
    expect((await browser.get('/employee/consent/no-such-company')).status).toBe(404)
  })
})
