import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WecomApp } from '../ports.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { boxApp as app, boxRedirect, failureOf, openBox, type Box } from '../../testing/wecom-box.ts'

let it: Box
beforeEach(async () => {
  it = await openBox()
})
afterEach(() => it.close())
const codeFor = async (address: string, as: string) => {
  const response = await fetch(
    address.replace(/(#.*)?$/, (hash) => `&as=${as}${hash}`),
    { redirect: 'manual' },
  )
  const back = new URL(response.headers.get('location') ?? '')
  expect(back.searchParams.get('state')).toBe('ab12')
  return back.searchParams.get('code') ?? ''
}
const other = (kind: WecomApp['kind']): WecomApp => ({ ...app, kind, corpId: 'wpCipher', suiteId: 'wwSuite' })

test.each(['client', 'desktop'] as const)('sign-in on the %s ends in the member, once', async (where) => {
  const url = it.port.signInUrl(app, where, boxRedirect, 'ab12')
  const code = await codeFor(url, 'ZhangSan')
  expect(await it.port.identityByCode(app, code)).toEqual({ kind: 'member', userid: 'ZhangSan', ticket: null })
  expect(await failureOf(it.port.identityByCode(app, code))).toMatchObject({ outcome: 'refused', code: '42022' })
  const outsider = await it.port.identityByCode(app, await codeFor(url, '~outsider'))
  expect(outsider).toEqual({ kind: 'outsider', openid: expect.any(String) as string, externalUserId: null })
  expect(await failureOf(it.port.identityByCode(app, 'invented'))).toMatchObject({ code: '40029' })
  const late = await codeFor(url, 'ZhangSan')
  it.advance(5 * 60_000)
  expect(await failureOf(it.port.identityByCode(app, late))).toMatchObject({ code: '42003' })
})

test('row 12: a mobile is told once the member agreed and the admin granted it, and its ticket ends', async () => {
  it.box.companies.putApp({ corpId: app.corpId, agentId: app.agentId, grants: ['mobile'] })
  const consenting = it.port.signInUrl(app, 'client', boxRedirect, 'ab12', 'consent')
  const ticketOf = async (consent: '0' | '1') => {
    const identity = await it.port.identityByCode(app, await codeFor(consenting, `ZhangSan&consent=${consent}`))
    return identity.kind === 'member' ? (identity.ticket ?? 'none') : 'none'
  }
  expect(await it.port.mobileByTicket(app, await ticketOf('0'))).toBeNull()
  const ticket = await ticketOf('1')
  expect(await it.port.mobileByTicket(app, ticket)).toBe('13800000001')
  it.box.companies.putApp({ corpId: app.corpId, agentId: app.agentId, grants: [] })
  expect(await it.port.mobileByTicket(app, ticket)).toBeNull()
  expect(await failureOf(it.port.mobileByTicket(app, 'invented'))).toMatchObject({ outcome: 'refused', code: '84015' })
  it.advance(1_800_000)
  expect(await failureOf(it.port.mobileByTicket(app, ticket))).toMatchObject({ outcome: 'refused', code: '84014' })
})

test('row 11: an outsider who is a contact of somebody the app sees is told as that contact', async () => {
  it.box.customers.upsertPeople({ people: [{ id: 'p1', name: '工友' }] })
  const url = it.port.signInUrl(app, 'client', boxRedirect, 'ab12')
  const before = await it.port.identityByCode(app, await codeFor(url, '~person:p1'))
  expect(before).toMatchObject({ kind: 'outsider', externalUserId: null })
  const { qrUrl } = await it.port.addContactWay(app, { userIds: ['ZhangSan'], state: 'c1', remark: '' })
  it.box.customers.scan({ personId: 'p1', url: qrUrl })
  expect(await it.port.identityByCode(app, await codeFor(url, '~person:p1'))).toEqual({
    ...before,
    externalUserId: expect.stringMatching(/^wm/) as string,
  })
})

test('an answer that is lost leaves the code unknown', async () => {
  const code = await codeFor(it.port.signInUrl(app, 'client', boxRedirect, 'ab12'), 'ZhangSan')
  it.box.control.addFault({ path: 'auth/getuserinfo', kind: 'cut_after' })
  expect(await failureOf(it.port.identityByCode(app, code))).toMatchObject({ outcome: 'unknown' })
})

test('each kind of app signs in at its own address, and a state with anything but letters and digits never leaves', () => {
  const at = (kind: WecomApp['kind'], where: 'client' | 'desktop', scope?: 'silent' | 'consent') =>
    new URL(it.port.signInUrl(other(kind), where, boxRedirect, 'ab12', scope))
  for (const kind of ['self_built', 'customised'] as const) {
    expect(at(kind, 'client').searchParams.get('appid')).toBe('wpCipher')
    expect(Object.fromEntries(at(kind, 'desktop').searchParams)).toMatchObject({
      login_type: 'CorpApp',
      appid: 'wpCipher',
      agentid: '1000002',
    })
  }
  expect(at('third_party', 'client').searchParams.get('appid')).toBe('wwSuite')
  const desktop = at('third_party', 'desktop').searchParams
  expect([desktop.get('login_type'), desktop.get('appid'), desktop.get('agentid')]).toEqual([
    'ServiceApp',
    'wwSuite',
    null,
  ])
  expect(at('self_built', 'client').searchParams.get('scope')).toBe('snsapi_base')
  const consent = at('self_built', 'client', 'consent')
  expect([consent.searchParams.get('scope'), consent.searchParams.get('agentid'), consent.hash]).toEqual([
    'snsapi_privateinfo',
    '1000002',
    '#wechat_redirect',
  ])
  for (const state of ['a-b', 'a_b', '', 'x'.repeat(129)])
    expect(() => it.port.signInUrl(app, 'client', boxRedirect, state)).toThrow(RangeError)
})

test('members of linked and of other companies are outsiders here', async () => {
  const answering = (answer: object) =>
    wecomOf(it.box, {
      suites: [{ suiteId: 'wwSuite', secret: 's' }],
      suiteTicket: async () => 'ticket',
      fetch: (url) => {
        const token = { access_token: 't', suite_access_token: 's', expires_in: 7_200 }
        return Promise.resolve(
          Response.json(/getuserinfo/.test(url instanceof Request ? url.url : url.toString()) ? answer : token),
        )
      },
    })
  const nobody = { kind: 'outsider', openid: null, externalUserId: null }
  expect(await answering({ errcode: 0, userid: 'wwLinked/ZhangSan' }).identityByCode(app, 'c')).toEqual(nobody)
  const third = other('third_party')
  expect(await answering({ corpid: 'wpElse', userid: 'woA' }).identityByCode(third, 'c')).toEqual(nobody)
  expect(await answering({ corpid: 'wpCipher', userid: 'woAb', user_ticket: 'T' }).identityByCode(third, 'c')).toEqual({
    kind: 'member',
    userid: 'woAb',
    ticket: 'T',
  })
  expect(await answering({ errcode: 0, openid: 'o1', external_userid: 'wm1' }).identityByCode(app, 'c')).toEqual({
    kind: 'outsider',
    openid: 'o1',
    externalUserId: 'wm1',
  })
})
