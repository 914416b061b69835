import { afterEach, beforeEach, expect, test } from 'vitest'
import { corp, provider, startProviderWorld, type ProviderWorld } from '../testing/provider.ts'
import { cipherOf } from './cipher.ts'

const back = 'https://cards.example/back'
let world: ProviderWorld
beforeEach(async () => {
  world = await startProviderWorld()
  const people = ['p1', 'p2'].map((id) => ({ id, name: `工友${id}` }))
  world.box.customers.upsertPeople({ people })
})
afterEach(() => world.close())

type Json = Record<string, unknown>
const page = (query: Record<string, string>, path = '/connect/oauth2/authorize') =>
  fetch(`${world.box.baseUrl}${path}?${new URLSearchParams(query).toString()}`, { redirect: 'manual' })
const own = (more: Record<string, string>) => ({
  appid: corp.corpId,
  agentid: String(corp.agentId),
  redirect_uri: back,
  response_type: 'code',
  scope: 'snsapi_base',
  state: 'abc1',
  ...more,
})
const codeOf = async (answer: Promise<Response>) =>
  new URL((await answer).headers.get('location') ?? '').searchParams.get('code') ?? ''
const tokenOf = async () =>
  String((await world.get(`/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`))['access_token'])
const info = async (code: string): Promise<Json> =>
  world.get(`/cgi-bin/auth/getuserinfo?access_token=${await tokenOf()}&code=${code}`)
const detail = async (ticket: unknown): Promise<Json> =>
  world.post(`/cgi-bin/auth/getuserdetail?access_token=${await tokenOf()}`, { user_ticket: ticket })
const consented = (more: Record<string, string> = {}) =>
  own({ scope: 'snsapi_privateinfo', as: 'ZhangSan', consent: '1', ...more })

test('row 11: a code works once, for five minutes, and the redirect host must be one of the app’s, port included', async () => {
  for (const redirect_uri of ['https://cards.example:8443/', 'https://x.cards.example/', 'ftp://cards.example/', 'x'])
    expect(await (await page(own({ redirect_uri, as: 'ZhangSan' }))).text()).toContain('50001')
  expect(await (await page(own({ state: 'a-b', as: 'ZhangSan' }))).text()).toContain('40035')
  expect(await (await page(own({ agentid: '7', as: 'ZhangSan' }))).text()).toContain('40056')
  const code = await codeOf(page(own({ as: 'zhangsan' })))
  expect(await info(code)).toMatchObject({ errcode: 0, userid: 'ZhangSan' })
  expect((await info(code))['errcode']).toBe(42022)
  expect((await info('invented'))['errcode']).toBe(40029)
  const late = await codeOf(page(own({ as: 'ZhangSan' })))
  world.box.control.advance(300_000)
  expect((await info(late))['errcode']).toBe(42003)
})

test('row 11: a stranger has an openid; a customer has an external id as well while the app sees who serves them', async () => {
  const stranger = await info(await codeOf(page(own({ as: '~outsider' }))))
  expect(stranger).toMatchObject({ errcode: 0, openid: expect.any(String) as string })
  expect(stranger).not.toHaveProperty('userid')
  const person = async () => info(await codeOf(page(own({ as: '~person:p1' }))))
  const before = await person()
  expect(before['openid']).not.toBe(stranger['openid'])
  expect(before).not.toHaveProperty('external_userid')
  const way = { type: 1, scene: 2, user: ['ZhangSan'], state: 'c1' }
  const made = await world.post(`/cgi-bin/externalcontact/add_contact_way?access_token=${await tokenOf()}`, way)
  world.box.customers.scan({ personId: 'p1', url: String(made['qr_code']) })
  expect(await person()).toMatchObject({
    openid: before['openid'],
    external_userid: expect.stringMatching(/^wm/) as string,
  })
  await world.post('/__ctl/visible', { corpId: corp.corpId, agentId: corp.agentId, visible: { userIds: ['LiSi'] } })
  expect(await person()).not.toHaveProperty('external_userid')
})

test('row 12: a ticket comes only with privateinfo, the agentid and the visible range, and lives 1,800 s', async () => {
  const members = [{ userid: 'ZhangSan', name: '张三', mobile: '13800000000' }]
  world.box.control.upsertCorp({ ...corp, members })
  const asking = await page(own({ scope: 'snsapi_privateinfo', as: 'ZhangSan' }))
  expect([asking.status, await asking.text()]).toEqual([200, expect.stringContaining('同意')])
  expect(await info(await codeOf(page(own({ as: 'ZhangSan' }))))).not.toHaveProperty('user_ticket')
  const bare = await info(await codeOf(page(consented({ agentid: '' }))))
  expect(bare).not.toHaveProperty('user_ticket')
  const { user_ticket: ticket } = await info(await codeOf(page(consented())))
  expect(await detail(ticket)).toEqual({ errcode: 0, errmsg: 'ok', userid: 'ZhangSan' })
  const app = { corpId: corp.corpId, agentId: corp.agentId }
  await world.post('/__ctl/apps', { ...app, grants: ['mobile'] })
  expect(await detail(ticket)).toMatchObject({ errcode: 0, mobile: '13800000000' })
  expect(await detail(ticket)).not.toHaveProperty('avatar')
  const { user_ticket: shy } = await info(await codeOf(page(consented({ consent: '0' }))))
  expect(await detail(shy)).not.toHaveProperty('mobile')
  expect((await detail('invented'))['errcode']).toBe(84015)
  world.box.control.advance(1_800_000)
  expect((await detail(ticket))['errcode']).toBe(84014)
  await world.post('/__ctl/visible', { ...app, visible: { userIds: ['LiSi'] } })
  expect(await (await page(consented())).text()).toContain('60021')
  expect(await info(await codeOf(page(own({ as: 'ZhangSan' }))))).toMatchObject({ userid: 'ZhangSan' })
})

test('rows 11 and 12: a third-party suite exchanges its own codes for ciphers, and never gets a mobile', async () => {
  const suiteId = provider.suites[0].suiteId
  const { agentId } = await world.post('/__ctl/suites/install', { suiteId, corpId: corp.corpId })
  const query = own({
    appid: suiteId,
    agentid: String(agentId),
    scope: 'snsapi_privateinfo',
    as: 'ZhangSan',
    consent: '1',
  })
  const code = await codeOf(page(query))
  expect((await info(code))['errcode']).toBe(40029)
  const suite = async () => `suite_access_token=${await world.suiteToken(suiteId)}`
  const third = async (value: string) =>
    world.get(`/cgi-bin/service/auth/getuserinfo3rd?${await suite()}&code=${value}`)
  const userid = cipherOf(provider.corpId, 'ZhangSan')
  const told = await third(code)
  expect(told).toMatchObject({
    errcode: 0,
    corpid: cipherOf(provider.corpId, corp.corpId, 'wp'),
    userid,
    open_userid: userid,
    expires_in: 1_800,
  })
  expect((await third(code))['errcode']).toBe(42022)
  const more = await world.post(`/cgi-bin/service/auth/getuserdetail3rd?${await suite()}`, {
    user_ticket: told['user_ticket'],
  })
  expect(more).toMatchObject({ errcode: 0, userid, name: userid })
  expect(more).not.toHaveProperty('mobile')
  const outside = await third(await codeOf(page({ ...query, as: '~person:p1' })))
  expect(outside).toEqual({ errcode: 0, errmsg: 'ok', openid: expect.any(String) as string })
  const desk = (login_type: string) =>
    page({ login_type, appid: suiteId, redirect_uri: back, state: 'a1', as: 'LiSi' }, '/wwlogin/sso/login')
  expect(await (await desk('CorpApp')).text()).toContain('40035')
  expect(await third(await codeOf(desk('ServiceApp')))).toMatchObject({
    errcode: 0,
    userid: cipherOf(provider.corpId, 'LiSi'),
  })
})

test('a customised app is meant by its cipher corpid and asks auth/getuserinfo; without a licence the page says so', async () => {
  const suiteId = provider.suites[1].suiteId
  const { agentId } = await world.post('/__ctl/suites/install', { suiteId, corpId: corp.corpId })
  const appid = cipherOf(provider.corpId, corp.corpId, 'wp')
  const query = own({ appid, agentid: String(agentId), as: 'ZhangSan' })
  expect((await page(query)).status).toBe(302)
  expect((await page({ ...query, appid: appid.toLowerCase() })).status).toBe(400)
  world.box.control.advance(90 * 86_400_000)
  expect(await (await page(query)).text()).toContain('联系应用的服务商')
})
