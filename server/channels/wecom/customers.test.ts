import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, startListener, until, type Listener } from '../../../sandbox/testing/callback-listener.ts'
import { boxApp as app, failureOf, openBox, type Box } from '../../testing/wecom-box.ts'

const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
let it: Box
let listener: Listener
beforeEach(async () => {
  it = await openBox()
  listener = await startListener(keys)
  await it.box.control.saveCallback({ corpId: app.corpId, url: `${listener.url}/app`, ...keys })
  it.box.customers.upsertPeople({ people: [1, 2, 3].map((i) => ({ id: `p${i}`, name: `外部${i}` })) })
})
afterEach(async () => {
  await it.close()
  await listener.close()
})
const way = (state: string, userIds = ['ZhangSan', 'm1']) => ({ userIds, state, remark: '秋季福利' })
const heard = (changeType: string) =>
  listener.heard.map((one) => fieldsOf(one.plain)).filter((one) => one['ChangeType'] === changeType)
/** Somebody scans a contact way; the contact's id and the welcome code that came with it. */
async function added(
  personId: string,
  qrUrl: string,
): Promise<{ externalUserId: string; code: string; userid: string }> {
  const before = heard('add_external_contact').length
  it.box.customers.scan({ personId, url: qrUrl })
  await until(() => heard('add_external_contact').length > before, 'add_external_contact')
  const fields = heard('add_external_contact').at(-1) ?? {}
  return {
    externalUserId: fields['ExternalUserID'] ?? '',
    code: fields['WelcomeCode'] ?? '',
    userid: fields['UserID'] ?? '',
  }
}
const welcome = {
  text: '您好，点下面的链接领取福利。',
  link: { title: '领取', desc: '中秋', url: 'https://cards.example/c/x', picUrl: null },
}

test('those who serve customers are told', async () => {
  expect(await it.port.followUsers(app)).toContain('ZhangSan')
  it.box.customers.setContact({ corpId: app.corpId, followUsers: ['m1'] })
  expect(await it.port.followUsers(app)).toEqual(['m1'])
  it.box.customers.setContact({ corpId: app.corpId, barredApps: [app.agentId] })
  expect(await failureOf(it.port.followUsers(app))).toMatchObject({ outcome: 'broken', code: '48002' })
})

test('row 25: a contact way is made, found again by its state after a lost answer, and deleted', async () => {
  it.box.control.addFault({ path: 'externalcontact/add_contact_way', kind: 'cut_after' })
  expect(await failureOf(it.port.addContactWay(app, way('lost1')))).toMatchObject({ outcome: 'unknown' })
  const { configId, qrUrl } = await it.port.addContactWay(app, way('kept1', ['ZhangSan']))
  expect(qrUrl).toMatch(/^http/)
  const { items } = await it.port.contactWays(app, null)
  expect(items.map((one) => one.state).toSorted()).toEqual(['kept1', 'lost1'])
  it.box.control.addFault({ path: 'externalcontact/get_contact_way', kind: 'errcode', errcode: 41044 })
  expect((await it.port.contactWays(app, null)).items).toHaveLength(1)
  it.box.control.addFault({ path: 'externalcontact/get_contact_way', kind: 'cut_before' })
  expect(await failureOf(it.port.contactWays(app, null))).toMatchObject({ outcome: 'busy' })
  await it.port.deleteContactWay(app, configId)
  expect((await it.port.contactWays(app, null)).items.map((one) => one.state)).toEqual(['lost1'])
  expect(await failureOf(it.port.deleteContactWay(app, configId))).toMatchObject({ outcome: 'refused' })
  for (const state of ['a-b', 'x'.repeat(31), ''])
    await expect(it.port.addContactWay(app, way(state))).rejects.toThrow(RangeError)
  it.box.customers.setContact({ corpId: app.corpId, wayLimit: 1 })
  expect(await failureOf(it.port.addContactWay(app, way('full')))).toMatchObject({ outcome: 'broken', code: '41045' })
})

test('row 25: more contact ways than a page are read to the end in one window; older than two days are not', async () => {
  await it.port.addContactWay(app, way('old'))
  it.advance(2 * 86_400_000 + 5_000)
  for (let i = 0; i < 60; i += 1) await it.port.addContactWay(app, way(`w${i}`))
  const states = new Set<string>()
  for (let cursor: string | null = null; ;) {
    const page = await it.port.contactWays(app, cursor)
    for (const one of page.items) states.add(one.state)
    cursor = page.next
    if (cursor === null) break
    // Made while the list was being read: it is not in the window.
    it.advance(1_000)
    await it.port.addContactWay(app, way(`late${states.size}`))
  }
  expect(states.size).toBe(60)
  expect(states.has('old')).toBe(false)
})

test('row 22: a contact comes with the state of its way, and is greeted once within 20 seconds', async () => {
  const { qrUrl } = await it.port.addContactWay(app, way('claim7'))
  const first = await added('p1', qrUrl)
  expect(await it.port.customersOf(app, first.userid)).toEqual([first.externalUserId])
  expect(await it.port.customer(app, first.externalUserId)).toEqual({
    externalUserId: first.externalUserId,
    followers: [{ userid: first.userid, state: 'claim7', addedAtMs: it.now() }],
  })
  await it.port.sendWelcome(app, first.code, welcome)
  const chats = Object.values(it.box.customers.person('p1')?.chats ?? {}) as { link: unknown; text: unknown }[][]
  const lines = chats.flat()
  expect(lines.some((line) => line.text === welcome.text)).toBe(true)
  expect(JSON.stringify(lines)).toContain(welcome.link.url)
  expect(await failureOf(it.port.sendWelcome(app, first.code, welcome))).toMatchObject({
    outcome: 'refused',
    code: '41051',
  })
  const second = await added('p2', qrUrl)
  it.advance(20_000)
  expect(await failureOf(it.port.sendWelcome(app, second.code, welcome))).toMatchObject({
    outcome: 'refused',
    code: '41050',
  })
  const third = await added('p3', qrUrl)
  it.box.control.addFault({ path: 'externalcontact/send_welcome_msg', kind: 'cut_after' })
  expect(await failureOf(it.port.sendWelcome(app, third.code, welcome))).toMatchObject({ outcome: 'unknown' })
})

test('nobody’s customers are none, and half a relation is none yet', async () => {
  expect(await it.port.customersOf(app, 'm5')).toEqual([])
  const { qrUrl } = await it.port.addContactWay(app, way('half1', ['m5']))
  it.box.customers.scan({ personId: 'p1', url: qrUrl, half: true })
  await until(() => heard('add_half_external_contact').length > 0, 'the half relation')
  expect(await it.port.customersOf(app, 'm5')).toEqual([])
  const id = heard('add_half_external_contact')[0]?.['ExternalUserID'] ?? ''
  expect(await it.port.customer(app, id)).toBeNull()
})

test('tags are made once by name, and put on and taken off', async () => {
  const first = await it.port.ensureTags(app, '福利卡', ['未领取', '已领取', '未领取'])
  expect([...first.keys()].toSorted()).toEqual(['已领取', '未领取'].toSorted())
  it.box.control.addFault({ path: 'externalcontact/add_corp_tag', kind: 'cut_after' })
  expect(await failureOf(it.port.ensureTags(app, '福利卡', ['未领取', '已退回']))).toMatchObject({ outcome: 'busy' })
  const again = await it.port.ensureTags(app, '福利卡', ['未领取', '已领取', '已退回'])
  expect([again.get('未领取'), again.get('已领取'), again.size]).toEqual([first.get('未领取'), first.get('已领取'), 3])
  const { qrUrl } = await it.port.addContactWay(app, way('tags1'))
  const { externalUserId, userid } = await added('p1', qrUrl)
  const [open, done] = [again.get('未领取') ?? '', again.get('已领取') ?? '']
  await it.port.markTag(app, { userid, externalUserId }, { add: [open], remove: [] })
  await it.port.markTag(app, { userid, externalUserId }, { add: [done], remove: [open] })
  await it.port.markTag(app, { userid, externalUserId }, { add: [], remove: [] })
  const view = JSON.stringify(it.box.customers.contact(app.corpId))
  expect([view.includes(`"tagIds":["${done}"]`), view.includes(open)]).toEqual([true, false])
})

test('row 29: two changes of one pair at once: the second waits', async () => {
  const tags = await it.port.ensureTags(app, '福利卡', ['甲'])
  const { qrUrl } = await it.port.addContactWay(app, way('pair1'))
  const { externalUserId, userid } = await added('p1', qrUrl)
  const mark = () => it.port.markTag(app, { userid, externalUserId }, { add: [...tags.values()], remove: [] })
  const ends = await Promise.allSettled([mark(), mark()])
  const failed = ends.find((one) => one.status === 'rejected')
  expect(failed?.reason).toMatchObject({ outcome: 'busy', code: '45035' })
})

test('row 24: a mass message is a task that members confirm; its results are read, it is reminded of and cancelled', async () => {
  const { qrUrl } = await it.port.addContactWay(app, way('mass1', ['ZhangSan']))
  const [one, two] = [await added('p1', qrUrl), await added('p2', qrUrl)]
  const bodyOf = (content: string, ids: string[]) =>
    JSON.stringify({ chat_type: 'single', external_userid: ids, sender: 'ZhangSan', text: { content } })
  const ids = [one.externalUserId, two.externalUserId]
  const fromMs = it.now()
  it.box.control.addFault({ path: 'externalcontact/add_msg_template', kind: 'cut_after' })
  expect(await failureOf(it.port.createMassSend(app, bodyOf('第一', ids)))).toMatchObject({ outcome: 'unknown' })
  const { messageId, failed } = await it.port.createMassSend(app, bodyOf('第二', [...ids, 'wmStranger']))
  expect(failed).toEqual(['wmStranger'])
  expect(await failureOf(it.port.massSendTasks(app, messageId, null))).toMatchObject({ outcome: 'busy', code: '41063' })
  it.advance(6_000)
  const window = { fromMs, toMs: it.now() }
  const made = await it.port.massSends(app, window, null)
  expect(made.items.map((item) => item.text).toSorted()).toEqual(['第一', '第二'])
  expect(made.items.map((item) => item.messageId)).toContain(messageId)
  expect((await it.port.massSendTasks(app, messageId, null)).items).toEqual([{ userid: 'ZhangSan', sent: false }])
  await it.port.remindMassSend(app, messageId)
  it.box.customers.part({ corpId: app.corpId, personId: 'p2', userid: 'ZhangSan', by: 'customer' })
  it.box.customers.confirmMass({ corpId: app.corpId, msgid: messageId, userid: 'ZhangSan' })
  expect((await it.port.massSendTasks(app, messageId, null)).items).toEqual([{ userid: 'ZhangSan', sent: true }])
  const results = await it.port.massSendResults(app, messageId, 'ZhangSan', null)
  expect(results.items).toEqual([
    { externalUserId: one.externalUserId, state: 'sent' },
    { externalUserId: two.externalUserId, state: 'not_friend' },
  ])
  const other = made.items.find((item) => item.messageId !== messageId)?.messageId ?? ''
  await it.port.cancelMassSend(app, other)
  expect(await failureOf(it.port.createMassSend(app, bodyOf('无人', ['wmStranger'])))).toMatchObject({
    outcome: 'refused',
    code: '41048',
  })
})
