import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startWechatConsumer, type WechatConsumer } from './server.ts'

const own = {
  appid: 'wxsandbox0001',
  secret: 'SANDBOXwechatsecret01',
  callback: { token: 'SANDBOXtoken', encodingAesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG' },
  miniProgram: { appid: 'wxsandboxmini01', secret: 'SANDBOXwechatsecret02' },
  openPlatformId: 'sandbox-open-platform',
  templates: {
    gift_claimed: { id: 'T1', keys: { card: 'thing1' } },
    gift_returned: { id: 'T2', keys: { card: 'thing1' } },
  },
}
const origin = 'http://shop.example:8443'
let box: WechatConsumer
let nowMs = Date.UTC(2026, 0, 5)
beforeEach(async () => {
  box = await startWechatConsumer({ now: () => nowMs })
  box.putAccount(own)
  await ctl('apps', { appid: own.appid, domains: ['shop.example:8443'], homeUrl: `${origin}/shop/` })
})
afterEach(() => box.close())

type Said = Readonly<Record<string, unknown>>
const send = (path: string, init: RequestInit = {}) => fetch(`${box.baseUrl}${path}`, { redirect: 'manual', ...init })
const get = async (path: string) => (await send(path)).json() as Promise<Said>
const post = async (path: string, body: unknown) =>
  (
    await send(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
  ).json() as Promise<Said>
async function ctl(path: string, body?: object): Promise<Said> {
  const answer = await send(`/__ctl/${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
  return answer.json() as Promise<Said>
}
const stable = (more: object = {}) =>
  post('/cgi-bin/stable_token', { grant_type: 'client_credential', appid: own.appid, secret: own.secret, ...more })
const plain = () => get(`/cgi-bin/token?grant_type=client_credential&appid=${own.appid}&secret=${own.secret}`)
const alive = async (token: unknown) =>
  (await get(`/cgi-bin/ticket/getticket?type=jsapi&access_token=${String(token)}`))['errcode']
const as = (personId: string) => ({ headers: { cookie: `sandbox_wechat_phone=${personId}` } })
/** A call of the client script from a page of the shop, on somebody's phone. */
const inPage = async (name: string, personId: string, body: object = {}) => {
  const headers = { ...as(personId).headers, origin }
  const answer = await send(`/client/${name}`, { method: 'POST', body: JSON.stringify(body), headers })
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
  return (await answer.json()) as Said
}

const sheetOf = (appId: string) => ({
  appId,
  timeStamp: '1',
  nonceStr: 'n',
  package: 'prepay_id=wx1',
  signType: 'RSA',
  paySign: 's',
})

test('a stable token stays the same until five minutes before its end, and both live then', async () => {
  const first = await stable()
  expect(await stable()).toMatchObject({ access_token: first['access_token'] })
  expect('errcode' in first).toBe(false)
  nowMs += 6_900_000 - 1
  expect((await stable())['access_token']).toBe(first['access_token'])
  nowMs += 1
  const second = await stable()
  expect(second['access_token']).not.toBe(first['access_token'])
  nowMs += 299_999
  expect([await alive(first['access_token']), await alive(second['access_token'])]).toEqual([0, 0])
  nowMs += 1
  expect([await alive(first['access_token']), await alive(second['access_token'])]).toEqual([42001, 0])
})

test('each plain token ends the one before after five minutes, and no stable one; 2,000 a day', async () => {
  const [kept, first, second] = [await stable(), await plain(), await plain()]
  expect(second['access_token']).not.toBe(first['access_token'])
  nowMs += 300_001
  expect([
    await alive(kept['access_token']),
    await alive(first['access_token']),
    await alive(second['access_token']),
  ]).toEqual([0, 42001, 0])
  for (let calls = 2; calls < 2_000; calls += 1) await plain()
  expect(await plain()).toMatchObject({ errcode: 45009 })
  nowMs += 86_400_000
  expect('errcode' in (await plain())).toBe(false)
})

test('forcing kills the token at once, 30 seconds apart and 20 times a day', async () => {
  const first = await stable()
  const forced = await stable({ force_refresh: true })
  expect(await alive(first['access_token'])).toBe(40014)
  expect((await stable({ force_refresh: true }))['access_token']).toBe(forced['access_token'])
  let last = forced
  for (let times = 1; times < 20; times += 1) {
    nowMs += 30_000
    last = await stable({ force_refresh: true })
  }
  nowMs += 30_000
  expect((await stable({ force_refresh: true }))['access_token']).toBe(last['access_token'])
})

test.each([
  ['POST for GET', () => post(`/sns/oauth2/access_token?appid=${own.appid}`, {}), 43001],
  ['GET for POST', () => get('/cgi-bin/stable_token'), 43002],
  ['no body', () => post('/cgi-bin/stable_token', ''), 44002],
  ['no JSON', () => post('/cgi-bin/stable_token', 'appid=x'), 47001],
  ['letters as escapes', () => post('/cgi-bin/stable_token', '{"appid":"\\u5361"}'), 40033],
  ['a token in the body', () => post('/cgi-bin/message/subscribe/bizsend', { access_token: 'x' }), 41001],
  ['a token of nobody', () => post('/cgi-bin/message/subscribe/bizsend?access_token=x', {}), 40001],
  ['no such app', () => stable({ appid: 'wxnobody' }), 40013],
  ['a wrong secret', () => stable({ secret: 'x' }), 40125],
  [
    'another ticket kind',
    async () => get(`/cgi-bin/ticket/getticket?type=x&access_token=${String((await stable())['access_token'])}`),
    40097,
  ],
])('it refuses %s with HTTP 200 and an id to look it up by', async (_name, run, errcode) => {
  expect(await run()).toMatchObject({ errcode, errmsg: expect.stringMatching(/rid: /) as unknown })
})

test('a person’s token reads the profile after consent alone, and lives two hours', async () => {
  const account = { appid: own.appid, secret: own.secret }
  const exchange = async (more: object) => {
    const { code } = await ctl('code', { appid: own.appid, personId: 'lina', ...more })
    const query = new URLSearchParams({ ...account, code: String(code), grant_type: 'authorization_code' })
    return get(`/sns/oauth2/access_token?${query.toString()}`)
  }
  const base = await exchange({})
  const whole = await exchange({ scope: 'snsapi_userinfo' })
  const profile = ({ access_token: token, openid }: Said, of = openid) =>
    get(`/sns/userinfo?access_token=${String(token)}&openid=${String(of)}&lang=zh_CN`)
  expect(await profile(base)).toMatchObject({ errcode: 48001 })
  expect(await profile(whole)).toMatchObject({ nickname: '李娜', sex: 0, city: '', unionid: whole['unionid'] })
  expect(await profile(whole, 'oNobody')).toMatchObject({ errcode: 40003 })
  nowMs += 7_200_000
  expect(await profile(whole)).toMatchObject({ errcode: 42001 })
  const refreshed = await get(
    `/sns/oauth2/refresh_token?appid=${own.appid}&grant_type=refresh_token&refresh_token=${String(whole['refresh_token'])}`,
  )
  expect(refreshed).toMatchObject({ openid: whole['openid'], expires_in: '7200' })
  expect(await profile({ ...whole, ...refreshed })).toMatchObject({ nickname: '李娜' })
})

test('openids are of one app, unionids of one platform, and both are the same after a restart', async () => {
  const before = await ctl('persons/lina')
  const openids = Object.values(before['openids'] as object) as string[]
  expect(new Set(openids).size).toBe(2)
  for (const openid of openids) expect(openid).toMatch(/^o[A-Za-z0-9_-]{27}$/)
  const again = await startWechatConsumer({})
  again.putAccount(own)
  const after = (await (await fetch(`${again.baseUrl}/__ctl/persons/lina`)).json()) as Said
  expect([after['openids'], after['unionid']]).toEqual([before['openids'], before['unionid']])
  await again.close()
})

test('a page’s signature is judged, and the part that differs is named', async () => {
  const { ticket } = await get(
    `/cgi-bin/ticket/getticket?type=jsapi&access_token=${String((await stable())['access_token'])}`,
  )
  const url = `${origin}/shop/card?x=1`
  const signed = (of: string, more: object = {}, given = ticket) => {
    const text = `jsapi_ticket=${String(given)}&noncestr=n1&timestamp=1767578400&url=${of}`
    const signature = createHash('sha1').update(text).digest('hex')
    return { appId: own.appid, url, nonceStr: 'n1', timestamp: 1767578400, signature, ...more }
  }
  const judged = async (page: object) => {
    const { errMsg, differs } = await ctl('jsapi/verify', page)
    return [errMsg, differs]
  }
  expect(await judged(signed(url))).toEqual(['config:ok', undefined])
  expect(await judged(signed(url, { url: `${url}#top` }))).toEqual(['config:ok', undefined])
  expect(await judged(signed(`${origin}/shop/card`))).toEqual(['config:invalid signature', 'url'])
  expect(await judged(signed(encodeURIComponent(url)))).toEqual(['config:invalid signature', 'url'])
  expect(await judged(signed(url, { timestamp: 1767578400123 }))).toEqual(['config:invalid signature', 'timestamp'])
  expect((await judged(signed(url, { nonceStr: 'n2' })))[0]).toBe('config:invalid signature')
  expect((await judged(signed(url, {}, 'foreign')))[0]).toBe('config:invalid signature')
  expect(await judged(signed(url, { url: 'http://other.example/' }))).toEqual(['config:invalid url domain', 'url'])
  expect(await judged(signed(url, { appId: 'wxnobody' }))).toEqual(['config:invalid appid', 'appId'])
  nowMs += 7_200_000
  expect(await judged(signed(url))).toEqual(['config:invalid signature', 'ticket'])
})

test('a preset is kept for links of the shop alone, and a friend gets what was sent', async () => {
  const preset = { appId: own.appid, pageUrl: `${origin}/a`, kind: 'friend', title: '送你一张卡' }
  expect(await inPage('preset', 'chenyu', { ...preset, link: 'http://other.example/g' })).toEqual({ ok: false })
  expect(await inPage('preset', 'chenyu', { ...preset, link: `${origin}/g/1` })).toEqual({ ok: true })
  expect((await ctl('share'))['presets']).toMatchObject([{ personId: 'chenyu', title: '送你一张卡' }])
  const link = { title: '送你一张卡', link: `${origin}/g/1` }
  expect(await inPage('share', 'chenyu', { ...link, to: 'lina' })).toEqual({ ok: true })
  expect(await inPage('share', 'chenyu', { ...link, to: 'chenyu' })).toEqual({ ok: false })
  expect(await inPage('share', 'chenyu', { ...link, to: 'lina', link: 'javascript:alert(1)' })).toEqual({ ok: false })
  expect(await inPage('share', 'nobody', { ...link, to: 'lina' })).toEqual({ ok: false })
  expect((await ctl('persons/lina'))['chats']).toMatchObject([{ from: 'chenyu', to: 'lina', link: `${origin}/g/1` }])
})

test('a link that came can be opened and passed on by who has it, and by nobody else', async () => {
  const { id } = await ctl('share', { from: 'chenyu', to: 'lina', link: `${origin}/g/1`, title: '一张卡' })
  const open = (personId: string) => send(`/phone/${personId}/open?message=${String(id)}`)
  const opened = await open('lina')
  expect([opened.status, opened.headers.get('location')]).toEqual([302, `${origin}/g/1`])
  expect(opened.headers.get('set-cookie')).toContain('sandbox_wechat_phone=lina')
  expect((await open('zhaolei')).status).toBe(404)
  const pass = (from: string, to: string) =>
    send(`/phone/${from}/forward`, { method: 'POST', body: new URLSearchParams({ message: String(id), to }) })
  await pass('lina', 'zhaolei')
  await pass('sunmei', 'zhouqi')
  expect((await ctl('persons/zhaolei'))['chats']).toMatchObject([{ from: 'lina', link: `${origin}/g/1` }])
  expect((await ctl('persons/zhouqi'))['chats']).toEqual([])
  const chat = await (await send('/phone/zhaolei/with/lina')).text()
  expect(chat).toContain('一张卡')
})

test('the phones: the account leads into the shop, texts are escaped, and nobody else’s messages are shown', async () => {
  const shop = await send('/phone/chenyu/shop')
  expect([shop.headers.get('location'), shop.headers.get('set-cookie')]).toEqual([
    `${origin}/shop/`,
    expect.stringContaining('sandbox_wechat_phone=chenyu'),
  ])
  await ctl('share', { from: 'chenyu', to: 'lina', link: `${origin}/g`, title: '<script>alert(1)</script>' })
  for (const path of ['/phone/lina', '/phone/lina/with/chenyu']) {
    const text = await (await send(path)).text()
    expect(text).not.toContain('<script>alert')
    expect(text).toContain('alert(1)')
  }
  expect(await (await send('/phone/zhaolei')).text()).not.toContain('alert(1)')
  expect((await send('/phone/nobody')).status).toBe(404)
  expect((await send('/phone/me', as('lina'))).headers.get('location')).toBe('/phone/lina')
})

test('a page that asks nonsense is told so', async () => {
  for (const body of ['{', '[]', '{"appId":1}'])
    expect((await send('/client/preset', { method: 'POST', body })).status).toBe(400)
  expect(await inPage('sheet', 'chenyu', { params: sheetOf('wxnobody') })).toMatchObject({
    refused: '支付沙箱没有运行。',
  })
})

test('a popup asks for templates that are there, five at most, and remembers what was said for always', async () => {
  const ask = (templateIds: string[]) => inPage('subscription', 'chenyu', { appId: own.appid, templateIds })
  expect(await ask([])).toEqual({ errCode: 10_001 })
  expect(await ask(['T1', 'nothing'])).toEqual({ errCode: 20_001 })
  expect(await ask(['a', 'b', 'c', 'd', 'e', 'f'])).toEqual({ errCode: 20_003 })
  await inPage('subscribe', 'chenyu', { appId: own.appid, answers: { T1: true }, always: true })
  expect(await ask(['T1', 'T2'])).toMatchObject({
    errCode: 0,
    templates: [
      { id: 'T1', always: 'accept' },
      { id: 'T2', always: null },
    ],
  })
  await ctl('persons', { id: 'chenyu', messagesOn: false })
  expect(await ask(['T1'])).toEqual({ errCode: 20_004 })
})

test('the dials are worked from their page, and no control call takes nonsense', async () => {
  const form = (path: string, fields: Record<string, string>) =>
    send(path, { method: 'POST', body: new URLSearchParams(fields) })
  await form('/dials', { kind: 'errcode', path: 'cgi-bin/stable_token', errcode: '-1', times: '1' })
  expect(await (await send('/dials')).text()).toContain('errcode -1')
  expect((await stable())['errcode']).toBe(-1)
  expect('errcode' in (await stable())).toBe(false)
  await form('/dials/snapshot', { mode: 'on' })
  const wrong = await form('/dials/snapshot', { mode: 'perhaps' })
  expect(decodeURIComponent(wrong.headers.get('location') ?? '')).toContain('填写有误')
  const url = `/connect/oauth2/authorize?appid=${own.appid}&redirect_uri=${encodeURIComponent(origin)}&response_type=code&scope=snsapi_userinfo&state=s`
  const location = new URL((await send(url, as('lina'))).headers.get('location') ?? '')
  const code = location.searchParams.get('code') ?? ''
  const exchanged = await get(
    `/sns/oauth2/access_token?appid=${own.appid}&secret=${own.secret}&code=${code}&grant_type=authorization_code`,
  )
  expect(exchanged).toMatchObject({ is_snapshotuser: 1 })
  for (const [path, body] of [
    ['faults', { kind: 'nothing' }],
    ['clock', { advanceMs: -1 }],
    ['share', { from: 'nobody', to: 'lina', link: origin, title: '' }],
    ['code', { appid: 'wxnobody', personId: 'lina' }],
  ] as const)
    expect((await send(`/__ctl/${path}`, { method: 'POST', body: JSON.stringify(body) })).status).toBe(400)
})

test('the log tells what was called and how it ended, and no code, token or secret', async () => {
  await stable()
  const { code } = await ctl('code', { appid: own.appid, personId: 'lina' })
  await get(`/sns/oauth2/access_token?appid=${own.appid}&secret=x&code=${String(code)}&grant_type=authorization_code`)
  const log = await ctl('log')
  expect(log['calls']).toMatchObject([
    { api: 'cgi-bin/stable_token', appid: own.appid, errcode: 0 },
    { api: 'sns/oauth2/access_token', errcode: 40125 },
  ])
  expect(JSON.stringify(log)).not.toContain('SANDBOX')
})

test('it does not start in production', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  await expect(startWechatConsumer()).rejects.toThrow('production')
  vi.unstubAllEnvs()
})
