import { afterEach, beforeEach, expect, test } from 'vitest'
import { boxApp as app, cardBody as body, failureOf, openBox, type Box } from '../../testing/wecom-box.ts'
import { wecomOf } from '../../testing/wecom.ts'

let it: Box
beforeEach(async () => {
  it = await openBox()
})
afterEach(() => it.close())
const stats = () => it.box.control.stats(app.corpId)
const inbox = (userid: string) => it.box.control.inbox(app.corpId, userid) ?? []

const approval = (taskId: string, key = 'approve') =>
  JSON.stringify({
    touser: 'ZhangSan|m1',
    msgtype: 'template_card',
    agentid: app.agentId,
    template_card: {
      card_type: 'button_interaction',
      main_title: { title: '待审批' },
      task_id: taskId,
      button_list: [{ text: '同意', style: 1, key }],
    },
  })
const update = (responseCode: string, userids = ['ZhangSan', 'm1']) =>
  JSON.stringify({ userids, agentid: app.agentId, response_code: responseCode, button: { replace_name: '已同意' } })

test('partly invalid recipients are told, and all invalid sends nothing', async () => {
  expect(await it.port.send(app, body('ZhangSan|LiSi|WangWu|Nobody'))).toMatchObject({
    invalidUsers: ['wangwu', 'nobody'],
    unlicensedUsers: ['lisi'],
    responseCode: null,
  })
  const none = await it.port.send(app, body('WangWu|Nobody'))
  expect(none).toEqual({ messageId: null, invalidUsers: ['WangWu', 'Nobody'], unlicensedUsers: [], responseCode: null })
  expect(stats()).toMatchObject({ delivered: 1 })
})

test('a cut connection leaves the outcome unknown, and the same bytes again deliver once', async () => {
  for (const kind of ['cut_after', 'status500_after'] as const) {
    it.box.control.addFault({ path: 'message/send', kind })
    expect(await failureOf(it.port.send(app, body('m1', kind)))).toMatchObject({ outcome: 'unknown' })
    expect((await it.port.send(app, body('m1', kind))).messageId).toBeTypeOf('string')
  }
  expect(stats()).toMatchObject({ delivered: 2, suppressedDuplicates: 2 })
  expect(inbox('m1')).toHaveLength(2)
})

test('a repeat that WeCom passes over without a word about the first is taken as sent to nobody new', async () => {
  it.box.control.set({ duplicateAnswer: 'bare' })
  await it.port.send(app, body('m1'))
  expect(await it.port.send(app, body('m1'))).toMatchObject({ messageId: null, invalidUsers: [] })
  expect(inbox('m1')).toHaveLength(1)
})

test('silence on a send is unknown, on a lookup busy; nobody there is busy', async () => {
  const hasty = it.adapter({ timeoutMs: 200 })
  await hasty.send(app, body('m1'))
  it.box.control.addFault({ path: 'message/send', kind: 'delay', delayMs: 600 })
  expect(await failureOf(hasty.send(app, body('m2')))).toMatchObject({ outcome: 'unknown', code: 'timeout' })
  expect(inbox('m2')).toHaveLength(1)
  it.box.control.addFault({ path: 'user/getuserid', kind: 'status500_before' })
  const lookUp = failureOf(it.port.userIdByMobile(app, '13800000001'))
  expect(await lookUp).toMatchObject({ outcome: 'busy', code: 'http_500' })
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
  const nowhere = wecomOf(
    { baseUrl: 'http://127.0.0.1:1' },
    { fetch: () => Promise.reject(new TypeError('fetch failed', { cause: refused })) },
  )
  expect(await failureOf(nowhere.send(app, body('m1')))).toMatchObject({ outcome: 'busy', code: 'ECONNREFUSED' })
})

test('row 10: a card changes once by its response code, for 72 hours; a task is sent once', async () => {
  const { responseCode } = await it.port.send(app, approval('task1'))
  expect(responseCode).toBeTypeOf('string')
  await it.port.updateCard(app, update(responseCode!))
  expect(inbox('ZhangSan').at(-1)?.update).toEqual({ replaceName: '已同意' })
  expect(await failureOf(it.port.updateCard(app, update(responseCode!)))).toMatchObject({
    outcome: 'refused',
    code: '60140',
  })
  expect(await failureOf(it.port.send(app, approval('task1', 'again')))).toMatchObject({ code: '42014' })
  const late = await it.port.send(app, approval('task2'))
  it.advance(72 * 3_600_000)
  expect(await failureOf(it.port.updateCard(app, update(late.responseCode!)))).toMatchObject({ code: '60140' })
})

test('row 10: a change whose answer is lost is unknown, and its repeat finds the code used', async () => {
  const { responseCode } = await it.port.send(app, approval('task3'))
  it.box.control.addFault({ path: 'message/update_template_card', kind: 'cut_after' })
  expect(await failureOf(it.port.updateCard(app, update(responseCode!)))).toMatchObject({ outcome: 'unknown' })
  expect(await failureOf(it.port.updateCard(app, update(responseCode!)))).toMatchObject({ code: '60140' })
  expect(inbox('m1').at(-1)?.update).toEqual({ replaceName: '已同意' })
})

test('row 10: a message is taken back within 24 hours', async () => {
  const { messageId } = await it.port.send(app, body('m1|m2'))
  await it.port.recall(app, messageId!)
  expect(inbox('m2').at(-1)?.message.recalledAtMs).toBe(it.now())
  const late = await it.port.send(app, body('m1', '晚'))
  it.advance(24 * 3_600_000 + 1)
  expect(await failureOf(it.port.recall(app, late.messageId!))).toMatchObject({ outcome: 'refused', code: '42052' })
})
