import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryRows } from '../../kernel/shared-memory.ts'
import { sharedState } from '../../kernel/shared-state.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { boxApp as app, cardBody as body, failureOf, openBox, type Box } from '../../testing/wecom-box.ts'
import type { WecomPort } from '../ports.ts'

let it: Box
/** Two processes that share their rows. */
let ports: readonly WecomPort[]
beforeEach(async () => {
  it = await openBox()
  const rows = memoryRows()
  ports = [1, 2].map(() => it.adapter({ shared: sharedState(rows, it.now) }))
})
afterEach(() => it.close())
const stats = () => it.box.control.stats(app.corpId)
const all = (title?: string) =>
  Promise.all(Array.from({ length: 100 }, (_, i) => ports[i % 2]!.send(app, body(`m${i}`, title))))

test('row 1: 100 calls at once of two processes fetch one token, and again when it has expired', async () => {
  await all()
  expect(stats()).toMatchObject({ gettoken: 1, delivered: 100 })
  it.advance(14_400_000)
  await all()
  expect(stats()).toMatchObject({ gettoken: 2, delivered: 200 })
  it.box.control.expireTokens()
  it.advance(60_000)
  await all('再次')
  expect(stats()).toMatchObject({ gettoken: 3, delivered: 300 })
})

test('row 2: a token that WeCom voids early is renewed once for all, and nobody gets a message twice', async () => {
  await all('一')
  it.box.control.voidTokens()
  await all('二')
  expect(stats()).toMatchObject({ gettoken: 2, delivered: 200 })
  it.box.control.set({ overlapTokens: true })
  it.box.control.voidTokens()
  await all('三')
  expect(stats()).toMatchObject({ gettoken: 3, delivered: 300 })
})

test('a dead token is renewed and the call repeated; the same token is not tried again and again', async () => {
  for (const errcode of [40014, 42001]) {
    it.box.control.addFault({ path: 'message/send', kind: 'errcode', errcode })
    expect((await it.port.send(app, body('ZhangSan', `token ${errcode}`))).messageId).toBeTypeOf('string')
  }
  it.box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: 42001, times: 2 })
  expect(await failureOf(it.port.send(app, body('ZhangSan')))).toMatchObject({ outcome: 'busy', code: '42001' })
  expect(stats()).toMatchObject({ delivered: 2 })
})

test('a process that missed a renewal and finds that token dead as well renews it', async () => {
  await ports[0]!.send(app, body('m1'))
  await ports[1]!.send(app, body('m2'))
  it.box.control.voidTokens()
  await ports[0]!.send(app, body('m3'))
  it.box.control.voidTokens()
  expect((await ports[1]!.send(app, body('m4'))).messageId).toBeTypeOf('string')
  expect(stats()).toMatchObject({ gettoken: 3, delivered: 4 })
})

test('the token is renewed at 90 % of its life', async () => {
  await it.port.send(app, body('m1'))
  it.advance(6_479_000)
  await it.port.send(app, body('m2'))
  expect(stats()).toMatchObject({ gettoken: 1 })
  it.advance(1_000)
  await it.port.send(app, body('m3'))
  expect(stats()).toMatchObject({ gettoken: 2 })
})

test('a token that is only due for renewal serves while WeCom cannot be reached', async () => {
  await it.port.send(app, body('m1'))
  it.advance(6_500_000)
  it.box.control.addFault({ path: 'gettoken', kind: 'cut_before', times: 100 })
  expect((await it.port.send(app, body('m2'))).messageId).toBeTypeOf('string')
  it.advance(700_000)
  expect(await failureOf(it.port.send(app, body('m3')))).toMatchObject({ outcome: 'busy' })
})

test('row 3: a wrong secret is asked about once by all processes, for an hour, and a new secret works at once', async () => {
  const wrong = { ...app, secret: 'wrong-secret-0001' }
  for (let i = 0; i < 5; i += 1)
    expect(await failureOf(ports[i % 2]!.send(wrong, body('m1')))).toMatchObject({ outcome: 'broken', code: '40001' })
  expect(stats()).toMatchObject({ gettoken: 1 })
  await Promise.all(Array.from({ length: 20 }, (_, i) => failureOf(ports[i % 2]!.send(wrong, body('m1')))))
  expect(stats()).toMatchObject({ gettoken: 1 })
  it.advance(3_600_001)
  await Promise.all(Array.from({ length: 20 }, (_, i) => failureOf(ports[i % 2]!.send(wrong, body('m1')))))
  expect(stats()).toMatchObject({ gettoken: 2 })
  expect((await ports[1]!.send(app, body('m1'))).messageId).toBeTypeOf('string')
})

test('row 3: however many wrong secrets are tried, our address is never barred for the others', async () => {
  const good = Array.from({ length: 8 }, (_, i) => ({ ...app, corpId: `wwGood${i}`, secret: `good${i}` }))
  for (const { corpId, agentId, secret } of good)
    it.box.control.upsertCorp({ corpId, agentId, secret, accountLimit: 10, trustedDomains: [], members: [] })
  for (const one of good.slice(0, 4)) await it.port.checkCredential(one)
  const rows = memoryRows()
  const both = [1, 2].map(() => it.adapter({ shared: sharedState(rows, it.now) }))
  for (const one of good.slice(0, 4)) await both[0]!.checkCredential(one)
  const codes = new Set<string>()
  for (let i = 0; i < 40; i += 1) {
    const wrong = { ...app, corpId: `ww${i % 13}`, secret: `wrong-${i}` }
    codes.add((await failureOf(both[i % 2]!.checkCredential(wrong))).code)
  }
  expect(codes).toEqual(new Set(['40013', 'too_many_wrong_secrets']))
  it.advance(7_200_000)
  // Credentials that worked before renew their tokens all the while; new ones follow when the hour is over.
  for (const one of good) await both[1]!.checkCredential(one)
  const barred = good.map((one) => it.box.control.stats(one.corpId)?.gettoken)
  expect(barred).toEqual([3, 3, 3, 3, 1, 1, 1, 1])
})

test('one tenant may not use up the tries of the rest', async () => {
  for (let i = 0; i < 10; i += 1) await failureOf(it.port.checkCredential({ ...app, secret: `wrong-${i}` }))
  expect(stats()).toMatchObject({ gettoken: 3 })
  await it.port.checkCredential({ ...app, corpId: 'wwNew' }).catch(() => undefined)
  it.box.control.upsertCorp({
    corpId: 'wwNext',
    agentId: 1,
    secret: 'next',
    accountLimit: 1,
    trustedDomains: [],
    members: [],
  })
  await it.port.checkCredential({ ...app, corpId: 'wwNext', agentId: 1, secret: 'next' })
})

test('row 3: while WeCom bars our address nobody asks for a token', async () => {
  it.box.control.addFault({ path: 'gettoken', kind: 'errcode', errcode: 45009 })
  expect(await failureOf(ports[0]!.send(app, body('m1')))).toMatchObject({ outcome: 'busy', code: '45009' })
  const waiting = await failureOf(ports[1]!.send({ ...app, secret: 'another' }, body('m1')))
  expect(waiting).toMatchObject({ outcome: 'busy', code: '45009' })
  expect(stats()).toMatchObject({ gettoken: 0 })
  it.advance(waiting.retryAfterMs)
  expect((await ports[1]!.send(app, body('m1'))).messageId).toBeTypeOf('string')
})

test('row 4: a token of the wrong kind is told, and the app is not called with it', async () => {
  const sync = { ...app, secret: 'SANDBOXcontacts' }
  expect(await failureOf(it.port.send(sync, body('m1')))).toMatchObject({ outcome: 'broken', code: '48002' })
  expect(await failureOf(it.port.send({ ...app, agentId: 7 }, body('m1', 'x', { ...app, agentId: 7 })))).toMatchObject({
    outcome: 'broken',
    code: '301002',
  })
  // The app works on without contact sync, so a wrong secret of that is no broken connection; it is asked about once.
  const contactCodes = [
    [app.secret, '48002'],
    [null, 'contact_secret_missing'],
    ['wrong', '40001'],
    ['wrong', '40001'],
  ] as const
  for (const [contactSecret, code] of contactCodes)
    expect(await failureOf(it.port.memberIds({ ...app, contactSecret }, null))).toMatchObject({
      outcome: 'refused',
      code,
    })
  expect(stats()).toMatchObject({ gettoken: 4 })
})

test('row 31: an address that is not trusted is told to a person, and works when it is', async () => {
  it.box.control.set({ trustedIps: true })
  expect(await failureOf(it.port.send(app, body('m1')))).toMatchObject({ outcome: 'broken', code: '60020' })
  it.box.companies.putApp({ corpId: app.corpId, agentId: app.agentId, trustedIps: ['127.0.0.1'] })
  expect((await it.port.send(app, body('m1'))).messageId).toBeTypeOf('string')
})

test('calls of an API keep under its limits, and say how long to wait', async () => {
  let calls = 0
  const counted = wecomOf(it.box, {
    now: it.now,
    fetch: () => {
      calls += 1
      return Promise.resolve(Response.json({ access_token: 't', expires_in: 7200, userid: 'ZhangSan' }))
    },
  })
  for (let i = 0; i < 9_500; i += 1) await counted.userIdByMobile(app, '13800000001')
  const busy = await failureOf(counted.userIdByMobile(app, '13800000001'))
  expect(busy).toMatchObject({ outcome: 'busy', code: 'paced' })
  expect(calls).toBe(9_501)
  it.advance(busy.retryAfterMs)
  expect(await counted.userIdByMobile(app, '13800000001')).toBe('ZhangSan')
  // Another API, and another company, have windows of their own; the address has one for all companies.
  const elsewhere = { ...app, corpId: 'wwOther' }
  for (let i = 0; i < 9_499; i += 1) await counted.userIdByMobile(elsewhere, '13800000001')
  expect(await counted.member(app, 'ZhangSan')).toMatchObject({ userid: 'ZhangSan' })
})

test('tickets of the page signature are fetched once, of each kind, and rationed', async () => {
  const [corp, agent] = await Promise.all([
    ports[0]!.jsTicket(app, 'corp'),
    ports[1]!.jsTicket(app, 'agent'),
    ports[1]!.jsTicket(app, 'corp'),
    ports[0]!.jsTicket(app, 'agent'),
  ])
  expect(corp).not.toBe(agent)
  expect(await ports[1]!.jsTicket(app, 'corp')).toBe(corp)
  it.advance(6_480_001)
  await ports[1]!.jsTicket(app, 'corp')
})

test('row 13: tickets that die at once are asked for 95 times an hour, not more', async () => {
  let asked = 0
  const short = it.adapter({
    fetch: (url) => {
      const ticket = (url as URL).pathname.endsWith('ticket')
      if (ticket) asked += 1
      return Promise.resolve(
        Response.json(ticket ? { ticket: 't', expires_in: 1 } : { access_token: 'a', expires_in: 7_200 }),
      )
    },
  })
  let busy = 0
  for (let i = 0; i < 120; i += 1) {
    await short.jsTicket(app, 'corp').catch(() => (busy += 1))
    it.advance(1_000)
  }
  expect([asked, busy]).toEqual([95, 25])
  const refused = await failureOf(short.jsTicket(app, 'corp'))
  expect(refused).toMatchObject({ outcome: 'busy', code: 'paced' })
  it.advance(refused.retryAfterMs)
  expect(await short.jsTicket(app, 'corp')).toBe('t')
})
