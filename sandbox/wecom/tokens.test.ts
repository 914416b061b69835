import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { company, getFrom, installSuite, MORNING, startCompany, type CompanyWorld } from '../testing/company.ts'
import { corp, provider, startProviderWorld } from '../testing/provider.ts'
import { startWecomSandbox } from './server.ts'

let world: CompanyWorld
beforeEach(async () => {
  world = await startCompany()
})
afterEach(() => world.close())

const message = { touser: 'ZhangSan', msgtype: 'text', agentid: company.agentId, text: { content: '节日快乐' } }
const send = async (token: string, body: object = message) =>
  (await world.post(`/cgi-bin/message/send?access_token=${token}`, body))['errcode']
const gettoken = (secret: string, corpId = company.corpId) =>
  world.get(`/cgi-bin/gettoken?corpid=${corpId}&corpsecret=${secret}`)
const other = { corpId: company.corpId, agentId: 1000003, secret: 'SANDBOXother', name: '考勤' }

test('row 1: a token for each app, the same when asked again within 7,200 s; dead, odd and missing ones differ', async () => {
  world.box.companies.putApp(other)
  expect(await gettoken(company.secret)).toMatchObject({ errcode: 0, errmsg: 'ok', expires_in: 7_200 })
  const [first, foreign] = [await world.token(), await world.token(other.secret)]
  expect(first).not.toBe(foreign)
  world.box.control.advance(7_199_000)
  expect(await world.token()).toBe(first)
  expect(await send(first)).toBe(0)
  world.box.control.advance(1_000)
  expect(await send(first)).toBe(42001)
  expect(await send('SANDBOXinvented')).toBe(40014)
  expect(await send('')).toBe(41001)
  const inBody = await world.post('/cgi-bin/message/send', { ...message, access_token: await world.token() })
  expect(inBody['errcode']).toBe(41001)
  expect((await world.get('/cgi-bin/gettoken?corpsecret=x'))['errcode']).toBe(41002)
  expect((await world.get(`/cgi-bin/gettoken?corpid=${company.corpId}`))['errcode']).toBe(41004)
  expect((await gettoken('x', 'wwNobody'))['errcode']).toBe(40013)
})

test('row 2: a token may be void early; an expired one stays dead beside the new one unless overlap is on', async () => {
  const first = await world.token()
  await world.post('/__ctl/void-tokens', {})
  expect(await send(first)).toBe(40014)
  const second = await world.token()
  expect(second).not.toBe(first)
  world.box.control.advance(7_200_000)
  const third = await world.token()
  expect([await send(second), await send(third)]).toEqual([42001, 0])
  await world.post('/__ctl/settings', { overlapTokens: true })
  expect([await send(second), await send(third)]).toEqual([0, 0])
  world.box.control.advance(300_000)
  expect(await send(second)).toBe(42001)
})

test('row 3: wrong secrets block the calling address for an hour, for every company behind it and for no other', async () => {
  const [wrong, right] = [() => gettoken('no'), () => gettoken(company.secret)]
  for (let i = 0; i < 10; i += 1) expect((await wrong())['errcode']).toBe(40001)
  expect((await right())['errcode']).toBe(45009)
  const url = `${world.box.baseUrl}/cgi-bin/gettoken?corpid=${company.corpId}&corpsecret=${company.secret}`
  expect((await getFrom('127.0.0.2', url))['errcode']).toBe(0)
  world.box.control.advance(3_599_999)
  expect((await right())['errcode']).toBe(45009)
  world.box.control.advance(1)
  expect((await right())['errcode']).toBe(0)
})

test('row 4: the token of another app, of contact sync, of a suite or a provider opens nothing that is not its own', async () => {
  world.box.companies.putApp(other)
  expect(await send(await world.token(other.secret))).toBe(301002)
  const contact = await world.token(company.contactSecret)
  expect(await send(contact)).toBe(48002)
  const login = await world.get(`/cgi-bin/auth/getuserinfo?access_token=${contact}&code=x`)
  expect(login['errcode']).toBe(48002)
  expect(await world.code('user/list_id', {})).toBe(48002)
  world.box.companies.putApp({ corpId: company.corpId, agentId: company.agentId, on: false })
  expect((await gettoken(company.secret))['errcode']).toBe(50003)
  world.box.companies.putApp({ corpId: company.corpId, agentId: company.agentId, on: true })
  const token = await world.token()
  world.box.companies.putApp({ corpId: company.corpId, agentId: company.agentId, on: false })
  expect(await send(token)).toBe(50003)
})

test('row 4: tokens of suites and providers are no access tokens, and a permanent code of a suite gets none by gettoken', async () => {
  const [third, custom] = [provider.suites[0].suiteId, provider.suites[1].suiteId]
  const providers = await startProviderWorld()
  const codeOf = async (token: string) =>
    (await providers.post(`/cgi-bin/message/send?access_token=${token}`, message))['errcode']
  expect(await codeOf(await providers.suiteToken(third))).toBe(40014)
  expect(await codeOf(await providers.providerToken())).toBe(40014)
  const own = await providers.get(`/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`)
  const asSuite = `/cgi-bin/service/get_pre_auth_code?suite_access_token=${String(own['access_token'])}`
  expect((await providers.get(asSuite))['errcode']).toBe(40082)
  const app = await installSuite(providers, third, corp.corpId)
  const query = `corpid=${app.corpId}&corpsecret=${app.permanentCode}`
  expect((await providers.get(`/cgi-bin/gettoken?${query}`))['errcode']).toBe(48002)
  const customised = await installSuite(providers, custom, corp.corpId)
  expect(await codeOf(customised.token)).toBe(301002)
  await providers.close()
})

test('row 5: refusals are HTTP 200 with an errmsg that differs each time; the wrong method has its own code', async () => {
  const [first, second] = [await gettoken('no'), await gettoken('no')]
  expect(first['errmsg']).toMatch(/hint: \[\w+\], from ip: 127\.0\.0\.1/)
  expect(first['errmsg']).not.toBe(second['errmsg'])
  const answer = await fetch(`${world.box.baseUrl}/cgi-bin/gettoken`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  expect((await world.get('/cgi-bin/message/send'))['errcode']).toBe(43002)
  expect((await world.post('/cgi-bin/gettoken', {}))['errcode']).toBe(43001)
})

test('row 29: more calls of one API at once than are allowed get 45033, and other APIs go on', async () => {
  await world.post('/__ctl/settings', { parallelCalls: 3 })
  await world.post('/__ctl/faults', { path: 'user/getuserid', kind: 'delay', delayMs: 700, times: 5 })
  const look = () => world.code('user/getuserid', { mobile: '13800000001' })
  await world.token()
  const many = Promise.all(Array.from({ length: 5 }, look))
  expect((await many).filter((code) => code === 45033)).toHaveLength(2)
  world.box.control.clearFaults()
  expect([await look(), await send(await world.token())]).toEqual([0, 0])
})

test('10,000 calls a minute and 150,000 an hour of one API and company; messages do not count', async () => {
  await world.post('/__ctl/settings', { callsPerMinute: 2, callsPerHour: 3 })
  const look = () => world.code('user/getuserid', { mobile: '13800000001' })
  expect([await look(), await look(), await look()]).toEqual([0, 0, 45009])
  expect(await world.code('department/simplelist')).toBe(0)
  world.box.control.advance(60_000)
  expect(await look()).toBe(45009)
  world.box.control.advance(3_600_000)
  expect(await look()).toBe(0)
  const token = await world.token()
  for (let i = 0; i < 5; i += 1) expect(await send(token)).toBe(0)
})

test('the addresses of the API and of its callbacks are told', async () => {
  for (const api of ['get_api_domain_ip', 'getcallbackip'])
    expect(await world.call(api)).toEqual({ errcode: 0, errmsg: 'ok', ip_list: ['127.0.0.1'] })
})

test('row 31: with the switch on, only trusted addresses may call', async () => {
  const token = await world.token()
  const url = `${world.box.baseUrl}/cgi-bin/department/simplelist?access_token=${token}`
  expect((await getFrom('127.0.0.2', url))['errcode']).toBe(0)
  await world.post('/__ctl/settings', { trustedIps: true })
  expect((await world.get(`/cgi-bin/department/simplelist?access_token=${token}`))['errcode']).toBe(60020)
  world.box.companies.putApp({ corpId: company.corpId, agentId: company.agentId, trustedIps: ['127.0.0.2'] })
  expect((await getFrom('127.0.0.2', url))['errcode']).toBe(0)
  expect(await send(token)).toBe(60020)
})

test('the log tells every call, whose it was and how it ended, and no token; none of it starts in production', async () => {
  await send(await world.token())
  await send('SANDBOXinvented')
  const log = await world.get(`/__ctl/log?api=message/send`)
  const [atMs, api] = [MORNING, 'message/send']
  expect(log['calls']).toEqual([
    { atMs, api, corpId: company.corpId, agentId: company.agentId, errcode: 0 },
    { atMs, api, corpId: null, agentId: null, errcode: 40014 },
  ])
  const whole = JSON.stringify(await world.get('/__ctl/log'))
  expect(whole).toContain('gettoken')
  expect(whole).not.toContain('SANDBOX')
  vi.stubEnv('NODE_ENV', 'production')
  await expect(startWecomSandbox()).rejects.toThrow('production')
  vi.unstubAllEnvs()
})
