import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, startListener, until, type Listener } from '../testing/callback-listener.ts'
import { company, startCompany, type CompanyWorld } from '../testing/company.ts'

const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
let world: CompanyWorld
let listener: Listener
beforeEach(async () => {
  world = await startCompany()
  listener = await startListener(keys)
  expect(await world.box.control.saveCallback({ corpId: company.corpId, ...keys, url: listener.url })).toBeNull()
})
afterEach(() => Promise.all([world.close(), listener.close()]))

type Json = Record<string, unknown>
const { corpId, agentId } = company
const url = 'https://cards.example:8443/open'
const action = { type: 1, url }
const title = { title: '中秋福利' }
const options = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `o${index}`, text: `选项${index}` }))
const submit = { text: '提交', key: 'submit' }
const buttons = [
  { text: '同意', key: 'yes', style: 1 },
  { text: '驳回', key: 'no', style: 3 },
]
const approval = (taskId: string, more: object = {}) => ({
  card_type: 'button_interaction',
  main_title: title,
  task_id: taskId,
  button_list: buttons,
  ...more,
})
const send = (card: object, touser = 'ZhangSan|LiSi') =>
  world.call('message/send', { touser, msgtype: 'template_card', agentid: agentId, template_card: card })
const update = (form: object) => world.call('message/update_template_card', { agentid: agentId, ...form })
const events = () => listener.heard.map((one) => fieldsOf(one.plain))
const phone = async (userid = 'ZhangSan') =>
  (await fetch(`${world.box.baseUrl}/phone/${corpId}/${userid}?agent=${agentId}`)).text()

test('each of the five card types is sent when whole and refused by the code of what is missing', async () => {
  const vote = { card_type: 'vote_interaction', main_title: title, task_id: 'v', submit_button: submit }
  const checkbox = { question_key: 'q', mode: 1, option_list: options(20) }
  const multiple = { card_type: 'multiple_interaction', main_title: title, task_id: 'm', submit_button: submit }
  const select = { question_key: 'q', option_list: options(10) }
  const text = { card_type: 'text_notice', main_title: title, card_action: action }
  const news = { card_type: 'news_notice', main_title: title, card_action: action }
  const row = { keyname: '金额', value: '100' }
  const cases: [object, number][] = [
    [text, 0],
    [{ ...text, main_title: undefined, sub_title_text: '一句话' }, 0],
    [{ ...text, main_title: { desc: '无题' } }, 42033],
    [{ ...text, card_action: undefined }, 42045],
    [{ ...text, card_action: { type: 1 } }, 42028],
    [{ ...text, card_action: { type: 2 } }, 42030],
    [{ ...text, horizontal_content_list: Array(7).fill(row) }, 42035],
    [{ ...text, horizontal_content_list: [{ value: 'a' }] }, 42027],
    [{ ...text, horizontal_content_list: [{ ...row, type: 1 }] }, 42028],
    [{ ...text, horizontal_content_list: [{ ...row, type: 2 }] }, 42029],
    [{ ...text, horizontal_content_list: [{ ...row, type: 2, media_id: 'none' }] }, 40007],
    [{ ...text, horizontal_content_list: [{ ...row, type: 3 }] }, 42050],
    [{ ...text, vertical_content_list: Array(5).fill({ title: 'a' }) }, 42036],
    [{ ...text, jump_list: Array(4).fill({ title: 'a' }) }, 42042],
    [{ ...text, jump_list: [{ type: 1, url }] }, 42033],
    [{ ...text, task_id: 'ä' }, 42014],
    [{ ...text, action_menu: { desc: '更多', action_list: [submit] } }, 42014],
    [{ ...text, task_id: 'a1', action_menu: { desc: '更多', action_list: [submit, submit] } }, 42051],
    [{ ...text, task_id: 'a1', action_menu: { desc: '更多', action_list: [{ key: 'a' }] } }, 42020],
    [{ ...text, task_id: 'a1', action_menu: { desc: '更多', action_list: [{ text: 'a' }] } }, 42019],
    [news, 42044],
    [{ ...news, card_image: { url, aspect_ratio: 2.5 } }, 40058],
    [{ ...news, card_image: { url, aspect_ratio: 1.3 } }, 0],
    [{ ...news, image_text_area: { image_url: url } }, 0],
    [approval('b1'), 0],
    [approval('b2', { task_id: undefined }), 42014],
    [approval('b2', { button_list: [] }), 42038],
    [approval('b2', { button_list: Array.from({ length: 7 }, (_, i) => ({ text: 'a', key: `${i}` })) }), 42038],
    [approval('b2', { button_list: [{ text: '同意' }] }), 42039],
    [approval('b2', { button_list: [{ key: 'yes' }] }), 42038],
    [approval('b2', { button_selection: { option_list: options(1) } }), 42043],
    [approval('b2', { button_selection: { question_key: 'q', option_list: options(11) } }), 42037],
    [{ ...vote, checkbox }, 0],
    [{ ...vote, task_id: 'v2' }, 42043],
    [{ ...vote, task_id: 'v2', checkbox: { ...checkbox, option_list: options(21) } }, 42037],
    [{ ...vote, task_id: 'v2', checkbox: { ...checkbox, option_list: [{ text: 'a' }] } }, 42040],
    [{ ...vote, task_id: 'v2', checkbox: { ...checkbox, option_list: [{ id: 'a' }] } }, 42041],
    [{ ...vote, task_id: 'v2', checkbox, submit_button: { key: 'a' } }, 42049],
    [{ ...vote, task_id: 'v2', checkbox, submit_button: { text: 'a' } }, 42046],
    [{ ...multiple, select_list: Array(3).fill(select) }, 0],
    [{ ...multiple, task_id: 'm2', select_list: Array(4).fill(select) }, 42047],
    [{ ...text, card_type: 'poem' }, 42031],
  ]
  for (const [card, code] of cases) expect([card, (await send(card))['errcode']]).toEqual([card, code])
})

test('row 10: task ids are unique in an app; only cards that can be pressed are sent with a response_code', async () => {
  expect(await send(approval('task-1'))).toHaveProperty('response_code')
  expect(await send(approval('task-1'))).toMatchObject({ errcode: 42014 })
  expect(await send({ card_type: 'text_notice', main_title: title, card_action: action })).not.toHaveProperty(
    'response_code',
  )
  const menu = { desc: '更多', action_list: [{ text: '不再提醒', key: 'stop' }] }
  const card = { card_type: 'text_notice', main_title: title, card_action: action, task_id: 't2', action_menu: menu }
  expect(await send(card)).toHaveProperty('response_code')
  world.box.companies.putApp({ corpId, agentId: 7, secret: 'SANDBOXother' })
  const body = { touser: 'ZhangSan', msgtype: 'template_card', agentid: 7, template_card: approval('task-1') }
  const other = await world.post(`/cgi-bin/message/send?access_token=${await world.token('SANDBOXother')}`, body)
  expect(other['errcode']).toBe(0)
})

test('row 9, 10: pressing a button tells the app with a fresh ResponseCode, which changes the card once', async () => {
  const sent = await send(approval('task-1', { button_selection: { question_key: 'q', option_list: options(2) } }))
  await world.post('/__ctl/members/zhangsan/press', { corpId, key: 'yes', options: { q: ['o1', 'o9'] } })
  await until(() => events().length === 1, 'the event')
  const [event] = events()
  expect(event).toMatchObject({
    Event: 'template_card_event',
    FromUserName: 'ZhangSan',
    EventKey: 'yes',
    TaskId: 'task-1',
    CardType: 'button_interaction',
    AgentID: String(agentId),
  })
  expect(listener.heard[0]?.plain).toMatch(
    /<QuestionKey><!\[CDATA\[q\]\]>.*<OptionId><!\[CDATA\[o1\]\]><\/OptionId><\//,
  )
  const code = event?.['ResponseCode'] ?? ''
  expect(code).not.toBe(sent['response_code'])
  const form = { userids: ['ZhangSan'], response_code: code, button: { replace_name: '已同意' } }
  expect(await update(form)).toEqual({ errcode: 0, errmsg: 'ok' })
  expect(await update(form)).toMatchObject({ errcode: 60140 })
  expect(await phone()).toContain('<button disabled>已同意</button>')
  expect(await phone('LiSi')).not.toContain('已同意')
  const again = await world.post('/__ctl/members/zhangsan/press', { corpId, key: 'yes' })
  expect(again['ok']).toBe(false)
  const whole = approval('task-1', { main_title: { title: '已由张三同意' }, replace_text: '已处理' })
  const rest = { userids: ['lisi', 'nobody'], response_code: sent['response_code'], template_card: whole }
  expect(await update(rest)).toMatchObject({ errcode: 0, invaliduser: ['nobody'] })
  expect(await phone('LiSi')).toContain('已由张三同意')
})

test('row 10: a response code lives 72 hours, for its own app, its own task and its own receivers', async () => {
  const code = async (taskId: string) => (await send(approval(taskId)))['response_code']
  const button = { replace_name: '已同意' }
  const first = await code('t1')
  expect(await update({ response_code: first, button })).toMatchObject({ errcode: 82101 })
  expect(await update({ response_code: first, userids: ['WangWu'], button })).toMatchObject({ errcode: 82102 })
  const foreign = { userids: ['LiSi'], response_code: first, template_card: approval('t9') }
  expect(await update(foreign)).toMatchObject({ errcode: 42016 })
  expect(await update({ userids: ['LiSi'], response_code: first })).toMatchObject({ errcode: 40058 })
  expect(await update({ atall: 1, agentid: '7', response_code: first, button })).toMatchObject({ errcode: 40056 })
  expect(await update({ atall: 1, response_code: 'SANDBOXnone', button })).toMatchObject({ errcode: 60140 })
  world.box.companies.putApp({ corpId, agentId: 7, secret: 'SANDBOXother' })
  const other = await world.token('SANDBOXother')
  const asOther = { atall: 1, agentid: 7, response_code: first, button }
  const answer = await world.post(`/cgi-bin/message/update_template_card?access_token=${other}`, asOther)
  expect(answer['errcode']).toBe(42015)
  world.box.control.advance(72 * 3_600_000 - 1)
  expect(await update({ atall: 1, response_code: first, button })).toMatchObject({ errcode: 0 })
  const late = await code('t2')
  world.box.control.advance(72 * 3_600_000)
  expect(await update({ atall: 1, response_code: late, button })).toMatchObject({ errcode: 60140 })
})

test('row 10: recall works for 24 hours and for the app that sent the message; the phone says so', async () => {
  const recall = (msgid: unknown) => world.code('message/recall', { msgid })
  const { msgid } = await send(approval('t1'))
  world.box.companies.putApp({ corpId, agentId: 7, secret: 'SANDBOXother' })
  const path = `/cgi-bin/message/recall?access_token=${await world.token('SANDBOXother')}`
  expect((await world.post(path, { msgid }))['errcode']).toBe(40058)
  expect(await recall('none')).toBe(40058)
  world.box.control.advance(86_400_000 - 1)
  expect(await phone()).toContain('中秋福利')
  expect(await recall(msgid)).toBe(0)
  expect(await phone()).toContain('消息已撤回')
  expect(await phone()).not.toContain('中秋福利')
  expect((await world.post('/__ctl/members/zhangsan/press', { corpId, key: 'yes' }))['ok']).toBe(false)
  const later = await send(approval('t2'))
  world.box.control.advance(86_400_000)
  expect(await recall(later['msgid'])).toBe(42052)
})

test('row 9: the phone lists a chat for each app, opens a link as its member and presses by hand', async () => {
  world.box.companies.putApp({ corpId, agentId: 7, name: '考勤', secret: 'SANDBOXother' })
  const hello = { touser: 'ZhangSan', msgtype: 'text', agentid: 7, text: { content: '请打卡' } }
  await world.post(`/cgi-bin/message/send?access_token=${await world.token('SANDBOXother')}`, hello)
  const menu = { desc: '更多', action_list: [{ text: '不再提醒', key: 'stop' }] }
  const sent = await send(approval('t1', { card_action: action, action_menu: menu }), 'ZhangSan')
  const list = await (await fetch(`${world.box.baseUrl}/phone/${corpId}/ZhangSan/messages`)).text()
  expect(list).toMatch(/福利卡[\s\S]*中秋福利[\s\S]*考勤[\s\S]*请打卡/)
  const page = await phone()
  for (const word of ['同意', '驳回', '更多操作', '不再提醒']) expect(page).toContain(`${word}</`)
  const opened = await world.post('/__ctl/members/ZhangSan/open-message', { corpId, messageId: sent['msgid'] })
  expect(opened).toEqual({ ok: true, url })
  const body = new URLSearchParams({ message: String(sent['msgid']), key: 'stop' })
  const pressed = await fetch(`${world.box.baseUrl}/phone/${corpId}/ZhangSan/press`, { method: 'POST', body })
  expect(await pressed.text()).toContain('已按下')
  await until(() => events().length === 2, 'two events')
  expect(events().map((one) => [one['Event'], one['EventKey']])).toEqual([
    ['enter_agent', ''],
    ['template_card_menu_event', 'stop'],
  ])
  const received: Json[] = (await world.get(`/__ctl/inbox/${corpId}/zhangsan`)) as never
  expect(received.at(-1)).toMatchObject({ openedAtMs: expect.any(Number) as number })
})
