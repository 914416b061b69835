import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from './server.ts'

const T0 = Date.UTC(2026, 0, 5, 2)
const member = (userid: string, more: object = {}) => ({ userid, name: `员工${userid}`, ...more })
const corp = {
  corpId: 'wwSandbox01',
  agentId: 1000002,
  secret: 'SANDBOXsecret',
  accountLimit: 10,
  trustedDomains: ['cards.example:8443'],
  members: [
    member('ZhangSan', { mobile: '13800000001' }),
    member('LiSi', { mobile: '13800000002', licensed: false }),
    member('WangWu', { mobile: '13800000003', visible: false }),
  ],
}
let box: WecomSandbox
beforeEach(async () => {
  box = await startWecomSandbox({ now: () => T0 })
  expect((await post('/__ctl/corps', corp))['ok']).toBe(true)
})
afterEach(() => box.close())

type Json = Record<string, unknown>
const get = async (path: string): Promise<Json> => (await fetch(box.baseUrl + path)).json() as Promise<Json>
const post = async (path: string, body: unknown): Promise<Json> => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return (await fetch(box.baseUrl + path, { method: 'POST', body: text })).json() as Promise<Json>
}
const tokenOf = async () =>
  String((await get(`/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`))['access_token'])
const send = async (token: string, body: unknown) => post(`/cgi-bin/message/send?access_token=${token}`, body)
const text = (touser: string, more: object = {}) => ({
  touser,
  msgtype: 'text',
  agentid: corp.agentId,
  text: { content: '节日快乐' },
  ...more,
})
const card = (template: object) => text('ZhangSan', { msgtype: 'template_card', template_card: template })
const action = { type: 1, url: 'https://cards.example:8443/open' }

test('a token lives 7,200 s, is the same when asked again, and dead or odd ones have their own codes', async () => {
  const first = await tokenOf()
  expect(await tokenOf()).toBe(first)
  expect((await send('garbage', text('ZhangSan')))['errcode']).toBe(40014)
  expect((await post('/cgi-bin/message/send', { ...text('ZhangSan'), access_token: first }))['errcode']).toBe(41001)
  await post('/__ctl/clock', { advanceMs: 7_200_000 })
  expect((await send(first, text('ZhangSan')))['errcode']).toBe(42001)
  const second = await tokenOf()
  expect(second).not.toBe(first)
  expect((await send(second, text('ZhangSan')))['errcode']).toBe(0)
})

test('wrong secrets give 40001 and then block for an hour', async () => {
  const wrong = () => get(`/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=no`)
  for (let i = 0; i < 10; i += 1) expect((await wrong())['errcode']).toBe(40001)
  expect((await wrong())['errcode']).toBe(45009)
  box.control.advance(3_600_000)
  expect((await wrong())['errcode']).toBe(40001)
})

test('a message that WeCom refuses is refused', async () => {
  const token = await tokenOf()
  const cases: [object, number][] = [
    [text('ZhangSan', { agentid: '1000002' }), 40056],
    [text('ZhangSan', { agentid: 7 }), 301002],
    [text('ZhangSan', { agentid: undefined }), 40056],
    [text('ZhangSan', { msgtype: 'poem' }), 40008],
    [text('ZhangSan', { text: { content: '' } }), 44004],
    [text(Array.from({ length: 1001 }, (_, i) => `u${i}`).join('|')), 40032],
    [text(''), 82001],
    [text('WangWu|nobody'), 81013],
    [card({ card_type: 'text_notice', main_title: { title: 'a' } }), 42045],
    [card({ card_type: 'text_notice', card_action: action }), 42033],
    [card({ card_type: 'news_notice', main_title: { title: 'a' }, card_action: action }), 42044],
    [text('ZhangSan', { msgtype: 'textcard', textcard: { title: 'a', url: action.url } }), 41033],
  ]
  for (const [body, code] of cases) expect([body, (await send(token, body))['errcode']]).toEqual([body, code])
  expect((await get(`/cgi-bin/message/send?access_token=${token}`))['errcode']).toBe(43002)
  expect((await get(`/__ctl/stats/${corp.corpId}`))['delivered']).toBe(0)
})

test('partial failure is errcode 0 with lower-cased lists', async () => {
  const answer = await send(await tokenOf(), text('zhangsan|LiSi|WangWu|Nobody'))
  expect(answer).toMatchObject({ errcode: 0, invaliduser: 'wangwu|nobody', unlicenseduser: 'lisi' })
  expect(box.control.inbox(corp.corpId, 'ZHANGSAN')).toHaveLength(1)
})

test('above 30 a minute a member gets nothing more, silently', async () => {
  const token = await tokenOf()
  for (let i = 0; i < 31; i += 1) expect((await send(token, text('ZhangSan')))['errcode']).toBe(0)
  expect(box.control.stats(corp.corpId)).toMatchObject({ delivered: 30, dropped: 1, accepted: 31 })
  box.control.advance(60_000)
  await send(token, text('ZhangSan'))
  expect(box.control.stats(corp.corpId)).toMatchObject({ delivered: 31, perMember: { '31': 1, '0': 2 } })
})

test('the quota of a day is accounts times 200', async () => {
  box.control.upsertCorp({ ...corp, accountLimit: 1, members: [] })
  const token = await tokenOf()
  for (let i = 0; i < 200; i += 1) await send(token, text('ZhangSan'))
  expect((await send(token, text('ZhangSan')))['errcode']).toBe(45009)
  box.control.advance(14 * 3_600_000)
  expect((await send(await tokenOf(), text('ZhangSan')))['errcode']).toBe(0)
})

test('an identical body inside the interval is not delivered again', async () => {
  const token = await tokenOf()
  const body = JSON.stringify(text('ZhangSan', { enable_duplicate_check: 1, duplicate_check_interval: 60 }))
  const first = await send(token, body)
  expect((await send(token, body))['msgid']).toBe(first['msgid'])
  await send(token, `${body} `)
  expect(box.control.stats(corp.corpId)).toMatchObject({ delivered: 2, suppressedDuplicates: 1 })
  box.control.advance(60_000)
  await send(token, body)
  expect(box.control.inbox(corp.corpId, 'ZhangSan')).toHaveLength(3)
})

test('too many wrong mobiles block the lookup until the next day', async () => {
  const token = await tokenOf()
  const look = (mobile: string) => post(`/cgi-bin/user/getuserid?access_token=${token}`, { mobile })
  expect(await look('13800000001')).toMatchObject({ errcode: 0, userid: 'ZhangSan' })
  for (const mobile of ['13900000001', '13800000003', '13900000003'])
    expect((await look(mobile))['errcode']).toBe(46004)
  expect((await look('13800000001'))['errcode']).toBe(45009)
})

test('sign-in: the phone opens a card as its member, and a code works once for five minutes', async () => {
  const token = await tokenOf()
  await send(token, card({ card_type: 'text_notice', main_title: { title: '<b>卡</b>' }, card_action: action }))
  const chat = await (await fetch(`${box.baseUrl}/phone/${corp.corpId}/ZhangSan`)).text()
  expect(chat).toContain('沙箱')
  expect(chat).toContain('&#60;b&#62;卡')
  const open = /href="([^"]*open\?message=[^"]+)"/.exec(chat)?.[1] ?? ''
  const opened = await fetch(box.baseUrl + open, { redirect: 'manual' })
  expect(opened.headers.get('location')).toBe(action.url)
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  const query = (redirect: string, state = 'ab12') =>
    new URLSearchParams({
      appid: corp.corpId,
      agentid: String(corp.agentId),
      redirect_uri: redirect,
      response_type: 'code',
      scope: 'snsapi_base',
      state,
    }).toString()
  const authorise = (redirect: string, state?: string) =>
    fetch(`${box.baseUrl}/connect/oauth2/authorize?${query(redirect, state)}`, {
      redirect: 'manual',
      headers: { cookie },
    })
  expect((await authorise('https://cards.example/back')).status).toBe(400)
  expect((await authorise('https://cards.example:8443/back', 'a-b')).status).toBe(400)
  const codeOf = async () =>
    new URL((await authorise('https://cards.example:8443/back')).headers.get('location') ?? '').searchParams
  const back = await codeOf()
  expect(back.get('state')).toBe('ab12')
  const exchange = (code: string | null) => get(`/cgi-bin/auth/getuserinfo?access_token=${token}&code=${code}`)
  expect(await exchange(back.get('code'))).toMatchObject({ errcode: 0, userid: 'ZhangSan' })
  expect((await exchange(back.get('code')))['errcode']).toBe(42022)
  const late = await codeOf()
  box.control.advance(300_000)
  expect((await exchange(late.get('code')))['errcode']).toBe(42003)
  expect((await exchange('x'))['errcode']).toBe(40029)
})

test('a desktop picks a member or an outsider on a page', async () => {
  const query = new URLSearchParams({
    login_type: 'CorpApp',
    appid: corp.corpId,
    agentid: String(corp.agentId),
    redirect_uri: 'https://cards.example:8443/back',
    state: 'ff',
  }).toString()
  const page = await (await fetch(`${box.baseUrl}/wwlogin/sso/login?${query}&q=zhang`)).text()
  expect(page).toContain('员工ZhangSan')
  expect(page).not.toContain('员工LiSi')
  const picked = await fetch(`${box.baseUrl}/wwlogin/sso/login?${query}&as=~outsider`, { redirect: 'manual' })
  const code = new URL(picked.headers.get('location') ?? '').searchParams.get('code')
  const answer = await get(`/cgi-bin/auth/getuserinfo?access_token=${await tokenOf()}&code=${code}`)
  expect(answer['userid']).toBeUndefined()
  expect(answer['openid']).toBeTypeOf('string')
})

test('10,000 members go in at once, and bad control input is refused', async () => {
  const members = Array.from({ length: 10_000 }, (_, i) =>
    member(`m${i}`, { mobile: `139${String(i).padStart(8, '0')}` }),
  )
  expect((await post('/__ctl/corps', { ...corp, members }))['ok']).toBe(true)
  expect((await get(`/__ctl/stats/${corp.corpId}`))['members']).toBe(10_003)
  expect((await post('/__ctl/corps', { corpId: 'x' }))['ok']).toBe(false)
  expect((await post('/__ctl/faults', 'no json'))['ok']).toBe(false)
})

test('a company written again keeps its other apps, and its own stays the first', async () => {
  box.companies.putApp({ corpId: corp.corpId, agentId: 7, secret: 'SANDBOXother' })
  for (let i = 0; i < 2; i += 1) box.control.upsertCorp({ ...corp, members: [] })
  const other = await get(`/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=SANDBOXother`)
  expect(await send(String(other['access_token']), text('ZhangSan', { agentid: 7 }))).toMatchObject({ errcode: 0 })
  box.control.upsertCorp({ ...corp, agentId: 1000009, members: [] })
  expect(await send(await tokenOf(), text('ZhangSan', { agentid: 1000009 }))).toMatchObject({ errcode: 0 })
  expect(await (await fetch(`${box.baseUrl}/admin/${corp.corpId}`)).text()).toMatch(/1000009[\s\S]*>7</)
  box.control.upsertCorp({ ...corp, agentId: 7, secret: 'SANDBOXnew', members: [] })
  const kept = await get(`/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`)
  expect(await send(String(kept['access_token']), text('ZhangSan', { agentid: 1000009 }))).toMatchObject({ errcode: 0 })
})
