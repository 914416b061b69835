import { expect, test } from 'vitest'
import { company, startCompany } from '../testing/company.ts'
import { corp, provider, startProviderWorld } from '../testing/provider.ts'

const cut = { kind: 'cut_after' } as const
const now = Math.floor(Date.UTC(2026, 0, 5, 2) / 1_000)
type Json = Record<string, unknown>

test('a message whose answer was lost lies in the chat, and the same bytes again bring the lost answer, not a second one', async () => {
  const world = await startCompany()
  const message = { touser: 'ZhangSan', msgtype: 'text', agentid: company.agentId, text: { content: '节日快乐' } }
  const body = JSON.stringify({ ...message, enable_duplicate_check: 1 })
  await world.token()
  world.box.control.addFault({ ...cut, path: 'message/send' })
  await expect(world.call('message/send', body)).rejects.toThrow()
  const [received] = world.box.control.inbox(company.corpId, 'ZhangSan') ?? []
  expect(await world.call('message/send', body)).toMatchObject({ errcode: 0, msgid: received?.message.id })
  expect(world.box.control.inbox(company.corpId, 'ZhangSan')).toHaveLength(1)
  await world.close()
})

test('a contact way and a mass-send task whose answers were lost are found in the lists of what was made', async () => {
  const world = await startCompany()
  world.box.customers.upsertPeople({ people: [{ id: 'p1', name: '工友' }] })
  const way = { type: 2, scene: 2, user: ['ZhangSan'], state: 'abc123' }
  await world.token()
  world.box.control.addFault({ ...cut, path: 'externalcontact/add_contact_way' })
  await expect(world.call('externalcontact/add_contact_way', way)).rejects.toThrow()
  const listed = await world.call('externalcontact/list_contact_way', {})
  const ways = listed['contact_way'] as Json[]
  expect(ways).toHaveLength(1)
  const whole = await world.call('externalcontact/get_contact_way', { config_id: ways[0]?.['config_id'] })
  expect(whole['contact_way']).toMatchObject({ state: 'abc123' })
  const url = (whole['contact_way'] as Json)['qr_code']
  expect(await world.post('/__ctl/customers/scan', { personId: 'p1', url })).toMatchObject({ ok: true })
  const { external_userid: ids } = await world.call('externalcontact/list?userid=ZhangSan')
  world.box.control.addFault({ ...cut, path: 'externalcontact/add_msg_template' })
  const task = { chat_type: 'single', external_userid: ids, text: { content: '提醒' } }
  await expect(world.call('externalcontact/add_msg_template', task)).rejects.toThrow()
  world.box.control.advance(60_000)
  const window = { chat_type: 'single', start_time: now - 3_600, end_time: now + 3_600 }
  const tasks = await world.call('externalcontact/get_groupmsg_list_v2', window)
  expect(tasks['group_msg_list']).toMatchObject([{ text: { content: '提醒' } }])
  await world.close()
})

test('an authorisation code whose exchange was lost is used up', async () => {
  const world = await startProviderWorld()
  const { suiteId } = provider.suites[0]
  world.box.suites.installFromMarket({ suiteId, corpId: corp.corpId })
  const told = world.box.suites.suiteDeliveries(suiteId)?.find((one) => one.event === 'create_auth')
  const auth_code = /<AuthCode><!\[CDATA\[(\w+)/.exec(told?.plain ?? '')?.[1]
  const path = `/cgi-bin/service/v2/get_permanent_code?suite_access_token=${await world.suiteToken(suiteId)}`
  world.box.control.addFault({ ...cut, path: 'service/v2/get_permanent_code' })
  await expect(world.post(path, { auth_code })).rejects.toThrow()
  expect(await world.post(path, { auth_code })).toMatchObject({ errcode: 40078 })
  await world.close()
})
