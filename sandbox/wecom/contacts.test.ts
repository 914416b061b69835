import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, startListener, until, type Listener } from '../testing/callback-listener.ts'
import { startWecomSandbox, type WecomSandbox } from './server.ts'

const T0 = Date.UTC(2026, 0, 5, 2)
const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
const corp = {
  corpId: 'wwFactory',
  agentId: 1000002,
  secret: 'SANDBOXself',
  accountLimit: 5_000,
  trustedDomains: ['cards.example'],
  members: ['ZhangSan', 'LiSi', 'WangWu'].map((userid) => ({ userid, name: userid })),
}
let box: WecomSandbox
let listener: Listener
let token = ''
beforeEach(async () => {
  box = await startWecomSandbox({ now: () => T0 })
  listener = await startListener(keys)
  listener.reply.text = ''
  box.control.upsertCorp(corp)
  await box.control.saveCallback({ corpId: corp.corpId, url: `${listener.url}/app`, ...keys })
  box.customers.upsertPeople({ people: ['p1', 'p2', 'p3'].map((id) => ({ id, name: `工友${id}` })) })
  const answer = await fetch(`${box.baseUrl}/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`)
  token = String(((await answer.json()) as Json)['access_token'])
})
afterEach(async () => {
  await Promise.all([box.close(), listener.close()])
})

type Json = Record<string, unknown>
const call = async (path: string, body?: unknown, as = token): Promise<Json> => {
  const [name, query = ''] = path.split('?')
  const url = `${box.baseUrl}/cgi-bin/externalcontact/${name}?access_token=${as}&${query}`
  const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
  return (await answer.json()) as Json
}
const way = (more: object = {}) =>
  call('add_contact_way', { type: 2, scene: 2, user: ['ZhangSan'], state: 'c0a1', ...more })
const code = async (answer: Promise<Json>) => (await answer)['errcode']
const events = () => listener.heard.map((one) => fieldsOf(one.plain)).filter((one) => one['ChangeType'] !== undefined)
/** Scans, and waits for what the callback says. */
async function scanned(personId: string, url: unknown, half = false): Promise<Record<string, string>> {
  const before = events().length
  await post('/__ctl/customers/scan', { personId, url, half })
  await until(() => events().length > before, 'an event of the scan')
  return events().at(-1) ?? {}
}
const post = async (path: string, body: unknown) =>
  (await (await fetch(box.baseUrl + path, { method: 'POST', body: JSON.stringify(body) })).json()) as Json
const chat = (personId: string) =>
  (box.customers.person(personId)?.chats[`${corp.corpId}/ZhangSan`] ?? []) as {
    text: string | null
    link: Json | null
  }[]

test('row 25: a contact way has its limits, and old ones are not listed', async () => {
  const many = Array.from({ length: 101 }, (_, i) => ({ userid: `m${i}`, name: 'x' }))
  box.control.upsertCorp({ ...corp, members: many })
  const wrong: [object, number][] = [
    [{ state: 'a'.repeat(31) }, 40058],
    [{ state: 'a-b' }, 40058],
    [{ remark: '备'.repeat(31) }, 40058],
    [{ type: 3 }, 40058],
    [{ scene: undefined }, 40058],
    [{ type: 1, user: ['ZhangSan', 'LiSi'] }, 41039],
    [{ user: [] }, 41039],
    [{ user: many.map((one) => one.userid) }, 41041],
    [{ user: [], party: [1] }, 41041],
    [{ user: ['Nobody'] }, 60011],
  ]
  for (const [more, errcode] of wrong) expect([more, await code(way(more))]).toEqual([more, errcode])
  const { config_id: id, qr_code: qr } = await way({ state: 'a'.repeat(30), remark: '车间' })
  expect((await call('get_contact_way', { config_id: id }))['contact_way']).toMatchObject({
    state: 'a'.repeat(30),
    remark: '车间',
    user: ['ZhangSan'],
    qr_code: qr,
  })
  expect((await fetch(String(qr))).headers.get('content-type')).toBe('image/png')
  expect(await code(call('update_contact_way', { config_id: id, user: ['LiSi'] }))).toBe(0)
  expect((await call('get_contact_way', { config_id: id }))['contact_way']).toMatchObject({ user: ['LiSi'] })
  for (let i = 0; i < 4; i += 1) await way()
  const first = await call('list_contact_way', { limit: 3 })
  const second = await call('list_contact_way', { limit: 3, cursor: first['next_cursor'] })
  expect([first, second].map((one) => (one['contact_way'] as Json[]).length)).toEqual([3, 2])
  box.customers.setContact({ corpId: corp.corpId, wayLimit: 5 })
  expect(await code(way())).toBe(41045)
  expect(await code(call('del_contact_way', { config_id: id }))).toBe(0)
  expect(await code(way())).toBe(0)
  expect(await code(call('get_contact_way', { config_id: id }))).toBe(41044)
  box.control.advance(91 * 86_400_000)
  const fresh = await freshToken()
  expect((await call('list_contact_way', {}, fresh))['contact_way']).toEqual([])
  expect((await call('list_contact_way', { start_time: 1 }, fresh))['contact_way']).toEqual([])
})

async function freshToken(): Promise<string> {
  const answer = await fetch(`${box.baseUrl}/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`)
  return String(((await answer.json()) as Json)['access_token'])
}

test('row 22: who scans is added with State and a code that greets once, within 20 seconds', async () => {
  const { qr_code: qr } = await way()
  const added = await scanned('p1', qr)
  expect(added).toMatchObject({
    Event: 'change_external_contact',
    ChangeType: 'add_external_contact',
    FromUserName: 'sys',
    UserID: 'ZhangSan',
    State: 'c0a1',
  })
  const greet = (welcome_code: unknown, more: object = { text: { content: '欢迎' } }) =>
    code(call('send_welcome_msg', { welcome_code, ...more }))
  const link = { title: '领取福利', url: 'https://cards.example/claim', desc: '一张卡' }
  const wrong: [object, number][] = [
    [{}, 40058],
    [{ text: { content: '字'.repeat(1_334) } }, 45002],
    [{ attachments: Array.from({ length: 10 }, () => ({ msgtype: 'link', link })) }, 41064],
    [{ attachments: [{ msgtype: 'poem' }] }, 41065],
    [{ attachments: [{ msgtype: 'link', link: { ...link, title: '题'.repeat(43) } }] }, 41065],
    [{ attachments: [{ msgtype: 'image', image: { media_id: 'none' } }] }, 40007],
    [{ attachments: [{ msgtype: 'image', image: { pic_url: 'https://elsewhere.example/a.png' } }] }, 40007],
  ]
  for (const [more, errcode] of wrong) expect([more, await greet(added['WelcomeCode'], more)]).toEqual([more, errcode])
  expect(await greet('invented')).toBe(41050)
  const whole = { text: { content: '欢迎' }, attachments: [{ msgtype: 'link', link }] }
  expect(await greet(added['WelcomeCode'], whole)).toBe(0)
  expect(chat('p1').map((one) => one.text ?? one.link?.['url'])).toEqual([
    expect.stringContaining('已添加'),
    '欢迎',
    link.url,
  ])
  expect(await greet(added['WelcomeCode'])).toBe(41051)
  const late = await scanned('p2', qr)
  box.control.advance(20_000)
  expect(await greet(late['WelcomeCode'])).toBe(41050)
  const spoken = await scanned('p3', qr)
  await post('/__ctl/customers/say', { corpId: corp.corpId, personId: 'p3', userid: 'ZhangSan', text: '在吗' })
  expect(await greet(spoken['WelcomeCode'])).toBe(41051)
  expect(await post('/__ctl/customers/scan', { personId: 'p3', url: qr })).toMatchObject({ ok: true, kind: 'known' })
})

test('row 22: a member with a welcome of the console’s own brings no code; a half contact becomes whole when confirmed', async () => {
  const { qr_code: qr } = await way()
  const half = await scanned('p1', qr, true)
  expect(half).toMatchObject({ ChangeType: 'add_half_external_contact', State: 'c0a1' })
  const id = half['ExternalUserID']
  const mark = { userid: 'ZhangSan', external_userid: id, remark: '老王' }
  expect(await code(call('remark', mark))).toBe(84061)
  expect(await code(call(`get?external_userid=${id}`))).toBe(84061)
  expect(await code(call('send_welcome_msg', { welcome_code: half['WelcomeCode'], text: { content: '好' } }))).toBe(0)
  await post('/__ctl/customers/agree', { corpId: corp.corpId, personId: 'p1', userid: 'ZhangSan' })
  await until(() => events().length === 2, 'the whole contact')
  expect(events()[1]).toMatchObject({ ChangeType: 'add_external_contact', ExternalUserID: id })
  expect(events()[1]).not.toHaveProperty('WelcomeCode')
  expect(await code(call('remark', mark))).toBe(0)
  box.customers.setContact({ corpId: corp.corpId, consoleWelcome: { ZhangSan: '您好，我是张三' } })
  expect(await scanned('p2', qr)).not.toHaveProperty('WelcomeCode')
  expect(chat('p2').at(-1)?.text).toBe('您好，我是张三')
})

test('where chats are archived nobody is greeted before the person agrees; then an event brings a code of its own', async () => {
  box.customers.setContact({ corpId: corp.corpId, archives: true })
  const { qr_code: qr } = await way()
  const added = await scanned('p1', qr)
  const greet = (welcome_code: unknown) => code(call('send_welcome_msg', { welcome_code, text: { content: '欢迎' } }))
  expect(await greet(added['WelcomeCode'])).toBe(41053)
  const agreeing = { corpId: corp.corpId, personId: 'p1', userid: 'ZhangSan' }
  expect(await post('/__ctl/customers/agree-to-archive', agreeing)).toMatchObject({ ok: true })
  await until(() => events().length === 2, 'the agreement')
  expect(events()[1]).toMatchObject({ ChangeType: 'msg_audit_approved', ExternalUserID: added['ExternalUserID'] })
  expect(await greet(events()[1]!['WelcomeCode'])).toBe(0)
  expect(await greet(added['WelcomeCode'])).toBe(41051)
  expect(await post('/__ctl/customers/agree-to-archive', agreeing)).not.toMatchObject({ ok: true })
})

test('row 22: every app gets its own code; the first to greet wins', async () => {
  const other = { corpId: corp.corpId, agentId: 1000009, secret: 'SANDBOXother' }
  expect(await post('/__ctl/apps', other)).toMatchObject({ ok: true })
  box.control.upsertCorp({ ...corp, members: [] })
  const saved = { corpId: corp.corpId, agentId: 1000009, url: `${listener.url}/other`, ...keys }
  expect(await post('/__ctl/callback', saved)).toMatchObject({ ok: true })
  const { qr_code: qr } = await way()
  await post('/__ctl/customers/scan', { personId: 'p1', url: qr })
  await until(() => events().length === 2, 'an event for either app')
  const codes = listener.heard.map((one) => [one.path, fieldsOf(one.plain)['WelcomeCode']] as const)
  const [mine, theirs] = ['/app', '/other'].map((path) => codes.find(([at]) => at === path)?.[1])
  expect(mine).not.toBe(theirs)
  const answer = await fetch(`${box.baseUrl}/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=SANDBOXother`)
  const second = String(((await answer.json()) as Json)['access_token'])
  const greet = (welcome_code: unknown, as: string) =>
    code(call('send_welcome_msg', { welcome_code, text: { content: '欢迎' } }, as))
  expect(await greet(theirs, token)).toBe(41050)
  expect(await greet(mine, token)).toBe(0)
  expect(await greet(theirs, second)).toBe(41096)
  box.control.advance(1_000)
  expect(await greet(theirs, second)).toBe(41051)
  expect(chat('p1').filter((one) => one.text === '欢迎')).toHaveLength(1)
})

test('row 23: what an app does is told to nobody; what people do is', async () => {
  const { qr_code: qr } = await way()
  const id = (await scanned('p1', qr))['ExternalUserID']
  const { tag_group: group } = await call('add_corp_tag', { group_name: '福利', tag: [{ name: '已领' }] })
  const tag = ((group as Json)['tag'] as Json[])[0]?.['id']
  const pair = { userid: 'ZhangSan', external_userid: id }
  expect(await code(call('remark', { ...pair, remark: '老李', description: '三车间' }))).toBe(0)
  expect(await code(call('mark_tag', { ...pair, add_tag: [tag] }))).toBe(0)
  const send = { external_userid: [id], text: { content: '提醒' } }
  expect(await code(call('add_msg_template', send))).toBe(0)
  expect(await call(`get?external_userid=${id}`)).toMatchObject({
    follow_user: [{ remark: '老李', state: 'c0a1', tags: [{ tag_name: '已领', group_name: '福利' }] }],
  })
  const one = { corpId: corp.corpId, personId: 'p1', userid: 'ZhangSan' }
  await post('/__ctl/customers/edit', { ...one, remark: '李师傅' })
  await post('/__ctl/customers/delete', { ...one, by: 'customer' })
  expect((await call('list?userid=ZhangSan'))['external_userid']).toEqual([id])
  await post('/__ctl/customers/delete', { ...one, by: 'member' })
  expect(await code(call('list?userid=ZhangSan'))).toBe(84061)
  await until(() => events().length === 4, 'the four things that people did')
  expect(new Set(events().map((event) => event['ChangeType']))).toEqual(
    new Set(['add_external_contact', 'del_external_contact', 'del_follow_user', 'edit_external_contact']),
  )
})

test('a transfer deletes by transfer and adds, or fails with its reason', async () => {
  const { qr_code: qr } = await way()
  await scanned('p1', qr)
  const move = { corpId: corp.corpId, personId: 'p1', from: 'ZhangSan', to: 'LiSi' }
  await post('/__ctl/customers/transfer', { ...move, failure: 'customer_refused' })
  await until(() => events().length === 2, 'the failure')
  expect(events()[1]).toMatchObject({ ChangeType: 'transfer_fail', UserID: 'LiSi', FailReason: 'customer_refused' })
  await post('/__ctl/customers/transfer', move)
  await until(() => events().length === 4, 'both events')
  const [gone, come] = ['del_external_contact', 'add_external_contact'].map((name) =>
    events().find((one, index) => index > 1 && one['ChangeType'] === name),
  )
  expect(gone).toMatchObject({ UserID: 'ZhangSan', Source: 'DELETE_BY_TRANSFER' })
  expect(come).toMatchObject({ UserID: 'LiSi' })
})

test('row 29: marking the same pair twice at once is refused; without a relation there is nothing to mark', async () => {
  const { qr_code: qr } = await way()
  const id = (await scanned('p1', qr))['ExternalUserID']
  const { tag_group: group } = await call('add_corp_tag', { group_name: '福利', tag: [{ name: '甲' }, { name: '乙' }] })
  const tags = ((group as Json)['tag'] as Json[]).map((one) => one['id'])
  const mark = (add: unknown, more: object = {}) =>
    code(call('mark_tag', { userid: 'ZhangSan', external_userid: id, add_tag: [add], ...more }))
  const both = await Promise.all([mark(tags[0]), mark(tags[1])])
  expect(new Set(both)).toEqual(new Set([0, 45035]))
  expect(await mark(tags[1])).toBe(0)
  expect(await mark(tags[0], { userid: 'LiSi' })).toBe(84061)
  expect(await mark('none')).toBe(40058)
  const again = await call('add_corp_tag', { group_name: '福利', tag: [{ name: '甲' }] })
  expect(((again['tag_group'] as Json)['tag'] as Json[]).map((one) => one['id'])).toEqual([tags[0]])
  expect(await code(call('edit_corp_tag', { id: tags[0], name: '丙' }))).toBe(0)
  expect(await code(call('del_corp_tag', { tag_id: tags }))).toBe(0)
  expect((await call('get_corp_tag_list', {}))['tag_group']).toEqual([])
})

test('row 24: a mass message is a task until its member confirms, with a status for every customer', async () => {
  const { qr_code: qr } = await way()
  const ids: string[] = []
  for (const person of ['p1', 'p2', 'p3']) ids.push((await scanned(person, qr))['ExternalUserID'] ?? '')
  const send = (more: object = {}) =>
    call('add_msg_template', { external_userid: ids, text: { content: '提醒' }, ...more })
  expect(await code(send({ external_userid: undefined }))).toBe(40058)
  expect(await code(send({ external_userid: ['wmnobody'] }))).toBe(41048)
  expect(await code(send({ text: undefined }))).toBe(40058)
  const created = await send({ external_userid: [...ids, 'wmnobody'] })
  expect(created).toMatchObject({ errcode: 0, fail_list: ['wmnobody'] })
  const { msgid } = created
  const results = () => call('get_groupmsg_send_result', { msgid, userid: 'ZhangSan' })
  expect(await code(call('get_groupmsg_task', { msgid }))).toBe(41063)
  box.control.advance(5_000)
  expect((await call('get_groupmsg_task', { msgid }))['task_list']).toEqual([{ userid: 'ZhangSan', status: 0 }])
  expect(((await results())['send_list'] as Json[]).map((one) => one['status'])).toEqual([0, 0, 0])
  expect(chat('p1').some((one) => one.text === '提醒')).toBe(false)
  const member = { corpId: corp.corpId, msgid, userid: 'ZhangSan' }
  expect(await post('/__ctl/mass/ignore', member)).toMatchObject({ ok: true })
  expect((await call('get_groupmsg_task', { msgid }))['task_list']).toMatchObject([{ status: 0 }])
  for (let i = 0; i < 3; i += 1) expect(await code(call('remind_groupmsg_send', { msgid }))).toBe(0)
  expect(await code(call('remind_groupmsg_send', { msgid }))).toBe(41094)
  await post('/__ctl/customers/delete', { corpId: corp.corpId, personId: 'p2', userid: 'ZhangSan', by: 'customer' })
  for (let i = 0; i < 31; i += 1) {
    const more = await send({ external_userid: [ids[2]] })
    await post('/__ctl/mass/confirm', { ...member, msgid: more['msgid'] })
  }
  expect(await post('/__ctl/mass/confirm', member)).toMatchObject({ ok: true })
  expect(((await results())['send_list'] as Json[]).map((one) => one['status'])).toEqual([1, 2, 3])
  expect((await call('get_groupmsg_task', { msgid }))['task_list']).toMatchObject([
    { status: 2, send_time: expect.any(Number) as number },
  ])
  expect(chat('p1').filter((one) => one.text === '提醒')).toHaveLength(1)
  expect(await post('/__ctl/mass/confirm', member)).toMatchObject({ ok: false })
  const window = { chat_type: 'single', start_time: T0 / 1_000 - 60, end_time: T0 / 1_000 + 3_600, limit: 10 }
  const page = await call('get_groupmsg_list_v2', window)
  expect((page['group_msg_list'] as Json[]).map((one) => one['msgid'])).toContain(msgid)
  expect(page['next_cursor']).not.toBe('')
  expect(await code(call('get_groupmsg_list_v2', { ...window, start_time: 1 }))).toBe(40058)
  const open = await send()
  box.control.advance(5_000)
  expect(await code(call('cancel_groupmsg_send', { msgid: open['msgid'] }))).toBe(0)
  expect(await code(call('cancel_groupmsg_send', { msgid: open['msgid'] }))).toBe(41093)
  expect(await post('/__ctl/mass/confirm', { ...member, msgid: open['msgid'] })).toMatchObject({ ok: false })
  expect(await code(call('get_groupmsg_task', { msgid: 'none' }))).toBe(41047)
})

test('2,000 outside workers scan at once, and every one is told once', async () => {
  const people = Array.from({ length: 2_000 }, (_, i) => ({
    id: `w${i}`,
    name: `工人${i}`,
    mobile: `139${String(i).padStart(8, '0')}`,
  }))
  expect(await post('/__ctl/people', { people })).toMatchObject({ ok: true })
  const { qr_code: qr } = await way({ user: ['ZhangSan', 'LiSi', 'WangWu'] })
  await Promise.all(people.map(({ id }) => post('/__ctl/customers/scan', { personId: id, url: qr })))
  await until(() => events().length === 2_000, 'an event for each')
  expect(new Set(events().map((one) => one['ExternalUserID'])).size).toBe(2_000)
  expect(new Set(events().map((one) => one['WelcomeCode'])).size).toBe(2_000)
  const batch = await call('batch/get_by_user', { userid_list: ['ZhangSan', 'LiSi', 'WangWu'], limit: 100 })
  expect((batch['external_contact_list'] as Json[]).length).toBe(100)
  expect(batch['next_cursor']).not.toBe('')
}, 30_000)
