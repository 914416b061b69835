import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, until } from '../../../sandbox/testing/callback-listener.ts'
import { corp, provider, startProviderWorld, type ProviderWorld } from '../../../sandbox/testing/provider.ts'
import { memoryRows } from '../../kernel/shared-memory.ts'
import { sharedState } from '../../kernel/shared-state.ts'
import { cardBody, failureOf } from '../../testing/wecom-box.ts'
import { wecomOf } from '../../testing/wecom.ts'
import type { WecomApp, WecomPort } from '../ports.ts'

const [third, custom] = [provider.suites[0].suiteId, provider.suites[1].suiteId]
let world: ProviderWorld
/** Two processes that share their rows. */
let ports: readonly WecomPort[]
let calls: string[]
let clockMs: number
beforeEach(async () => {
  world = await startProviderWorld()
  calls = []
  clockMs = await readClock()
  const rows = memoryRows()
  ports = [1, 2].map(() => portOf(sharedState(rows, () => clockMs)))
  await until(() => world.ticket(third) !== 'none', 'the first ticket')
})
afterEach(() => world.close())

async function readClock(): Promise<number> {
  return Number((await world.get('/__ctl/clock'))['nowMs'])
}
async function advance(ms: number): Promise<void> {
  await world.advance(ms)
  clockMs = await readClock()
}
function portOf(
  shared: ReturnType<typeof sharedState>,
  ticket = (suiteId: string): string | null => world.ticket(suiteId),
) {
  return wecomOf(world.box, {
    shared,
    now: () => clockMs,
    suites: provider.suites.map(({ suiteId, secret }) => ({ suiteId, secret, test: suiteId === third })),
    provider,
    suiteTicket: async (suiteId) => ticket(suiteId),
    fetch: (url, init) => {
      calls.push((url as URL).pathname.replace('/cgi-bin/', ''))
      return fetch(url, init)
    },
  })
}
const count = (api: string) => calls.filter((one) => one === api).length

/** Installs from the market and becomes the app. */
async function installed(suiteId: string, port = ports[0]!): Promise<WecomApp> {
  world.box.suites.installFromMarket({ suiteId, corpId: corp.corpId })
  const heard = () =>
    world.listener.heard
      .filter((one) => one.path === `/${suiteId}/command`)
      .map((one) => fieldsOf(one.plain))
      .filter((one) => one['InfoType'] === 'create_auth')
  await until(() => heard().length > 0, 'create_auth')
  const { corpId, permanentCode } = await port.permanentCode(suiteId, heard().at(-1)?.['AuthCode'] ?? '')
  const { agentId } = await port.authInfo(suiteId, corpId, permanentCode)
  const kind = suiteId === third ? 'third_party' : 'customised'
  return { kind, corpId, agentId, secret: permanentCode, suiteId, contactSecret: null }
}

test('row 18: without a ticket nothing is asked, with a stale one WeCom says to wait', async () => {
  const cold = portOf(
    sharedState(memoryRows(), () => clockMs),
    () => null,
  )
  expect(await failureOf(cold.installUrl(third, 'https://cards.example/back', 'a1'))).toMatchObject({
    outcome: 'busy',
    code: 'suite_ticket_missing',
  })
  expect(calls).toEqual([])
  const old = world.ticket(third)
  await advance(31 * 60_000)
  const stale = portOf(
    sharedState(memoryRows(), () => clockMs),
    () => old,
  )
  expect(await failureOf(stale.installUrl(third, 'https://cards.example/back', 'a1'))).toMatchObject({
    outcome: 'busy',
    code: '40085',
  })
  const unknown = failureOf(ports[0]!.installUrl('wwStranger', 'https://cards.example/back', 'a1'))
  expect(await unknown).toMatchObject({ outcome: 'broken', code: 'suite_unknown' })
})

test('row 19: an admin installs from our site; the code is exchanged once, and tells the company, app and range', async () => {
  const url = new URL(await ports[0]!.installUrl(third, 'https://cards.example/back', 'abc1'))
  expect(calls).toEqual(['service/get_suite_token', 'service/get_pre_auth_code', 'service/set_session_info'])
  expect(Object.fromEntries(url.searchParams)).toMatchObject({ suite_id: third, state: 'abc1' })
  const form = new URLSearchParams({ corpId: corp.corpId, range: 'some', departments: '', userIds: 'zhangsan' })
  const back = await fetch(url, { method: 'POST', body: form, redirect: 'manual' })
  const code = new URL(back.headers.get('location') ?? '').searchParams.get('auth_code') ?? ''
  const { corpId, corpName, permanentCode, adminUserId } = await ports[1]!.permanentCode(third, code)
  expect([corpId === corp.corpId, corpName === '', adminUserId === null]).toEqual([false, false, false])
  expect(await failureOf(ports[0]!.permanentCode(third, code))).toMatchObject({ outcome: 'refused', code: '40078' })
  const info = await ports[0]!.authInfo(third, corpId, permanentCode)
  expect(info).toMatchObject({ corpId, accountLimit: 5_000, authMode: 'admin', departments: [], tags: [] })
  expect(info.userIds).toHaveLength(1)
  expect(info.userIds[0]).not.toMatch(/zhangsan/i)
  expect(await failureOf(ports[0]!.authInfo(third, corpId, 'invented'))).toMatchObject({
    outcome: 'broken',
    code: '40084',
  })
  await expect(ports[0]!.installUrl(third, 'https://cards.example/back', 'a-b')).rejects.toThrow(RangeError)
})

test('row 19: a permanent code whose answer is lost is unknown', async () => {
  world.box.suites.installFromMarket({ suiteId: third, corpId: corp.corpId })
  world.box.control.addFault({ path: 'service/v2/get_permanent_code', kind: 'cut_after' })
  expect(await failureOf(ports[0]!.permanentCode(third, 'whatever'))).toMatchObject({ outcome: 'unknown' })
})

test('two processes share the suite token and the company token, and renew each when it dies', async () => {
  const app = await installed(third)
  calls = []
  const [member] = await ports[0]!.membersOf(app, 1)
  const userid = member!.userid
  const all = (title: string) =>
    Promise.all(Array.from({ length: 40 }, (_, i) => ports[i % 2]!.send(app, cardBody(userid, `${title} ${i}`, app))))
  await all('一')
  expect([count('service/get_suite_token'), count('service/get_corp_token')]).toEqual([0, 1])
  world.box.control.voidTokens()
  await all('二')
  // The suite's token is dead as well, which each of the two may learn by a call of its own before one renews it.
  const corpTokens = count('service/get_corp_token')
  expect([3, 4]).toContain(corpTokens)
  expect(count('service/get_suite_token')).toBe(1)
  expect(await ports[1]!.member(app, userid)).toMatchObject({ userid, name: null })
  // WeCom drops what is too much for one member: 30 a minute.
  expect(world.box.control.inbox(corp.corpId, 'ZhangSan')).toHaveLength(30)
  await advance(7_200_000)
  await all('三')
  expect([count('service/get_suite_token'), count('service/get_corp_token')]).toEqual([2, corpTokens + 1])
})

test('row 20: names are nobody’s business of a third-party app, and plain ids convert to its own', async () => {
  const app = await installed(third)
  const ids = await ports[0]!.openUserIds(app, ['ZhangSan', 'Nobody', 'lisi'])
  expect([...ids.keys()]).toEqual(['ZhangSan', 'lisi'])
  const members = await ports[0]!.membersOf(app, 1)
  expect(members.map((one) => one.userid).toSorted()).toEqual(expect.arrayContaining([...ids.values()]))
  expect(members.every((one) => one.name === null)).toBe(true)
  expect((await ports[0]!.departments(app)).every((one) => one.name === null)).toBe(true)
  expect(await ports[0]!.member(app, 'ZhangSan')).toBeNull()
  expect(await ports[0]!.mobileByTicket(app, 'ticket')).toBeNull()
})

test('rows 11 and 12: members of a third-party app sign in inside and on a desktop, and only in their own company', async () => {
  const app = await installed(third)
  const port = ports[0]!
  const codeFrom = async (where: 'client' | 'desktop', as: string) => {
    const url = new URL(port.signInUrl(app, where, 'https://cards.example/back', 'ab12', 'consent'))
    for (const [name, value] of [['as', as] as const, ['consent', '1'] as const]) url.searchParams.set(name, value)
    const back = await fetch(url, { redirect: 'manual' })
    return new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? ''
  }
  const userid = (await port.openUserIds(app, ['ZhangSan'])).get('ZhangSan')
  const code = await codeFrom('client', 'ZhangSan')
  const told = await port.identityByCode(app, code)
  expect(told).toEqual({ kind: 'member', userid, ticket: expect.any(String) as string })
  expect(await failureOf(port.identityByCode(app, code))).toMatchObject({ outcome: 'refused', code: '42022' })
  expect(await port.identityByCode(app, await codeFrom('desktop', 'ZhangSan'))).toMatchObject({
    kind: 'member',
    userid,
  })
  const stranger = await port.identityByCode(app, await codeFrom('client', '~outsider'))
  expect(stranger).toEqual({ kind: 'outsider', openid: expect.any(String) as string, externalUserId: null })
  // The code of another company's member who has the same suite.
  const elsewhere = { ...app, corpId: 'wpAnother' }
  expect(await port.identityByCode(elsewhere, await codeFrom('client', 'ZhangSan'))).toEqual({
    kind: 'outsider',
    openid: null,
    externalUserId: null,
  })
})

test('a customised app has its token from gettoken, and its ids are ciphers too', async () => {
  const app = await installed(custom)
  calls = []
  await ports[0]!.checkCredential(app)
  expect(calls).toEqual(['gettoken'])
  const userid = await ports[0]!.userIdByMobile(app, '13800000000')
  expect(userid).not.toBe('ZhangSan')
  expect((await ports[0]!.send(app, cardBody(userid ?? '', 'x', app))).invalidUsers).toEqual([])
})

test('row 19: a cancelled authorisation is broken, for all processes, without asking again', async () => {
  const app = await installed(third)
  await ports[0]!.checkCredential(app)
  world.box.suites.cancelAuth({ suiteId: third, corpId: corp.corpId })
  calls = []
  for (let i = 0; i < 6; i += 1)
    expect(await failureOf(ports[i % 2]!.member(app, 'x'))).toMatchObject({ outcome: 'broken' })
  expect(count('service/get_corp_token')).toBe(1)
  expect(await failureOf(ports[1]!.authInfo(third, app.corpId, app.secret))).toMatchObject({ outcome: 'broken' })
})

test('row 30: licences are activated by their codes, and what was not is told with its reason', async () => {
  const app = await installed(third)
  // Three months at once: tickets and tokens are over, and the next ticket is pushed by hand.
  world.box.control.advance(91 * 86_400_000)
  clockMs = await readClock()
  world.box.suites.pushTicket({ suiteId: third })
  const ids = await ports[0]!.openUserIds(app, ['ZhangSan', 'LiSi'])
  const [zhang, li] = [ids.get('ZhangSan') ?? '', ids.get('LiSi') ?? '']
  const before = await ports[0]!.send(app, cardBody(`${zhang}|${li}`, '试用期后', app))
  expect(before.unlicensedUsers).toHaveLength(2)
  const { activeCodes } = world.box.suites.buyLicences({ providerCorpId: provider.corpId, kind: 'base', count: 1 })
  const failed = await ports[0]!.activateLicences(app, [
    { userid: zhang, activeCode: activeCodes[0] ?? '' },
    { userid: li, activeCode: 'invented' },
  ])
  expect([...failed]).toEqual([[li, '40058']])
  const after = await ports[1]!.send(app, cardBody(`${zhang}|${li}`, '激活后', app))
  expect(after.unlicensedUsers).toHaveLength(1)
  expect((await ports[0]!.activateLicences(app, [])).size).toBe(0)
  const many = Array.from({ length: 1_001 }, () => ({ userid: zhang, activeCode: 'x' }))
  await expect(ports[0]!.activateLicences(app, many)).rejects.toThrow(RangeError)
  const none = wecomOf(world.box, { now: () => clockMs })
  expect(await failureOf(none.activateLicences(app, many.slice(0, 1)))).toMatchObject({ code: 'provider_unknown' })
})
