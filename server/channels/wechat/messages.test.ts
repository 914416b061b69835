import { afterEach, beforeEach, expect, test } from 'vitest'
import { boxAccount, failureOf, openWechatBox, type WechatBox } from '../../testing/wechat-box.ts'

let world: WechatBox
beforeEach(async () => {
  world = await openWechatBox()
})
afterEach(() => world.close())

const { appid } = boxAccount
const templateId = boxAccount.templates.gift_claimed!.id
const data = { thing1: '节日礼品卡', amount2: '¥100.00', time3: '2026年1月5日 10:00', thing4: '点开看看' }
const allow = (act: string) => world.ctl<{ left: number }>('subscribe', { appid, personId: 'chenyu', templateId, act })
async function send(more: object = {}) {
  const openid = (await world.person('chenyu')).openids[appid] ?? ''
  return world.port.sendSubscription({ openid, templateId, page: 'https://shop.example/mine/1', data, ...more })
}
const codeOf = async (run: Promise<unknown>) => (await failureOf(run)).code

test('each yes is one message, and without one WeChat says 43101', async () => {
  expect(await failureOf(send())).toMatchObject({ outcome: 'refused', code: '43101' })
  await allow('accept')
  await allow('accept')
  const { messageId } = await send()
  // More digits than a number of JavaScript keeps.
  expect(messageId).toMatch(/^3\d{18}$/)
  await send()
  expect(await codeOf(send())).toBe('43101')
  const { notices } = await world.person('chenyu')
  expect(notices.map((one) => one.rows.map(([, value]) => value))).toEqual([Object.values(data), Object.values(data)])
})

test('a no gives none, taking back takes all, and the main switch is above everything', async () => {
  await allow('reject')
  expect(await codeOf(send())).toBe('43101')
  await allow('accept')
  expect((await allow('drop')).left).toBe(0)
  expect(await codeOf(send())).toBe('43101')
  await allow('accept')
  await world.ctl('persons', { id: 'chenyu', messagesOn: false })
  expect(await codeOf(send())).toBe('43101')
})

test('a message is sent at most once: a lost answer is unknown and has used up the permission', async () => {
  await allow('accept')
  await world.ctl('faults', { kind: 'cut_after', path: 'cgi-bin/message/subscribe/bizsend' })
  expect((await failureOf(send())).outcome).toBe('unknown')
  expect((await world.person('chenyu')).notices).toHaveLength(1)
  await allow('accept')
  await world.ctl('faults', { kind: 'errcode', errcode: -1, path: 'cgi-bin/message/subscribe/bizsend' })
  expect(await failureOf(send())).toMatchObject({ outcome: 'unknown', code: '-1' })
})

test('what is too long is cut with an ellipsis inside the limit, and no letter in two', async () => {
  await allow('accept')
  await send({ data: { ...data, thing1: '春'.repeat(21), thing4: `${'一'.repeat(17)}👨‍👩‍👧二三四` } })
  const [notice] = (await world.person('chenyu')).notices
  const rows = Object.fromEntries(notice?.rows ?? []) as Record<string, string>
  expect(rows['卡片']).toBe(`${'春'.repeat(19)}…`)
  expect(rows['备注']).toBe(`${'一'.repeat(17)}…`)
})

test('data that does not fit, an unknown template and another app’s openid are refused and use nothing up', async () => {
  await allow('accept')
  const { thing1: _left, ...lacking } = data
  expect(await codeOf(send({ data: lacking }))).toBe('47003')
  expect(await codeOf(send({ data: { ...data, amount2: '一百元' } }))).toBe('47003')
  expect(await codeOf(send({ data: { ...data, thing9: 'x' } }))).toBe('47003')
  expect(await codeOf(send({ templateId: 'nothing' }))).toBe('40037')
  const { openids } = await world.person('chenyu')
  expect(await codeOf(send({ openid: openids[boxAccount.miniProgram!.appid] }))).toBe('40003')
  await send()
})
