import { encrypt, getSignature } from '@wecom/crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { encodeSession, type SessionPayload } from '../../kernel/cookies.ts'
import { endpoint } from '../../kernel/endpoint.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { fundsEndpoints } from '../analytics/funds-endpoints.ts'
import { sessionCookies } from './open-session.ts'
import { createOperator, removeOperator } from './create-operator.ts'
import { companyEndpoints } from './endpoints.ts'
import { readCompany } from './read-company.ts'
import { suspendCompany } from './suspend-company.ts'

const callback = { token: 'QDG6eK', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' }
const nowMs = Date.UTC(2026, 8, 25, 2)
const packEndpoint = endpoint({
  ...({ method: 'GET', path: '/employee/whose', may: 'pack.read', scope: 'read' } as const),
  input: z.object({}),
  output: z.object({ companyId: z.string() }),
  run: async (tx) => ({ companyId: companyOf(tx.actor) }),
})
/** Every test comes from addresses of its own, because wrong keys are counted by address. */
let visitors = 0
const visitor = () => ({ 'x-forwarded-for': `203.0.113.${(visitors += 1)}` })

onBothDatabases('company endpoints', (database) => {
  let web: Web
  let gone: Set<Id<'person'>>
  beforeEach(async () => {
    gone = new Set()
    const wecom = wecomOf({ baseUrl: 'http://127.0.0.1:1' }, { now: () => nowMs })
    web = await startWeb(database, {
      endpoints: [...companyEndpoints, ...fundsEndpoints, packEndpoint],
      ports: { wecom },
      now: () => nowMs,
      personActive: async (_tx, personId) => !gone.has(personId),
    })
  })
  afterEach(() => web.close())

  const cookieOf = (kind: SessionPayload['kind'], ids: Record<string, string>) => {
    const { name } = sessionCookies[kind]
    return { cookie: `${name}=${encodeSession({ kind, ids, expiresAtMs: nowMs + 1000 }, database.house.sessionKey)}` }
  }
  const status = async (path: string, headers: Record<string, string>) =>
    (await aBrowser(web.base).get(path, headers)).status

  test('an operator signs in with the key, and a removed one is out at once', async () => {
    const key = 'K'.repeat(43)
    const id = await database.tx((tx) => createOperator(tx, { name: '运营', roles: ['risk'], key }))
    const browser = aBrowser(web.base, visitor())
    expect((await browser.get('/operator/session')).status).toBe(401)
    const answer = await browser.send('POST', '/operator/session', { key })
    expect(await answer.json()).toEqual({ id, name: '运营', roles: ['risk'], sandbox: true })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^fulika_ops=.*; Path=\/operator; Max-Age=43200; HttpOnly; SameSite=Lax$/,
    )
    expect((await browser.get('/operator/session')).status).toBe(200)
    expect((await browser.send('DELETE', '/operator/session')).status).toBe(204)
    expect((await browser.get('/operator/session')).status).toBe(401)
    await browser.send('POST', '/operator/session', { key })
    await database.tx((tx) => removeOperator(tx, id))
    expect((await browser.get('/operator/session')).status).toBe(401)
    const again = await browser.send('POST', '/operator/session', { key })
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([401, 'sign_in_refused'])
  })

  test('wrong keys of one address get one answer and then a wait; others are not held up', async () => {
    const key = 'R'.repeat(43)
    await database.tx((tx) => createOperator(tx, { name: '运营', roles: ['ops'], key }))
    const browser = aBrowser(web.base, visitor())
    const tell = async (given: string, by = browser) => {
      const answer = await by.send('POST', '/operator/session', { key: given })
      const { code, title } = (await answer.json()) as { code?: string; title?: string }
      return { status: answer.status, code, title, wait: Number(answer.headers.get('retry-after')) }
    }
    const first = await tell('w'.repeat(43))
    expect(first).toMatchObject({ status: 401, code: 'sign_in_refused' })
    for (let i = 1; i < 10; i += 1) expect(await tell(`${i}`.repeat(43))).toEqual(first)
    for (const given of ['w'.repeat(43), key]) {
      const held = await tell(given)
      expect(held).toMatchObject({ status: 429, code: 'too_many_requests' })
      expect(held.wait).toBeGreaterThan(60)
    }
    expect((await tell(key, aBrowser(web.base, visitor()))).status).toBe(200)
  })

  test('a session counts for its own kind, company and people only', async () => {
    const { id, members } = await aCompany(database)
    const other = await aCompany(database)
    const personId = encodeId('person', 1n)
    const employee = cookieOf('employee', { companyId: id, personId })
    const answer = await aBrowser(web.base).get('/employee/whose', employee)
    expect(await answer.json()).toEqual({ companyId: id })
    const rows: readonly [Record<string, string>, string, number][] = [
      [cookieOf('member', { companyId: id, memberId: members.hr }), '/hr/session', 200],
      [cookieOf('member', { companyId: other.id, memberId: members.hr }), '/hr/session', 401],
      [cookieOf('member', { companyId: id }), '/hr/session', 401],
      [cookieOf('member', { companyId: 'x', memberId: 'y' }), '/hr/session', 401],
      [cookieOf('member', { companyId: id, memberId: members.hr }), '/employee/whose', 401],
      [cookieOf('employee', { companyId: id, personId }), '/hr/session', 401],
      [cookieOf('employee', { companyId: encodeId('company', 3n), personId }), '/employee/whose', 401],
      [cookieOf('operator', { operatorId: encodeId('operator', 3n) }), '/operator/session', 401],
      [{ cookie: 'fulika_hr=rubbish' }, '/hr/session', 401],
      [{}, '/hr/session', 401],
    ]
    for (const [headers, path, expected] of rows) expect([path, await status(path, headers)]).toEqual([path, expected])
    gone.add(personId)
    expect(await status('/employee/whose', employee)).toBe(401)
    gone.clear()
    await database.tx((tx) => suspendCompany(tx, id))
    expect(await status('/employee/whose', employee)).toBe(401)
  })

  test('settings show the connection without its secret; the wallet is shown to those who may', async () => {
    const { id, members, wecom, reference } = await aCompany(database, { callback, walletFen: 12_345 })
    const as = (role: 'hr' | 'approver') => cookieOf('member', { companyId: id, memberId: members[role] })
    const text = await (await aBrowser(web.base).get('/hr/settings', as('hr'))).text()
    expect(text).not.toMatch(/SANDBOX|QDG6eK|jWmYm/)
    expect(JSON.parse(text)).toMatchObject({
      wecom: {
        corpId: wecom.corpId,
        agentId: wecom.agentId,
        callbackUrl: `${web.base}/callback/wecom/${id}`,
        callbackSet: true,
      },
      paymentRoute: 'non_cash',
    })
    const { custody } = database.house
    expect(await (await aBrowser(web.base).get('/hr/wallet', as('hr'))).json()).toMatchObject({
      balanceFen: 12_345,
      reference,
      bankAccount: { holder: custody.holder, number: custody.number, bank: custody.bank },
      movements: [{ kind: 'top_up', amountFen: 12_345, balanceAfterFen: 12_345 }],
    })
    expect(await status('/hr/wallet', as('approver'))).toBe(403)
  })

  test('an administrator sets the zone of the company; nobody else does, and not for others', async () => {
    const [one, other] = [await aCompany(database), await aCompany(database)]
    const put = (role: 'hr' | 'admin', timeZone: unknown) => {
      const cookie = cookieOf('member', { companyId: one.id, memberId: one.members[role] })
      return aBrowser(web.base).send('PUT', '/hr/settings/time-zone', { timeZone }, cookie)
    }
    const zones = () =>
      database.tx(async (tx) => [
        (await readCompany(tx, one.id))?.timeZone,
        (await readCompany(tx, other.id))?.timeZone,
      ])
    expect(await zones()).toEqual(['Asia/Shanghai', 'Asia/Shanghai'])
    expect((await put('hr', 'Europe/Berlin')).status).toBe(403)
    for (const wrong of ['+08:00', 'Asia/Nowhere', '', 7, 'x'.repeat(41)])
      expect([wrong, (await put('admin', wrong)).status]).toEqual([wrong, 422])
    const set = await Promise.all([put('admin', 'europe/berlin'), put('admin', 'Europe/Berlin')])
    for (const answer of set) expect(await answer.json()).toEqual({ timeZone: 'Europe/Berlin' })
    expect(await zones()).toEqual(['Europe/Berlin', 'Asia/Shanghai'])
    const written = await database.tx((tx) =>
      sql<{ note: string }>(tx.em, "select note from trail where act = 'company.time_zone'"),
    )
    expect(written).toEqual([{ note: 'Europe/Berlin' }])
  })

  test('an administrator says how often cards may be passed on; nobody else does, and not for others', async () => {
    const [one, other] = [await aCompany(database), await aCompany(database)]
    const put = (role: 'hr' | 'admin', giftDepth: unknown) => {
      const cookie = cookieOf('member', { companyId: one.id, memberId: one.members[role] })
      return aBrowser(web.base).send('PUT', '/hr/settings/gift-depth', { giftDepth }, cookie)
    }
    const depths = () =>
      database.tx(async (tx) => [
        (await readCompany(tx, one.id))?.giftDepth,
        (await readCompany(tx, other.id))?.giftDepth,
      ])
    expect(await depths()).toEqual([0, 0])
    expect((await put('hr', 1)).status).toBe(403)
    for (const wrong of [-1, 1.5, 6, '1', null])
      expect([wrong, (await put('admin', wrong)).status]).toEqual([wrong, 422])
    for (const depth of [2, 2]) expect(await (await put('admin', depth)).json()).toEqual({ giftDepth: depth })
    expect(await depths()).toEqual([2, 0])
    const written = await database.tx((tx) =>
      sql<{ note: string }>(tx.em, "select note from trail where act = 'company.gift_depth'"),
    )
    expect(written).toEqual([{ note: '2' }])
  })

  test('WeCom verifies the callback address and sends events; anything crooked is refused', async () => {
    const { id, wecom } = await aCompany(database, { callback })
    const silent = await aCompany(database)
    const signed = (cipher: string, atMs = nowMs) => {
      const timestamp = String(Math.floor(atMs / 1000))
      const msg_signature = getSignature(callback.token, timestamp, 'n1', cipher)
      return { timestamp, nonce: 'n1', msg_signature }
    }
    const address = (query: Record<string, string>, to: string = id) =>
      `${web.base}/callback/wecom/${to}?${new URLSearchParams(query).toString()}`
    const echostr = encrypt(callback.encodingAesKey, '<1616140317555161061', wecom.corpId)
    const echo = await fetch(address({ ...signed(echostr), echostr }))
    expect([echo.status, await echo.text()]).toEqual([200, '<1616140317555161061'])
    expect(echo.headers.get('content-type')).toBe('text/plain; charset=utf-8')

    const event = '<xml><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event></xml>'
    const post = async (cipher: string, query = signed(cipher), to: string = id) => {
      const body = `<xml><Encrypt><![CDATA[${cipher}]]></Encrypt></xml>`
      const answer = await fetch(address(query, to), { method: 'POST', body, headers: { 'content-type': 'text/xml' } })
      return [answer.status, await answer.text()]
    }
    const good = encrypt(callback.encodingAesKey, event, wecom.corpId)
    expect(await post(good)).toEqual([200, 'success'])
    const foreign = encrypt(callback.encodingAesKey, event, 'wwForeign')
    const refused = await Promise.all([
      post(good, { ...signed(good), nonce: 'n2' }),
      post(good, signed(good, nowMs - 3_600_000)),
      post(foreign),
      post('not base64'),
    ])
    expect(refused.map(([code]) => code)).toEqual([401, 401, 401, 401])
    expect((await post(good, signed(good), silent.id))[0]).toBe(404)
    expect((await post(good, signed(good), encodeId('company', 3n)))[0]).toBe(404)
    expect((await post(good, signed(good), 'nonsense'))[0]).toBe(422)
    expect((await fetch(address({ ...signed(echostr, 0), echostr }))).status).toBe(401)
  })
})
