import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, until } from '../testing/callback-listener.ts'
import { corp, provider, startProviderWorld, T0, type ProviderWorld } from '../testing/provider.ts'
import { cipherOf } from './cipher.ts'

const [third, custom] = [provider.suites[0].suiteId, provider.suites[1].suiteId]
let world: ProviderWorld
beforeEach(async () => {
  world = await startProviderWorld()
})
afterEach(() => world.close())

type Json = Record<string, unknown>
const service = async (suiteId: string, path: string, body: unknown): Promise<Json> =>
  world.post(`/cgi-bin/service/${path}?suite_access_token=${await world.suiteToken(suiteId)}`, body)
const heard = (suiteId: string, infoType: string) =>
  world.listener.heard
    .filter((one) => one.path === `/${suiteId}/command`)
    .map((one) => ({ ...one, fields: fieldsOf(one.plain) }))
    .filter((one) => one.fields['InfoType'] === infoType)
const come = (suiteId: string, infoType: string, count = 1) =>
  until(() => heard(suiteId, infoType).length >= count, `${infoType} of ${suiteId}`)
const seenCorp = cipherOf(provider.corpId, corp.corpId, 'wp')
/** Installs from the market and exchanges the code: the permanent code. */
async function installed(suiteId: string): Promise<string> {
  await world.post('/__ctl/suites/install', { suiteId, corpId: corp.corpId })
  await come(suiteId, 'create_auth')
  const code = heard(suiteId, 'create_auth').at(-1)?.fields['AuthCode']
  return String((await service(suiteId, 'v2/get_permanent_code', { auth_code: code }))['permanent_code'])
}
const corpToken = (permanent: string, corpId = seenCorp) =>
  service(third, 'get_corp_token', { auth_corpid: corpId, permanent_code: permanent })
const lookUp = (token: unknown) =>
  world.post(`/cgi-bin/user/getuserid?access_token=${String(token)}`, { mobile: '13800000000' })

test('row 18: nothing works before the first ticket; a ticket comes every 10 minutes and is usable for 30', async () => {
  const cold = await startProviderWorld(false)
  const form = { suite_id: third, suite_secret: `SANDBOX${third}` }
  const asked = (ticket: string) => world.post('/cgi-bin/service/get_suite_token', { ...form, suite_ticket: ticket })
  const none = await cold.post('/cgi-bin/service/get_suite_token', { ...form, suite_ticket: 'none' })
  expect(none['errcode']).toBe(40085)
  await cold.close()
  await come(third, 'suite_ticket')
  const first = world.ticket(third)
  expect(await asked(first)).toEqual({ suite_access_token: expect.any(String) as string, expires_in: 7_200 })
  await world.advance(9 * 60_000)
  expect(world.ticket(third)).toBe(first)
  await world.advance(60_000)
  expect(world.ticket(third)).not.toBe(first)
  await world.advance(19 * 60_000)
  expect((await asked(first))['errcode']).toBeUndefined()
  await world.advance(60_000)
  expect((await asked(first))['errcode']).toBe(40085)
  const before = world.ticket(third)
  await world.post('/__ctl/suites/ticket', { suiteId: third })
  expect(world.ticket(third)).not.toBe(before)
  expect((await asked(world.ticket(third)))['errcode']).toBeUndefined()
  const wrong = { ...form, suite_secret: 'no', suite_ticket: world.ticket(third) }
  expect((await world.post('/cgi-bin/service/get_suite_token', wrong))['errcode']).toBe(40001)
})

test('row 19: an install from our site leads back with a code, and no create_auth is sent', async () => {
  const token = await world.suiteToken(third)
  const { pre_auth_code: pre } = await world.get(`/cgi-bin/service/get_pre_auth_code?suite_access_token=${token}`)
  const session = { pre_auth_code: pre, session_info: { auth_type: 1 } }
  expect((await service(third, 'set_session_info', session))['errcode']).toBe(0)
  const page = (code: unknown, redirect = 'https://cards.example/back', state = 'abc1') =>
    `${world.box.baseUrl}/3rdapp/install?${new URLSearchParams({ suite_id: third, pre_auth_code: String(code), redirect_uri: redirect, state }).toString()}`
  expect(await (await fetch(page('none'))).text()).toContain('40077')
  expect(await (await fetch(page(pre, 'https://evil.example/'))).text()).toContain('50001')
  expect(await (await fetch(page(pre, 'https://cards.example/', 'a-b'))).text()).toContain('40035')
  expect(await (await fetch(page(pre))).text()).toContain(corp.corpId)
  const some = new URLSearchParams({ corpId: corp.corpId, range: 'some', departments: '', userIds: 'zhangsan' })
  const back = await fetch(page(pre), { method: 'POST', body: some, redirect: 'manual' })
  const to = new URL(back.headers.get('location') ?? '')
  expect([to.host, to.searchParams.get('state'), to.searchParams.get('expires_in')]).toEqual([
    'cards.example',
    'abc1',
    '600',
  ])
  expect(await (await fetch(page(pre))).text()).toContain('40077')
  const auth = { auth_code: to.searchParams.get('auth_code') }
  const given = await service(third, 'v2/get_permanent_code', auth)
  expect(given).toMatchObject({
    errcode: 0,
    state: 'abc1',
    auth_corp_info: { corpid: seenCorp, corp_name: expect.any(String) as string },
  })
  expect(given['access_token']).toBeUndefined()
  expect((await service(third, 'v2/get_permanent_code', auth))['errcode']).toBe(40078)
  const form = { auth_corpid: seenCorp, permanent_code: given['permanent_code'] }
  const info = await service(third, 'v2/get_auth_info', form)
  const userid = cipherOf(provider.corpId, 'ZhangSan')
  expect(info).toMatchObject({
    auth_corp_info: { corp_user_max: 5_000 },
    auth_info: { agent: [{ privilege: { allow_user: [userid] } }] },
  })
  expect(heard(third, 'create_auth')).toEqual([])
  const late = await world.get(`/cgi-bin/service/get_pre_auth_code?suite_access_token=${token}`)
  await world.advance(20 * 60_000)
  expect(await (await fetch(page(late['pre_auth_code']))).text()).toContain('42007')
})

test('row 19: an install from the market sends create_auth; its code works once and for 10 minutes, for its suite', async () => {
  await world.post('/__ctl/suites/install', { suiteId: third, corpId: corp.corpId })
  await come(third, 'create_auth')
  const { fields, receiveId, envelope } = heard(third, 'create_auth')[0]!
  expect([fields['SuiteId'], receiveId, fields['AuthCorpId']]).toEqual([third, third, undefined])
  expect(envelope).toContain(`<ToUserName><![CDATA[${third}]]></ToUserName><AgentID><![CDATA[]]></AgentID>`)
  const auth = { auth_code: fields['AuthCode'] }
  expect((await service(custom, 'v2/get_permanent_code', auth))['errcode']).toBe(40078)
  expect((await service(third, 'v2/get_permanent_code', auth))['errcode']).toBe(0)
  expect((await service(third, 'v2/get_permanent_code', auth))['errcode']).toBe(40078)
  await world.post('/__ctl/suites/install', { suiteId: custom, corpId: corp.corpId })
  await come(custom, 'create_auth')
  await world.advance(600_000)
  const late = { auth_code: heard(custom, 'create_auth')[0]?.fields['AuthCode'] }
  expect((await service(custom, 'v2/get_permanent_code', late))['errcode']).toBe(40078)
})

test('tokens: a third-party app asks get_corp_token, a customised one gettoken with its permanent code', async () => {
  const permanent = await installed(third)
  const token = await corpToken(permanent)
  expect(token).toEqual({ access_token: expect.any(String) as string, expires_in: 7_200 })
  expect(await lookUp(token['access_token'])).toMatchObject({
    errcode: 0,
    userid: cipherOf(provider.corpId, 'ZhangSan'),
  })
  expect((await corpToken('invented'))['errcode']).toBe(40084)
  expect((await corpToken(permanent, corp.corpId))['errcode']).toBe(40013)
  const code = await installed(custom)
  const own = await world.get(`/cgi-bin/gettoken?corpid=${seenCorp}&corpsecret=${code}`)
  expect((await lookUp(own['access_token']))['errcode']).toBe(0)
  const crossed = await service(custom, 'get_corp_token', { auth_corpid: seenCorp, permanent_code: code })
  expect(crossed['errcode']).toBe(48002)
  expect((await world.get(`/cgi-bin/gettoken?corpid=${seenCorp}&corpsecret=${permanent}`))['errcode']).toBe(48002)
  expect((await world.post('/cgi-bin/service/v2/get_auth_info?suite_access_token=x', {}))['errcode']).toBe(40082)
})

test('row 19: change_auth names the company and nothing else; members who leave the range are told to the app', async () => {
  await installed(third)
  const corpId = corp.corpId
  await world.post('/__ctl/suites/change', { suiteId: third, corpId, visible: { userIds: ['LiSi'] } })
  await come(third, 'change_auth')
  expect(Object.keys(heard(third, 'change_auth')[0]!.fields).sort()).toEqual(
    ['AuthCorpId', 'ExtraInfo', 'InfoType', 'State', 'SuiteId', 'TimeStamp'].sort(),
  )
  const data = () => world.listener.heard.filter((one) => one.path === `/${third}/data/${seenCorp}`)
  await until(() => data().length === 2, 'two unsubscribe events')
  expect(data().map((one) => fieldsOf(one.plain)['FromUserName'])).not.toContain(cipherOf(provider.corpId, 'LiSi'))
  expect(data()[0]).toMatchObject({ receiveId: seenCorp, signed: true })
  expect(fieldsOf(data()[0]!.plain)).toMatchObject({ Event: 'unsubscribe', ToUserName: seenCorp })
})

test('row 19: cancel_auth kills the permanent code and the tokens at once', async () => {
  const permanent = await installed(third)
  const { access_token: token } = await corpToken(permanent)
  expect((await lookUp(token))['errcode']).toBe(0)
  await world.post('/__ctl/suites/cancel', { suiteId: third, corpId: corp.corpId })
  expect((await lookUp(token))['errcode']).toBe(40014)
  expect((await corpToken(permanent))['errcode']).toBe(40084)
  expect((await corpToken('other'))['errcode']).toBe(48004)
  await come(third, 'cancel_auth')
  expect(heard(third, 'cancel_auth')[0]?.fields).toMatchObject({ AuthCorpId: seenCorp })
  const again = await world.post('/__ctl/suites/cancel', { suiteId: third, corpId: corp.corpId })
  expect(again['ok']).toBe(false)
})

test('row 19: reset_permanent_code names no company; its code gives a new permanent code and ends the old one', async () => {
  const old = await installed(custom)
  const { access_token: token } = await world.get(`/cgi-bin/gettoken?corpid=${seenCorp}&corpsecret=${old}`)
  await world.post('/__ctl/suites/reset', { suiteId: custom, corpId: corp.corpId })
  await come(custom, 'reset_permanent_code')
  const { fields } = heard(custom, 'reset_permanent_code')[0]!
  expect(Object.keys(fields).sort()).toEqual(['AuthCode', 'InfoType', 'SuiteId', 'TimeStamp'])
  const given = await service(custom, 'v2/get_permanent_code', { auth_code: fields['AuthCode'] })
  expect(given).toMatchObject({ auth_corp_info: { corpid: seenCorp } })
  expect(given['permanent_code']).not.toBe(old)
  expect((await lookUp(token))['errcode']).toBe(40014)
  expect((await world.get(`/cgi-bin/gettoken?corpid=${seenCorp}&corpsecret=${old}`))['errcode']).toBe(40084)
  expect((await world.post('/__ctl/suites/reset', { suiteId: third, corpId: corp.corpId }))['ok']).toBe(false)
})

test('row 30: after a trial of 90 days members need licences; one call or one of 1,000 restores them', async () => {
  const { access_token } = await corpToken(await installed(third))
  const { agentId } = [...(await agents())][0]!
  const users = ['ZhangSan', 'LiSi', 'WangWu'].map((id) => cipherOf(provider.corpId, id))
  const send = async (token: unknown) =>
    world.post(`/cgi-bin/message/send?access_token=${String(token)}`, {
      touser: users.join('|'),
      msgtype: 'text',
      agentid: agentId,
      text: { content: '节日快乐' },
    })
  expect((await send(access_token))['unlicenseduser']).toBeUndefined()
  world.box.control.advance(T0 + 90 * 86_400_000 - T0)
  await until(() => heard(third, 'suite_ticket').length > 1, 'a fresh ticket')
  const permanent = await reExchange()
  const token = (await corpToken(permanent))['access_token']
  expect(String((await send(token))['unlicenseduser']).split('|')).toHaveLength(3)
  const { activeCodes } = world.box.suites.buyLicences({ providerCorpId: provider.corpId, kind: 'base', count: 3 })
  const licence = async (path: string, body: object) =>
    world.post(`/cgi-bin/license/${path}?provider_access_token=${await world.providerToken()}`, {
      corpid: seenCorp,
      ...body,
    })
  expect(await licence('active_account', { active_code: activeCodes[0], userid: users[0] })).toMatchObject({
    errcode: 0,
  })
  expect(await licence('active_account', { active_code: activeCodes[0], userid: users[0] })).toMatchObject({
    errcode: 0,
  })
  expect((await licence('active_account', { active_code: activeCodes[0], userid: users[1] }))['errcode']).not.toBe(0)
  const list = [1, 2].map((i) => ({ active_code: activeCodes[i], userid: users[i] }))
  const many = await licence('batch_active_account', {
    active_list: [...list, { active_code: 'none', userid: users[0] }],
  })
  expect((many['active_result'] as Json[]).map((one) => one['errcode'])).toEqual([0, 0, 40058])
  expect((await send(token))['unlicenseduser']).toBeUndefined()
  world.box.control.advance(373 * 86_400_000)
  await until(() => heard(third, 'suite_ticket').length > 2, 'a fresh ticket')
  expect(String((await send((await corpToken(permanent))['access_token']))['unlicenseduser']).split('|')).toHaveLength(
    3,
  )
})

async function agents(): Promise<readonly { agentId: number }[]> {
  const found = await world.post('/__ctl/suites/install', { suiteId: third, corpId: corp.corpId })
  return [{ agentId: Number(found['agentId']) }]
}

/** A company that authorises again keeps its permanent code, and reinstalling does not begin the trial anew. */
async function reExchange(): Promise<string> {
  const before = heard(third, 'create_auth').length
  await world.post('/__ctl/suites/install', { suiteId: third, corpId: corp.corpId })
  await come(third, 'create_auth', before + 1)
  const code = heard(third, 'create_auth').at(-1)?.fields['AuthCode']
  return String((await service(third, 'v2/get_permanent_code', { auth_code: code }))['permanent_code'])
}
