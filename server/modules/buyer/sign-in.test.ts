import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { createLog } from '../../kernel/log.ts'
import { sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { boxAccount, openWechatBox, type WechatBox } from '../../testing/wechat-box.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { storePackEndpoints } from '../cardpack/store-endpoints.ts'
import { buyerEndpoints } from './endpoints.ts'
import { forgetBuyer } from './forget-buyer.ts'
import { knowBuyer } from './know-buyer.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const PAGE = '/shop/listings/lst_1?pay=1'
const EXCHANGE = 'sns/oauth2/access_token'

onBothDatabases('a buyer signs in', (database) => {
  let wechat: WechatBox
  let web: Web
  let nowMs: number
  let told: string
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    told = ''
    const now = () => nowMs
    wechat = await openWechatBox({ now })
    const stream = new PassThrough()
    stream.on('data', (chunk: Buffer) => (told += chunk.toString()))
    web = await startWeb(database, {
      endpoints: [...buyerEndpoints, ...storePackEndpoints],
      ports: { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }), wechat: wechat.port },
      now,
      log: createLog({ stream }),
    })
    await wechat.ctl('apps', { appid: boxAccount.appid, domains: [new URL(web.base).host] })
    database.house = { ...database.house, wechat: wechat.house }
  })
  afterEach(async () => {
    await web.close()
    await wechat.close()
  })

  const phone = (): Browser => aBrowser(web.base, { accept: 'text/html,*/*;q=0.8' })
  const signInPath = (page = PAGE) => `/store/sign-in?return=${encodeURIComponent(page)}`
  const locationOf = (answer: Response) => answer.headers.get('location') ?? ''
  /** From a page of ours to the moment before WeChat sends the browser back; returns where it sends it. */
  async function callbackOf(browser: Browser, person: string, page?: string): Promise<URL> {
    const away = await browser.get(signInPath(page))
    expect(away.status).toBe(302)
    return new URL(locationOf(await browser.get(`${locationOf(away).replace('#', `&as=${person}#`)}`)))
  }
  /** Goes wherever it is sent until it stands on a page of ours; that page. */
  async function pageAfter(browser: Browser, from: URL): Promise<string> {
    let url = from
    for (let hop = 0; hop < 20; hop += 1) {
      url = new URL(locationOf(await browser.get(url.href)), url)
      if (url.origin === web.base && !url.pathname.startsWith('/store/')) return url.pathname + url.search
    }
    throw new Error('sent round and round')
  }
  async function signIn(browser: Browser, person: string, page?: string): Promise<string> {
    return pageAfter(browser, await callbackOf(browser, person, page))
  }
  const isSignedIn = async (browser: Browser): Promise<boolean> =>
    ((await (await browser.get('/store/session')).json()) as { signedIn: boolean }).signedIn
  const accounts = () =>
    database.tx((tx) =>
      sql<{ buyerId: Id<'buyer'>; appid: string }>(
        tx.em,
        `select buyer.id as buyerId, buyer_account.appid as appid from buyer
          left join buyer_account on buyer_account.buyer_id = buyer.id order by buyer_account.id`,
      ),
    )
  const problemOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]
  const asked = async (): Promise<number[]> => {
    const { calls } = await wechat.ctl<{ calls: { api: string; errcode: number }[] }>('log')
    return calls.filter(({ api }) => api.includes(EXCHANGE)).map(({ errcode }) => errcode)
  }

  test('silently, back to the very page, and nothing tells who it is', async () => {
    const [first, second] = [phone(), phone()]
    expect(await isSignedIn(first)).toBe(false)
    const away = new URL(locationOf(await first.get(signInPath())))
    expect([away.pathname, away.searchParams.get('scope')]).toEqual(['/connect/oauth2/authorize', 'snsapi_base'])
    expect(await signIn(first, 'chenyu')).toBe(PAGE)
    expect(await isSignedIn(first)).toBe(true)
    expect(await signIn(second, 'chenyu', '/shop/orders')).toBe('/shop/orders')
    expect(await accounts()).toHaveLength(1)
    expect(await signIn(phone(), 'lina')).toBe(PAGE)
    expect(await accounts()).toHaveLength(2)
    const { openids, unionid } = await wechat.person('chenyu')
    const answers = await Promise.all(
      ['/store/session', '/store/setting', '/store/pack'].map(async (path) => (await first.get(path)).text()),
    )
    const cookies = [...first.cookies]
      .filter(([name]) => name.startsWith('fulika_'))
      .map(([, { value }]) => value + Buffer.from(value.split('.')[0]!, 'base64url').toString('utf8'))
    expect(cookies.join()).toContain('buyerId')
    for (const personal of [...Object.values(openids), unionid, 'chenyu', '陈雨'])
      expect(told + answers.join() + cookies.join()).not.toContain(personal)
    expect(told).toContain('/store/sign-in-callback')
    expect(told).not.toMatch(/SANDBOX|code=|state=/)
  })

  test('for thirty days, below /store only, until they sign out', async () => {
    const browser = phone()
    await signIn(browser, 'chenyu')
    const { value, path } = browser.cookies.get('fulika_store')!
    expect(path).toBe('/store')
    const smuggled = { cookie: `fulika_pack=${value}; fulika_hr=${value}` }
    expect((await aBrowser(web.base).get('/store/pack', smuggled)).status).toBe(401)
    nowMs += 30 * DAY_MS - 1
    expect(await isSignedIn(browser)).toBe(true)
    nowMs += 1
    expect(await isSignedIn(browser)).toBe(false)
    nowMs -= DAY_MS
    const foreign = await browser.send('DELETE', '/store/session', undefined, { origin: 'https://evil.example' })
    expect(foreign.status).toBe(403)
    expect(await isSignedIn(browser)).toBe(true)
    expect((await browser.send('DELETE', '/store/session')).status).toBe(204)
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('two phones of one person at once are one buyer', async () => {
    const browsers = Array.from({ length: 6 }, phone)
    const backs: URL[] = []
    for (const browser of browsers) backs.push(await callbackOf(browser, 'chenyu'))
    const pages = await Promise.all(backs.map((back, index) => pageAfter(browsers[index]!, back)))
    expect(new Set(pages)).toEqual(new Set([PAGE]))
    expect(await accounts()).toHaveLength(1)
    for (const browser of browsers) expect(await isSignedIn(browser)).toBe(true)
  })

  test('the account of a mini program is joined by its unionid, and by nothing else', async () => {
    const { appid, miniProgram } = boxAccount
    const mini = async (person: string) => {
      const code = await wechat.code(person, { appid: miniProgram!.appid })
      const told = await wechat.port.identityByMiniProgramCode(code)
      return database.tx((tx) => knowBuyer(tx, told))
    }
    const full = async (person: string) => {
      const { openid, unionid } = await wechat.port.identityByCode(
        await wechat.code(person, { scope: 'snsapi_userinfo' }),
      )
      expect(unionid).not.toBe(null)
      return database.tx((tx) => knowBuyer(tx, { appid, openid, unionid }))
    }
    // Silence tells no unionid, so nothing joins these two; names and pictures would prove nothing.
    await signIn(phone(), 'lina')
    const [silent] = await accounts()
    expect(await mini('lina')).not.toBe(silent!.buyerId)
    const joined = await mini('chenyu')
    expect(await full('chenyu')).toBe(joined)
    expect(await mini('chenyu')).toBe(joined)
    await signIn(phone(), 'chenyu')
    const known = await accounts()
    expect(known.filter(({ buyerId }) => buyerId === joined).map((one) => one.appid)).toEqual([
      miniProgram!.appid,
      appid,
    ])
    expect(new Set(known.map(({ buyerId }) => buyerId)).size).toBe(3)
  })

  test.each(['one after the other', 'at once'])(
    'a code that is delivered twice, %s, leads to the page',
    async (how) => {
      const browser = phone()
      const back = await callbackOf(browser, 'chenyu')
      const pages =
        how === 'at once'
          ? await Promise.all([pageAfter(browser, back), pageAfter(browser, back)])
          : [await pageAfter(browser, back), await pageAfter(browser, back)]
      expect(pages).toEqual([PAGE, PAGE])
      expect(await isSignedIn(browser)).toBe(true)
      expect(await accounts()).toHaveLength(1)
    },
  )

  test('a code that was used is worth nothing: the browser is asked who it is itself, twice at most', async () => {
    const victim = await callbackOf(phone(), 'chenyu')
    const spent = victim.searchParams.get('code')!
    await wechat.port.identityByCode(spent)
    const thief = phone()
    const own = await callbackOf(thief, 'lina')
    own.searchParams.set('code', spent)
    const again = await thief.get(own.href)
    expect(new URL(locationOf(again)).pathname).toBe('/connect/oauth2/authorize')
    expect([...thief.cookies.keys()]).not.toContain('fulika_store')
    expect(await accounts()).toEqual([])
    // Each time it comes back with it: at the third it is told.
    let answer = again
    for (let round = 0; round < 2; round += 1) {
      const back = new URL(locationOf(await thief.follow(answer)))
      back.searchParams.set('code', spent)
      answer = await thief.get(back.href)
    }
    expect(locationOf(answer)).toBe(`${PAGE}&problem=provider_unavailable`)
    expect(await isSignedIn(thief)).toBe(false)
    expect(await accounts()).toEqual([])
  })

  test("a code of another app, and one that is too old, are asked for anew: the phone's own owner is signed in", async () => {
    const browser = phone()
    const back = await callbackOf(browser, 'chenyu')
    back.searchParams.set('code', await wechat.code('lina', { appid: boxAccount.miniProgram!.appid }))
    expect(await pageAfter(browser, back)).toBe(PAGE)
    const slow = phone()
    const late = await callbackOf(slow, 'chenyu')
    nowMs += 6 * MINUTE_MS
    expect(await pageAfter(slow, late)).toBe(PAGE)
    expect(await asked()).toEqual([40029, 0, 42003, 0])
    expect(await accounts()).toHaveLength(1)
  })

  test("another browser's state, one that is over, and none at all sign nobody in", async () => {
    const back = await callbackOf(phone(), 'chenyu')
    const other = phone()
    await callbackOf(other, 'lina')
    expect(locationOf(await other.get(back.href))).toBe('/shop/?problem=sign_in_expired')
    const program = aBrowser(web.base)
    expect(await problemOf(await program.get(back.href))).toEqual([401, 'sign_in_expired'])
    for (const state of ['', 'x', '0'.repeat(32), 'a'.repeat(200)]) {
      const answer = await program.get(`/store/sign-in-callback?code=CODE&state=${state}`)
      expect(answer.status).toBe(state.length > 128 ? 422 : 401)
    }
    const slow = phone()
    const late = await callbackOf(slow, 'chenyu')
    nowMs += 10 * MINUTE_MS
    expect(locationOf(await slow.get(late.href))).toBe('/shop/?problem=sign_in_expired')
    expect(await accounts()).toEqual([])
    expect(await asked()).toEqual([])
  })

  test('who turns back comes without a code, is told so on the page, and is nobody', async () => {
    const browser = phone()
    const back = await callbackOf(browser, 'chenyu')
    back.searchParams.delete('code')
    expect(locationOf(await browser.get(back.href))).toBe(`${PAGE}&problem=sign_in_refused`)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await accounts()).toEqual([])
  })

  test('a snapshot page may only look: no buyer, no session, and the page that it stands on says so', async () => {
    await wechat.ctl('snapshot', { mode: 'on' })
    const browser = phone()
    expect(await signIn(browser, 'chenyu')).toBe(`${PAGE}&problem=snapshot_page`)
    expect([...browser.cookies.keys()]).not.toContain('fulika_store')
    expect(await accounts()).toEqual([])
    await wechat.ctl('snapshot', { mode: 'real_id' })
    expect(await signIn(browser, 'chenyu', '/mine/gift/TOKEN')).toBe('/shop/?problem=snapshot_page')
    expect(await accounts()).toEqual([])
    // Its visitor asks for all of the page: WeChat opens it anew.
    await wechat.ctl('snapshot', { mode: 'off' })
    expect(await signIn(browser, 'chenyu')).toBe(PAGE)
    expect(await accounts()).toHaveLength(1)
  })

  test.each([
    ['an answer that is lost after its effect', { kind: 'cut_after' }, [0, 0]],
    ['an answer that is none', { kind: 'status500_after' }, [0, 0]],
    ['a connection that is cut', { kind: 'cut_before' }, [0]],
    ['a busy system, of which nobody knows what it did', { kind: 'errcode', errcode: -1 }, [0]],
    ['a pace that was too fast', { kind: 'errcode', errcode: 45_011 }, [0]],
  ])('%s: the person notices nothing', async (_what, fault, calls) => {
    const browser = phone()
    const back = await callbackOf(browser, 'chenyu')
    await wechat.ctl('faults', { ...fault, path: EXCHANGE })
    expect(await pageAfter(browser, back)).toBe(PAGE)
    expect(await asked()).toEqual(calls)
    expect(await accounts()).toHaveLength(1)
  })

  test('a WeChat that is away for good is said on the page, and the next try works', async () => {
    const browser = phone()
    await wechat.ctl('faults', { kind: 'status500_before', path: EXCHANGE, times: 3 })
    expect(await signIn(browser, 'chenyu')).toBe(`${PAGE}&problem=provider_unavailable`)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await signIn(browser, 'chenyu')).toBe(PAGE)
  })

  test('nobody is led away from us', async () => {
    const bad = ['https://evil.example/', '//evil.example', '/\\evil.example', '/shop//evil.example', 'shop', '']
    for (const page of [...bad, '/shop/\r\nSet-Cookie: a=b', `/shop/${'x'.repeat(300)}`, '/shop/中文']) {
      const answer = await aBrowser(web.base).get(signInPath(page))
      expect([page, ...(await problemOf(answer))]).toEqual([page, 422, 'malformed_request'])
    }
  })

  test('a house without a service account lets people look, and says that nobody can sign in', async () => {
    database.house = { ...database.house, wechat: null }
    expect(locationOf(await phone().get(signInPath()))).toBe('/shop/?problem=wechat_not_connected')
    const setting = await (await aBrowser(web.base).get('/store/setting')).json()
    expect(setting).toMatchObject({ appid: null, noticeTemplates: {} })
  })

  test('who is forgotten is signed out everywhere, and the same account is somebody new', async () => {
    const browser = phone()
    await signIn(browser, 'chenyu')
    const [before] = await accounts()
    expect((await browser.get('/store/pack')).status).toBe(200)
    for (let time = 0; time < 2; time += 1) await database.tx((tx) => forgetBuyer(tx, before!.buyerId))
    expect(await isSignedIn(browser)).toBe(false)
    expect(await problemOf(await browser.get('/store/pack'))).toEqual([401, 'unauthenticated'])
    expect(await signIn(browser, 'chenyu')).toBe(PAGE)
    const after = (await accounts()).find(({ appid }) => appid === boxAccount.appid)
    expect(after!.buyerId).not.toBe(before!.buyerId)
    const trail = await database.tx((tx) =>
      sql<{ n: unknown }>(tx.em, "select count(*) as n from trail where object_id = ? and act = 'buyer.forgotten'", [
        before!.buyerId,
      ]),
    )
    expect(Number(trail[0]!.n)).toBe(1)
  })
})
