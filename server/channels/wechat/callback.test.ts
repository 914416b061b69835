import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealCallback } from '../../../sandbox/wecom/callback-seal.ts'
import { NoticeRefused } from '../../kernel/outside.ts'
import { startListener, type Listener } from '../../testing/push-listener.ts'
import { boxAccount, openWechatBox, type WechatBox } from '../../testing/wechat-box.ts'
import type { WechatAccount } from './account.ts'
import { wechatAdapter } from './adapter.ts'

const { appid } = boxAccount
const keys = boxAccount.callback!
const templateId = boxAccount.templates.gift_claimed!.id
const nowMs = Date.UTC(2026, 0, 5)
const portOf = (more: Partial<WechatAccount> = {}, now = nowMs) =>
  wechatAdapter({ apiBase: '', oauthBase: '', account: { ...boxAccount, ...more }, now: () => now })
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof NoticeRefused) return error.code
    throw error
  }
  return 'none'
}
const sealedXml = (plain: string, receiveId = appid, atMs = nowMs) => {
  const { query, encrypted } = sealCallback(keys, plain, receiveId, atMs)
  return {
    query,
    raw: Buffer.from(`<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`),
  }
}
const eventXml = (event: string, inside: string) =>
  `<xml><ToUserName>gh_1</ToUserName><FromUserName>oSomebody</FromUserName><CreateTime>1767571200</CreateTime><MsgType>event</MsgType><Event>${event}</Event>${inside}</xml>`

test('the vector of section 11 holds, and its echo comes back unchanged', () => {
  const query = {
    signature: 'f464b24fc39322e44b38aa78f5edd27bd1441696',
    timestamp: '1714036504',
    nonce: '1514711492',
    echostr: '4375120948345356249',
  }
  const port = portOf({ callback: { ...keys, token: 'AAAAA' } }, 1714036504_000)
  expect(port.verifyCallback(query)).toBe('4375120948345356249')
  expect(codeOf(() => port.verifyCallback({ ...query, signature: query.signature.replace('f', 'e') }))).toBe(
    'signature_wrong',
  )
  expect(codeOf(() => port.verifyCallback({ ...query, signature: undefined }))).toBe('signature_missing')
  expect(codeOf(() => port.verifyCallback({ ...query, echostr: undefined }))).toBe('malformed')
  expect(
    codeOf(() => portOf({ callback: { ...keys, token: 'AAAAA' } }, 1714036504_000 + 300_001).verifyCallback(query)),
  ).toBe('stale')
})

test('an event says who it is of, and a repeat has the same digest', () => {
  const plain = eventXml('user_authorization_revoke', '')
  const [one, again] = [sealedXml(plain), sealedXml(plain)]
  const opened = portOf().openCallback(one.query, one.raw)
  expect(opened).toMatchObject({
    kind: 'user_authorization_revoke',
    openid: 'oSomebody',
    createdAtMs: 1767571200_000,
    subscriptions: [],
  })
  expect(portOf().openCallback(again.query, again.raw).digest).toBe(opened.digest)
})

test('plain bodies, foreign signatures, other apps, old and cut ones are refused', () => {
  const plain = eventXml('subscribe', '')
  const { query, raw } = sealedXml(plain)
  const { timestamp, nonce } = query
  const signature = createHash('sha1').update([keys.token, timestamp, nonce].toSorted().join('')).digest('hex')
  const port = portOf()
  expect(codeOf(() => port.openCallback({ signature, timestamp, nonce }, Buffer.from(plain)))).toBe('malformed')
  expect(codeOf(() => port.openCallback({ signature, timestamp, nonce }, raw))).toBe('signature_missing')
  expect(codeOf(() => port.openCallback({ ...query, msg_signature: signature }, raw))).toBe('signature_wrong')
  const foreign = sealedXml(plain, 'wxsomebodyelse')
  expect(codeOf(() => port.openCallback(foreign.query, foreign.raw))).toBe('cipher_wrong')
  const old = sealedXml(plain, appid, nowMs - 300_001)
  expect(codeOf(() => port.openCallback(old.query, old.raw))).toBe('stale')
  expect(codeOf(() => port.openCallback(query, raw.subarray(0, raw.length / 2)))).not.toBe('none')
  expect(() => portOf({ callback: null }).openCallback(query, raw)).toThrow('no callback')
})

test('what people answered comes one by one or together, and a change in the wrapper of a popup is a change', () => {
  const item = (id: string, status: string) =>
    `<List><TemplateId>${id}</TemplateId><SubscribeStatusString>${status}</SubscribeStatusString><PopupScene>1</PopupScene></List>`
  const read = (event: string, inside: string) => {
    const { query, raw } = sealedXml(eventXml(event, inside))
    return portOf()
      .openCallback(query, raw)
      .subscriptions.map((one) => [one.templateId, one.change, one.messageId, one.code])
  }
  const popup = (inside: string) => `<SubscribeMsgPopupEvent>${inside}</SubscribeMsgPopupEvent>`
  expect(read('subscribe_msg_popup_event', popup(item('t1', 'accept')))).toEqual([['t1', 'accepted', null, null]])
  expect(read('subscribe_msg_popup_event', popup(item('t1', 'accept') + item('t2', 'reject')))).toEqual([
    ['t1', 'accepted', null, null],
    ['t2', 'declined', null, null],
  ])
  expect(read('subscribe_msg_change_event', popup(item('t1', 'reject')))).toEqual([['t1', 'withdrawn', null, null]])
  const sent = (code: string) =>
    `<SubscribeMsgSentEvent><List><TemplateId>t1</TemplateId><MsgID>3000000000000000001</MsgID><ErrorCode>${code}</ErrorCode><ErrorStatus>s</ErrorStatus></List></SubscribeMsgSentEvent>`
  expect(read('subscribe_msg_sent_event', sent('0'))).toEqual([['t1', 'delivered', '3000000000000000001', null]])
  expect(read('subscribe_msg_sent_event', sent('43101'))).toEqual([['t1', 'failed', '3000000000000000001', '43101']])
  expect(read('subscribe_msg_popup_event', '<SubscribeMsgPopupEvent/>')).toEqual([])
  expect(read('subscribe_msg_popup_event', popup('<List>x</List>'))).toEqual([])
})

let world: WechatBox
let listener: Listener
beforeAll(async () => {
  world = await openWechatBox({ now: Date.now })
  listener = await startListener(world.port)
})
afterAll(async () => {
  await listener.close()
  await world.close()
})

test('the sandbox saves an address that answers its echo, and tells it what people do', async () => {
  await expect(world.ctl('callback', { appid, url: `${listener.url}elsewhere` })).rejects.toThrow('400')
  await world.ctl('callback', { appid, url: listener.url })
  const openid = (await world.person('lina')).openids[appid] ?? ''
  await world.ctl('subscribe', { appid, personId: 'lina', templateId, act: 'accept' })
  const { messageId } = await world.port.sendSubscription({
    openid,
    templateId,
    page: null,
    data: { thing1: '卡', amount2: '¥1.00', time3: '2026年1月5日', thing4: '好' },
  })
  await world.ctl('subscribe', { appid, personId: 'lina', templateId, act: 'drop' })
  await expect.poll(() => listener.taken.length).toBe(3)
  const told = listener.taken.flatMap((one) =>
    one.subscriptions.map((item) => [one.openid, item.change, item.messageId]),
  )
  expect(told).toContainEqual([openid, 'accepted', null])
  expect(told).toContainEqual([openid, 'delivered', messageId])
  expect(told).toContainEqual([openid, 'withdrawn', null])
})

test('what the dials do to pushes is refused by us and comes again, whole', async () => {
  listener.taken.length = 0
  for (const kind of ['push_plain', 'push_wrong_signature']) await world.ctl('faults', { kind })
  await world.ctl('subscribe', { appid, personId: 'lina', templateId, act: 'reject' })
  await expect.poll(() => listener.refused.length).toBe(1)
  await world.ctl('clock', { advanceMs: 5_000 })
  await expect.poll(() => listener.refused.length).toBe(2)
  await world.ctl('clock', { advanceMs: 5_000 })
  await expect.poll(() => listener.taken.length).toBe(1)
  await world.ctl('faults', { kind: 'push_repeat', copies: 3 })
  await world.ctl('subscribe', { appid, personId: 'lina', templateId, act: 'reject' })
  await expect.poll(() => listener.taken.length).toBe(4)
  expect(new Set(listener.taken.slice(1).map((one) => one.digest)).size).toBe(1)
})
