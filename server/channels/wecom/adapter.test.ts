import { encrypt, getSignature } from '@wecom/crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { NoticeRefused, OutsideError } from '../../kernel/outside.ts'
import type { WecomApp, WecomPort } from '../ports.ts'
import { wecomAdapter } from './adapter.ts'

const app: WecomApp = { corpId: 'wwSandbox01', agentId: 1000002, secret: 'SANDBOXsecret' }
const redirect = 'http://cards.example:8443/sign-in'
let nowMs: number
let box: WecomSandbox
let port: WecomPort
const adapter = (more: { timeoutMs?: number } = {}) =>
  wecomAdapter({
    apiBase: box.baseUrl,
    oauthBase: box.baseUrl,
    loginBase: box.baseUrl,
    now: () => nowMs,
    ...more,
  })
beforeEach(async () => {
  nowMs = Date.UTC(2026, 0, 5, 2)
  box = await startWecomSandbox({ now: () => nowMs })
  box.control.upsertCorp({
    ...app,
    accountLimit: 100_000,
    trustedDomains: ['cards.example:8443'],
    members: [
      { userid: 'ZhangSan', name: '张三', mobile: '13800000001' },
      { userid: 'LiSi', name: '李四', licensed: false },
      { userid: 'WangWu', name: '王五', visible: false },
      ...Array.from({ length: 100 }, (_, i) => ({ userid: `m${i}`, name: `员工${i}` })),
    ],
  })
  port = adapter()
})
afterEach(() => box.close())

const body = (touser: string, title = '节日快乐'): string =>
  JSON.stringify({
    touser,
    msgtype: 'template_card',
    agentid: app.agentId,
    template_card: {
      card_type: 'text_notice',
      main_title: { title },
      card_action: { type: 1, url: 'http://cards.example:8443/open' },
    },
    enable_duplicate_check: 1,
    duplicate_check_interval: 14_400,
  })
const failure = async (run: Promise<unknown>): Promise<OutsideError> => {
  const error: unknown = await run.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutsideError)) throw new Error('expected an OutsideError', { cause: error })
  const told = `${error.message} ${error.code} ${error.stack ?? ''} ${JSON.stringify(error)}`
  expect(told).not.toMatch(/SANDBOXTOKEN|SANDBOXsecret|access_token/)
  return error
}
const stats = () => box.control.stats(app.corpId)

test('100 calls at once fetch one token, and again when it has died', async () => {
  const all = () => Promise.all(Array.from({ length: 100 }, (_, i) => port.send(app, body(`m${i}`))))
  await all()
  expect(stats()).toMatchObject({ gettoken: 1, delivered: 100 })
  nowMs += 14_400_000
  await all()
  expect(stats()).toMatchObject({ gettoken: 2, delivered: 200 })
  box.control.expireTokens()
  nowMs += 60_000
  await Promise.all(Array.from({ length: 100 }, (_, i) => port.send(app, body(`m${i}`, '再次'))))
  expect(stats()).toMatchObject({ gettoken: 3, delivered: 300 })
})

test('a dead token is renewed and the call repeated once', async () => {
  for (const errcode of [40014, 42001]) {
    box.control.addFault({ path: 'message/send', kind: 'errcode', errcode })
    expect((await port.send(app, body('ZhangSan', `token ${errcode}`))).messageId).toBeTypeOf('string')
  }
  box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: 42001, times: 2 })
  expect(await failure(port.send(app, body('ZhangSan')))).toMatchObject({ outcome: 'busy', code: '42001' })
  expect(stats()).toMatchObject({ delivered: 2 })
})

test('the token is renewed at 90 % of its life', async () => {
  await port.send(app, body('m1'))
  nowMs += 6_479_000
  await port.send(app, body('m2'))
  expect(stats()).toMatchObject({ gettoken: 1 })
  nowMs += 1_000
  await port.send(app, body('m3'))
  expect(stats()).toMatchObject({ gettoken: 2 })
})

test('partly invalid recipients are told, and all invalid sends nothing', async () => {
  expect(await port.send(app, body('ZhangSan|LiSi|WangWu|Nobody'))).toMatchObject({
    invalidUsers: ['wangwu', 'nobody'],
    unlicensedUsers: ['lisi'],
  })
  const none = await port.send(app, body('WangWu|Nobody'))
  expect(none).toEqual({ messageId: null, invalidUsers: ['WangWu', 'Nobody'], unlicensedUsers: [] })
  expect(stats()).toMatchObject({ delivered: 1 })
})

test('a cut connection leaves the outcome unknown, and the same bytes again deliver once', async () => {
  for (const kind of ['cut_after', 'status500_after'] as const) {
    box.control.addFault({ path: 'message/send', kind })
    expect(await failure(port.send(app, body('m1', kind)))).toMatchObject({ outcome: 'unknown' })
    expect((await port.send(app, body('m1', kind))).messageId).toBeTypeOf('string')
  }
  expect(stats()).toMatchObject({ delivered: 2, suppressedDuplicates: 2 })
  expect(box.control.inbox(app.corpId, 'm1')).toHaveLength(2)
})

test('silence on a send is unknown, on a lookup busy; nobody there is busy', async () => {
  const hasty = adapter({ timeoutMs: 200 })
  await hasty.send(app, body('m1'))
  box.control.addFault({ path: 'message/send', kind: 'delay', delayMs: 600 })
  expect(await failure(hasty.send(app, body('m2')))).toMatchObject({ outcome: 'unknown', code: 'timeout' })
  expect(box.control.inbox(app.corpId, 'm2')).toHaveLength(1)
  box.control.addFault({ path: 'user/getuserid', kind: 'status500_before' })
  expect(await failure(port.userIdByMobile(app, '13800000001'))).toMatchObject({ outcome: 'busy', code: 'http_500' })
  const nowhere = wecomAdapter({
    apiBase: 'http://127.0.0.1:1',
    oauthBase: box.baseUrl,
    loginBase: box.baseUrl,
    now: () => nowMs,
    fetch: () =>
      Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })),
  })
  expect(await failure(nowhere.send(app, body('m1')))).toMatchObject({ outcome: 'busy', code: 'ECONNREFUSED' })
})

test('a wrong secret is tried once, and a new secret works', async () => {
  const wrong = { ...app, secret: 'wrong-secret-0001' }
  for (let i = 0; i < 5; i += 1)
    expect(await failure(port.send(wrong, body('m1')))).toMatchObject({ outcome: 'broken', code: '40001' })
  expect(stats()).toMatchObject({ gettoken: 1 })
  const fresh = adapter()
  await Promise.all(Array.from({ length: 20 }, () => failure(fresh.send(wrong, body('m1')))))
  expect(stats()).toMatchObject({ gettoken: 2 })
  expect((await port.send(app, body('m1'))).messageId).toBeTypeOf('string')
})

test('codes fall into their classes', async () => {
  const cases = [
    [45009, 'busy'],
    [-1, 'busy'],
    [45033, 'busy'],
    [60020, 'broken'],
    [301002, 'broken'],
    [40032, 'refused'],
    [99999, 'refused'],
  ] as const
  for (const [errcode, outcome] of cases) {
    box.control.addFault({ path: 'message/send', kind: 'errcode', errcode })
    expect(await failure(port.send(app, body('m1')))).toMatchObject({ outcome, code: String(errcode) })
  }
})

test('a mobile gives its member or null', async () => {
  expect(await port.userIdByMobile(app, '13800000001')).toBe('ZhangSan')
  expect(await port.userIdByMobile(app, '13899999999')).toBeNull()
})

test('lookups stop at 9,500 a minute and say how long to wait', async () => {
  let calls = 0
  const counted = wecomAdapter({
    apiBase: box.baseUrl,
    oauthBase: box.baseUrl,
    loginBase: box.baseUrl,
    now: () => nowMs,
    fetch: () => {
      calls += 1
      return Promise.resolve(Response.json({ access_token: 't', expires_in: 7200, userid: 'ZhangSan' }))
    },
  })
  for (let i = 0; i < 9_500; i += 1) await counted.userIdByMobile(app, '13800000001')
  const busy = await failure(counted.userIdByMobile(app, '13800000001'))
  expect(busy).toMatchObject({ outcome: 'busy', code: 'paced' })
  expect(calls).toBe(9_501)
  nowMs += busy.retryAfterMs
  expect(await counted.userIdByMobile(app, '13800000001')).toBe('ZhangSan')
})

test.each(['client', 'desktop'] as const)('sign-in on the %s ends in the member', async (where) => {
  box.control.actAs(app.corpId, 'ZhangSan')
  const url = port.signInUrl(app, where, redirect, 'ab12')
  const codeFor = async (address: string) => {
    const response = await fetch(address, { redirect: 'manual' })
    const back = new URL(response.headers.get('location') ?? '')
    expect(back.searchParams.get('state')).toBe('ab12')
    return back.searchParams.get('code') ?? ''
  }
  const as = (userid: string) => url.replace(/(#.*)?$/, (hash) => `&as=${userid}${hash}`)
  const code = await codeFor(where === 'client' ? url : as('ZhangSan'))
  expect(await port.memberByCode(app, code)).toBe('ZhangSan')
  expect(await failure(port.memberByCode(app, code))).toMatchObject({ outcome: 'refused', code: '42022' })
  expect(await port.memberByCode(app, await codeFor(as('~outsider')))).toBeNull()
  expect(() => port.signInUrl(app, where, redirect, 'a-b')).toThrow(RangeError)
})

test('a callback is verified for its corp and told by its kind', () => {
  const keys = { token: 'QDG6eK', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C', corpId: app.corpId }
  const signed = (cipher: string, atMs = nowMs) => {
    const timestamp = String(atMs / 1000)
    return { timestamp, nonce: 'n', msg_signature: getSignature(keys.token, timestamp, 'n', cipher) }
  }
  const open = (message: string, to = app.corpId, atMs = nowMs) => {
    const cipher = encrypt(keys.encodingAesKey, message, to)
    const raw = Buffer.from(`<xml><Encrypt><![CDATA[${cipher}]]></Encrypt></xml>`)
    return port.openCallback(keys, signed(cipher, atMs), raw)
  }
  const echostr = encrypt(keys.encodingAesKey, '16161403', app.corpId)
  expect(port.verifyCallback(keys, { ...signed(echostr), echostr })).toBe('16161403')
  const foreign = encrypt(keys.encodingAesKey, '16161403', 'wwOther')
  const refused = [
    () => port.verifyCallback(keys, { ...signed(echostr), nonce: 'm', echostr }),
    () => port.verifyCallback(keys, { ...signed(foreign), echostr: foreign }),
    () => port.verifyCallback(keys, { ...signed(echostr, nowMs - 3_600_000), echostr }),
    () => open('<xml/>', 'wwOther'),
    () => open('<xml/>', app.corpId, nowMs - 3_600_000),
  ]
  for (const run of refused) expect(run).toThrow(NoticeRefused)

  const event = '<xml><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[Enter_Agent]]></Event></xml>'
  expect(open(event)).toEqual({ kind: 'enter_agent', message: event })
  const kinds: readonly [string, string][] = [
    ['<xml><MsgType>text</MsgType><Content>hi</Content></xml>', 'text'],
    ['<xml><Event>a b</Event></xml>', 'other'],
    ['<xml><Event><x>subscribe</x></Event></xml>', 'other'],
    ['<!DOCTYPE x [<!ENTITY e "a">]><xml><Event>subscribe</Event></xml>', 'other'],
    ['no xml at all', 'other'],
    ['', 'other'],
  ]
  for (const [message, kind] of kinds) expect(open(message)).toEqual({ kind, message })
})
