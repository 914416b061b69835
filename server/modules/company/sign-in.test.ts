import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { encodeId } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { endpoint } from '../../kernel/endpoint.ts'
import { createLog } from '../../kernel/log.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { addMember } from './add-member.ts'
import { breakConnection } from './break-connection.ts'
import { companyEndpoints } from './endpoints.ts'
import { openSession } from './open-session.ts'
import { readWecomApp } from './read-wecom-app.ts'
import { removeMember } from './remove-member.ts'
import { beginSignIn, completeSignIn } from './sign-in.ts'
import { resumeCompany, suspendCompany } from './suspend-company.ts'

const HOUR_MS = 3_600_000
const phone = 'Mozilla/5.0 (iPhone) wxwork/4.1.36 MicroMessenger/7.0.1'

/** As the card pack does it: the same sign-in for the other audience. */
const employeeEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/employee/sign-in/:code', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: z.object({ code: z.string() }),
    run: (edge, { code }, http) => beginSignIn(edge, http, { companyCode: code, audience: 'employee' }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/sign-in-callback', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: z.object({ code: z.string().optional(), state: z.string().default('') }),
    run: async (edge, { code, state }, http) => {
      const signedIn = await completeSignIn(edge, http, { code, state, audience: 'employee' })
      if (signedIn === null) return
      const personId = encodeId('person', BigInt((signedIn.userid ?? '').length))
      openSession(edge, http, { kind: 'employee', companyId: signedIn.companyId, personId })
      http.redirect(signedIn.returnPath)
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/who', may: 'pack.read', scope: 'read' } as const),
    input: z.object({}),
    output: z.object({ personId: z.string() }),
    run: async (tx) => ({ personId: tx.actor.kind === 'employee' ? tx.actor.personId : '' }),
  }),
]

onBothDatabases('sign-in', (database) => {
  let box: WecomSandbox
  let web: Web
  let company: TestCompany
  let nowMs: number
  let told: string
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 8, 25, 2)
    told = ''
    box = await startWecomSandbox({ now: () => nowMs })
    const wecom = wecomOf(box, { now: () => nowMs, timeoutMs: 500 })
    const stream = new PassThrough()
    stream.on('data', (chunk: Buffer) => (told += chunk.toString()))
    web = await startWeb(database, {
      endpoints: [...companyEndpoints, ...employeeEndpoints],
      ports: { wecom },
      now: () => nowMs,
      log: createLog({ stream }),
    })
    company = await aCompany(database, {
      code: 'qinghe',
      name: '青禾科技',
      sandbox: box,
      staff: [{ userid: 'OnlyStaff', name: '周同事' }],
    })
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const begin = (browser: Browser, path = '/hr/sign-in/qinghe?return=/console/campaigns%3Fpage%3D2') =>
    browser.get(path)
  /** From our address to the moment before WeCom sends the browser back; returns where it sends it. */
  async function callbackOf(browser: Browser, userid: string, path?: string): Promise<string> {
    const away = await begin(browser, path)
    expect(away.status).toBe(302)
    const there = await browser.get(`${away.headers.get('location')!.replace('#wechat_redirect', '')}&as=${userid}`)
    return there.headers.get('location')!
  }
  async function signedIn(userid: string, browser = aBrowser(web.base)): Promise<Browser> {
    const back = await browser.get(await callbackOf(browser, userid))
    expect([back.status, back.headers.get('location')]).toEqual([302, '/console/campaigns?page=2'])
    return browser
  }
  const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code

  test.each([
    ['desktop', '/wwlogin/sso/login', {}],
    ['client', '/connect/oauth2/authorize', { 'user-agent': phone }],
  ])(
    'a member signs in on the %s, comes back to the page, and leaves no trace of who',
    async (_where, path, headers) => {
      const browser = aBrowser(web.base, headers)
      const away = await begin(browser)
      const to = new URL(away.headers.get('location')!)
      expect(to.pathname).toBe(path)
      expect(to.searchParams.get('redirect_uri')).toBe(`${web.base}/hr/sign-in-callback`)
      expect(to.searchParams.get('state')).toMatch(/^[0-9a-f]{32}$/)
      await signedIn('HR', browser)
      const session = await browser.get('/hr/session')
      expect(await session.json()).toEqual({
        member: { id: company.members.hr, name: '林人事', roles: ['hr'] },
        company: {
          id: company.id,
          code: 'qinghe',
          name: '青禾科技',
          paymentRoute: 'non_cash',
          timeZone: 'Asia/Shanghai',
        },
        sandbox: true,
      })
      // Of the two sign-ins begun, the one that was finished has left no cookie but the session's.
      const abandoned = `fulika_sign_in_${to.searchParams.get('state')!.slice(0, 8)}`
      expect([...browser.cookies.keys()]).toEqual([abandoned, 'fulika_hr'])
      expect(told).toContain('/hr/sign-in-callback')
      expect(told).not.toMatch(/SANDBOX|林人事|"hr"|code=|state=/)
    },
  )

  test('a session ends after 12 hours, at sign-out, and counts only below its own path', async () => {
    const browser = await signedIn('hr')
    nowMs += 12 * HOUR_MS - 1
    expect((await browser.get('/hr/session')).status).toBe(200)
    nowMs += 1
    expect((await browser.get('/hr/session')).status).toBe(401)
    nowMs -= HOUR_MS
    const { value } = browser.cookies.get('fulika_hr')!
    const smuggled = { cookie: `fulika_ops=${value}; fulika_pack=${value}` }
    expect((await aBrowser(web.base).get('/operator/session', smuggled)).status).toBe(401)
    expect((await aBrowser(web.base).get('/hr/session', smuggled)).status).toBe(401)
    expect((await browser.send('DELETE', '/hr/session', undefined, { origin: 'https://evil.example' })).status).toBe(
      403,
    )
    expect((await browser.send('DELETE', '/hr/session')).status).toBe(204)
    expect((await browser.get('/hr/session')).status).toBe(401)
  })

  test('a broken connection lets people in to mend it, and a sign-in that WeCom answers mends it', async () => {
    await database.tx((tx) => breakConnection(tx, company.id, '60020'))
    const browser = await signedIn('admin')
    expect((await browser.get('/hr/session')).status).toBe(200)
    expect(await database.tx((tx) => readWecomApp(tx, company.id))).toEqual(company.wecom)
  })

  test('a removed member, a role taken away and a suspended company count from the next request on', async () => {
    const [hr, admin] = [await signedIn('hr'), await signedIn('admin')]
    expect((await hr.get('/hr/settings')).status).toBe(200)
    const change = { companyId: company.id, name: '林人事', userid: 'Hr', roles: ['finance'] as const }
    expect(await database.tx((tx) => addMember(tx, change))).toBe(company.members.hr)
    expect(await (await hr.get('/hr/session')).json()).toMatchObject({ member: { roles: ['finance'] } })
    expect(await database.tx((tx) => removeMember(tx, company.id, company.members.hr))).toBe(true)
    expect((await hr.get('/hr/session')).status).toBe(401)
    expect((await admin.get('/hr/session')).status).toBe(200)
    const again = aBrowser(web.base)
    expect(await codeOf(await again.get(await callbackOf(again, 'hr')))).toBe('sign_in_not_allowed')
    await database.tx((tx) => suspendCompany(tx, company.id))
    expect((await admin.get('/hr/session')).status).toBe(401)
    expect(await codeOf(await begin(aBrowser(web.base)))).toBe('company_suspended')
    await database.tx((tx) => resumeCompany(tx, company.id))
    expect((await admin.get('/hr/session')).status).toBe(200)
  })

  test("another company's session sees its own company only, and its members do not get in here", async () => {
    const other = await aCompany(database, { code: 'other-co', name: '别家', sandbox: box })
    const browser = aBrowser(web.base)
    await browser.get(await callbackOf(browser, 'hr', '/hr/sign-in/other-co'))
    expect(await (await browser.get('/hr/session')).json()).toMatchObject({ company: { id: other.id } })
    const settings = (await (await browser.get('/hr/settings')).json()) as { members: { id: string }[] }
    expect(settings.members.map((each) => each.id).sort()).toEqual(Object.values(other.members).sort())
    // A state of one company, answered with a code of the other: WeCom refuses the foreign code.
    const mixed = aBrowser(web.base)
    const here = new URL(await callbackOf(mixed, 'hr'))
    const there = new URL(await callbackOf(mixed, 'hr', '/hr/sign-in/other-co'))
    here.searchParams.set('code', there.searchParams.get('code')!)
    expect((await mixed.get(here.href)).status).toBeGreaterThanOrEqual(400)
    expect((await mixed.get('/hr/session')).status).toBe(401)
  })

  test('a state that is missing, foreign, old, changed or used does not sign in', async () => {
    const victim = aBrowser(web.base)
    const attacker = aBrowser(web.base)
    const stolen = await callbackOf(attacker, 'hr')
    expect(await codeOf(await victim.get(stolen))).toBe('sign_in_expired')
    expect(await codeOf(await victim.get('/hr/sign-in-callback?code=x'))).toBe('sign_in_expired')
    const url = new URL(await callbackOf(victim, 'hr'))
    const state = url.searchParams.get('state')!
    url.searchParams.set('state', `${state.slice(0, 31)}${state.endsWith('0') ? '1' : '0'}`)
    expect(await codeOf(await victim.get(url.href))).toBe('sign_in_expired')
    const late = await callbackOf(victim, 'hr')
    nowMs += 10 * 60_000
    expect(await codeOf(await victim.get(late))).toBe('sign_in_expired')
    const employee = aBrowser(web.base)
    const forMembers = new URL(await callbackOf(employee, 'hr'))
    for (const [name, one] of employee.cookies) employee.cookies.set(name, { ...one, value: `x${one.value}` })
    expect(await codeOf(await employee.get(forMembers.href))).toBe('sign_in_expired')
    expect((await victim.get('/hr/session')).status).toBe(401)
  })

  test('of ten browsers with one state and its cookie one signs in', async () => {
    const browser = aBrowser(web.base)
    const back = await callbackOf(browser, 'hr')
    const [cookie] = [...browser.cookies].map(([name, one]) => `${name}=${one.value}`)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => aBrowser(web.base).get(back, { cookie: cookie! })),
    )
    const codes = await Promise.all(answers.map(async (each) => (each.status === 302 ? 'in' : codeOf(each))))
    expect(codes.filter((code) => code === 'in')).toHaveLength(1)
    expect(codes.filter((code) => code === 'sign_in_expired')).toHaveLength(9)
    expect(box.control.stats(company.wecom.corpId)?.codesExchanged).toBe(1)
  })

  test('an employee signs in silently on any browser, for 30 days, with a state that no member can use', async () => {
    const browser = aBrowser(web.base)
    const away = await begin(browser, '/employee/sign-in/qinghe')
    const to = new URL(away.headers.get('location')!)
    expect([to.pathname, to.hash]).toEqual(['/connect/oauth2/authorize', '#wechat_redirect'])
    expect(to.searchParams.get('scope')).toBe('snsapi_base')
    const back = await callbackOf(browser, 'OnlyStaff', '/employee/sign-in/qinghe')
    const [name, kept] = [...browser.cookies].at(-1)!
    const crossed = { cookie: `${name}=${kept.value}` }
    const asMember = back.replace('/employee/', '/hr/')
    expect(await codeOf(await aBrowser(web.base).get(asMember, crossed))).toBe('sign_in_expired')
    expect((await browser.get(back)).headers.get('location')).toBe('/pack/')
    nowMs += 30 * 24 * HOUR_MS - 1
    expect(await (await browser.get('/employee/who')).json()).toEqual({ personId: encodeId('person', 9n) })
    nowMs += 1
    expect((await browser.get('/employee/who')).status).toBe(401)
    // The cookie of a sign-in under way is not a session, whatever name it is given.
    expect((await browser.get('/employee/who', { cookie: `fulika_pack=${kept.value}` })).status).toBe(401)
  })

  test('staff without a seat, outsiders, no code and unknown companies are refused', async () => {
    const browser = aBrowser(web.base)
    expect(await codeOf(await browser.get(await callbackOf(browser, 'OnlyStaff')))).toBe('sign_in_not_allowed')
    expect(await codeOf(await browser.get(await callbackOf(browser, '~outsider')))).toBe('sign_in_not_allowed')
    const denied = new URL(await callbackOf(browser, 'hr'))
    denied.searchParams.delete('code')
    expect(await codeOf(await browser.get(denied.href))).toBe('sign_in_refused')
    expect(await codeOf(await begin(browser, '/hr/sign-in/nobody'))).toBe('company_unknown')
    expect(await codeOf(await begin(browser, '/hr/sign-in/NOT_A_CODE'))).toBe('malformed_request')
    const page = await browser.get('/hr/sign-in/nobody', { accept: 'text/html,*/*' })
    expect(page.headers.get('location')).toBe('/console/sign-in?problem=company_unknown')
  })

  test.each([
    '//evil.example',
    '/\\evil.example',
    'https://evil.example/',
    '/\t/evil.example',
    '/a//b',
    '/console/..//evil.example',
    '/console\r\nset-cookie: a=b',
    '/\u2028/evil.example',
    '',
  ])('the return path %j is no way out', async (path) => {
    const answer = await begin(aBrowser(web.base), `/hr/sign-in/qinghe?return=${encodeURIComponent(path)}`)
    expect([answer.status, answer.headers.get('location')]).toEqual([422, null])
  })

  test('a passing fault of WeCom is waited out', async () => {
    box.control.addFault({ path: 'auth/getuserinfo', kind: 'errcode', errcode: -1 })
    box.control.addFault({ path: 'auth/getuserinfo', kind: 'status500_before' })
    await signedIn('hr')
  })

  test('a lost answer that used the code up leads through the sign-in once more', async () => {
    for (const kind of ['cut_after', 'status500_after'] as const) {
      const browser = aBrowser(web.base)
      box.control.addFault({ path: 'auth/getuserinfo', kind })
      const back = await browser.get(await callbackOf(browser, 'hr'))
      const again = new URL(back.headers.get('location')!)
      expect(again.pathname).toBe('/wwlogin/sso/login')
      const there = await browser.get(`${again.href}&as=hr`)
      const home = await browser.follow(there)
      expect(home.headers.get('location')).toBe('/console/campaigns?page=2')
      expect((await browser.get('/hr/session')).status).toBe(200)
    }
  })

  test('WeCom that stays out of reach is told after two more rounds, not asked for ever', async () => {
    const browser = aBrowser(web.base)
    const back = await callbackOf(browser, 'hr')
    box.control.addFault({ path: 'auth/getuserinfo', kind: 'cut_after', times: 100 })
    let answer = await browser.get(back)
    for (let round = 0; round < 2; round += 1) {
      expect(answer.status).toBe(302)
      answer = await browser.follow(await browser.get(`${answer.headers.get('location')!}&as=hr`))
    }
    expect([answer.status, await codeOf(answer)]).toEqual([503, 'provider_unavailable'])
    expect((await browser.get('/hr/session')).status).toBe(401)
  })
})

onBothDatabases('a slow WeCom', (database) => {
  let box: WecomSandbox
  let web: Web
  beforeEach(async () => {
    box = await startWecomSandbox()
    web = await startWeb(database, {
      endpoints: companyEndpoints,
      ports: { wecom: wecomOf(box, { timeoutMs: 5_000 }) },
    })
    await aCompany(database, { code: 'qinghe', sandbox: box })
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const callbackOf = async (browser: Browser): Promise<string> => {
    const away = await browser.get('/hr/sign-in/qinghe')
    const there = await browser.get(`${away.headers.get('location')!}&as=hr`)
    return there.headers.get('location')!
  }

  test('one answer that stays out costs a second round, not the time it takes', async () => {
    const browser = aBrowser(web.base)
    const back = await callbackOf(browser)
    box.control.addFault({ path: 'auth/getuserinfo', kind: 'delay', delayMs: 4_500 })
    const began = performance.now()
    const again = await browser.get(back)
    expect(performance.now() - began).toBeLessThan(3_000)
    expect(new URL(again.headers.get('location')!).pathname).toBe('/wwlogin/sso/login')
    const home = await browser.follow(await browser.get(`${again.headers.get('location')!}&as=hr`))
    expect([home.status, home.headers.get('location')]).toEqual([302, '/console/'])
  })

  test('where every answer is late, the first question still counts', async () => {
    const browser = aBrowser(web.base)
    const back = await callbackOf(browser)
    box.control.addFault({ path: 'auth/getuserinfo', kind: 'delay', delayMs: 1_200, times: 10 })
    const home = await browser.get(back)
    expect([home.status, home.headers.get('location')]).toEqual([302, '/console/'])
  })
})
