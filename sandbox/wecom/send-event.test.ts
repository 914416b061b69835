import { afterEach, beforeEach, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { fieldsOf, startListener, until, type Heard, type Listener } from '../testing/callback-listener.ts'
import { corp, provider, startProviderWorld, type ProviderWorld } from '../testing/provider.ts'
import { cipherOf } from './cipher.ts'

const suiteId = provider.suites[0].suiteId
const keys = { token: provider.suites[0].token, encodingAesKey: provider.suites[0].encodingAesKey }
let world: ProviderWorld
let app: Listener
beforeEach(async () => {
  world = await startProviderWorld()
  app = await startListener(keys)
  app.reply.text = ''
  expect(await world.box.control.saveCallback({ corpId: corp.corpId, url: `${app.url}/app`, ...keys })).toBeNull()
})
afterEach(async () => {
  await Promise.all([world.close(), app.close()])
})

const fault = (kind: string, more: object = {}) => world.post('/__ctl/faults', { kind, ...more })
const send = (event = 'click') => {
  const delivery = world.box.control.sendEvent({ corpId: corp.corpId, event: event as 'click', userid: 'ZhangSan' })
  if (!delivery) throw new Error('nothing was sent')
  return delivery
}
/** Waits for the end of a delivery; the clock is moved so that retries come at once. */
async function ended(delivery: ReturnType<typeof send>) {
  for (let i = 0; i < 300 && delivery.state === 'waiting'; i += 1) {
    world.box.control.advance(1_000)
    await sleep(20)
  }
  return delivery
}
const command = (infoType: string): Heard[] =>
  world.listener.heard.filter((one) => fieldsOf(one.plain)['InfoType'] === infoType)
const installed = async () => {
  await world.post('/__ctl/suites/install', { suiteId, corpId: corp.corpId })
  const found = () => world.box.suites.suiteDeliveries(suiteId)?.find((one) => one.event === 'create_auth')
  await until(() => found() !== undefined, 'a delivery')
  return found()!
}

test('row 14: every endpoint is encrypted for its own receiver (2.3) and signed', async () => {
  const posted = (heard: readonly Heard[]) => heard.map((one) => [one.signed, one.receiveId])
  await ended(send())
  expect(posted(app.heard)).toEqual([[true, corp.corpId]])
  expect(fieldsOf(app.heard[0]!.plain)).toMatchObject({ ToUserName: corp.corpId, Event: 'click', AgentID: '1000002' })
  await ended(await installed())
  expect(posted(command('create_auth'))).toEqual([[true, suiteId]])
  const seen = cipherOf(provider.corpId, corp.corpId, 'wp')
  await world.post('/__ctl/suites/change', { suiteId, corpId: corp.corpId, visible: { userIds: ['LiSi'] } })
  const data = () => world.listener.heard.filter((one) => one.path === `/${suiteId}/data/${seen}`)
  await until(() => data().length === 2, 'the data events')
  expect(posted(data())).toEqual([
    [true, seen],
    [true, seen],
  ])
})

test('row 14: a suite’s addresses are verified in the provider’s name, an app’s in its company’s, each within a second', async () => {
  const asked: string[] = []
  const strict = await startListener(keys, (receiveId) => {
    asked.push(receiveId)
    return asked.length > 2 ? 1_200 : 0
  })
  const save = (url: string) => world.post('/__ctl/suites/callbacks', { suiteId, dataUrl: url })
  expect(await save(`${strict.url}/data/$CORPID$`)).toMatchObject({ ok: true })
  const form = { corpId: corp.corpId, url: strict.url, ...keys }
  expect(await world.box.control.saveCallback(form)).toBeNull()
  expect(asked).toEqual([provider.corpId, corp.corpId])
  expect(await save(strict.url)).toMatchObject({ ok: false, error: 'no_answer' })
  await strict.close()
})

test('row 14: an answer to an ordinary event may take five seconds, to a suite’s four only one', async () => {
  world.listener.reply.afterMs = 1_300
  app.reply.afterMs = 1_300
  const [slow, quick] = [send(), await installed()]
  await until(() => slow.tries.length > 0 && quick.tries.length > 0, 'both answers')
  expect([slow.tries[0]?.status, quick.tries[0]?.status]).toEqual([200, 0])
})

test('row 15: the first and three more, with one text under new nonces and signatures; the switch stops retries after 5xx', async () => {
  app.reply.status = 500
  const delivery = await ended(send())
  expect([delivery.state, delivery.tries.map((one) => one.status)]).toEqual(['given up', [500, 500, 500, 500]])
  expect(new Set(app.heard.map((one) => one.plain)).size).toBe(1)
  expect(new Set(app.heard.map((one) => one.query.get('nonce'))).size).toBe(4)
  expect(new Set(app.heard.map((one) => one.query.get('msg_signature'))).size).toBe(4)
  await world.post('/__ctl/callback/switches', { retryWrongStatus: false })
  expect((await ended(send())).tries.map((one) => one.status)).toEqual([500])
  const gone = await startListener(keys)
  await world.box.control.saveCallback({ corpId: corp.corpId, url: gone.url, ...keys })
  await gone.close()
  expect((await ended(send())).tries.map((one) => one.status)).toEqual([0, 0, 0, 0])
})

test('row 15: with the switch on, an address that failed too often gets no more until it is saved again', async () => {
  await world.post('/__ctl/callback/switches', { retryWrongStatus: false, dropAfter: 2 })
  app.reply.status = 503
  expect((await ended(send())).state).toBe('given up')
  expect((await ended(send())).state).toBe('given up')
  app.reply.status = 200
  expect(await ended(send())).toMatchObject({ state: 'lost', tries: [] })
  await world.box.control.saveCallback({ corpId: corp.corpId, url: `${app.url}/app`, ...keys })
  expect((await ended(send())).state).toBe('taken')
})

test('row 16: each fault happens once, and a straight try follows where the bytes were crooked', async () => {
  const heard = async (kind: string, more: object = {}) => {
    app.heard.length = 0
    await fault(kind, more)
    const delivery = await ended(send())
    return { state: delivery.state, crooked: delivery.tries.map((one) => one.crooked), heard: [...app.heard] }
  }
  expect((await heard('callback_repeat', { copies: 3 })).heard).toHaveLength(3)
  expect(await heard('callback_lose')).toMatchObject({ state: 'lost', heard: [] })
  const wrong = await heard('callback_wrong_receiver')
  expect(wrong.heard[0]).toMatchObject({ signed: true, receiveId: 'wwsomebodyelse' })
  expect((await heard('callback_wrong_signature')).heard[0]).toMatchObject({ signed: false, receiveId: corp.corpId })
  const cut = await heard('callback_truncate')
  expect(cut.heard[0]).toMatchObject({ plain: '', signed: false })
  expect(cut.heard[0]?.envelope).not.toContain('</xml>')
  const strange = await heard('callback_unknown')
  await until(() => app.heard.length === 2, 'both events')
  expect(new Set(app.heard.map((one) => fieldsOf(one.plain)['Event']))).toEqual(new Set(['sandbox_unknown', 'click']))
  expect(strange.state).toBe('taken')
})

test('row 16: delayed and reordered events, and a ChangeType without CDATA', async () => {
  await fault('callback_delay', { delayMs: 60_000 })
  const late = send()
  await sleep(50)
  expect(late.tries).toEqual([])
  world.box.control.advance(60_000)
  await until(() => late.state === 'taken', 'the late event')
  app.heard.length = 0
  await fault('callback_reorder', { times: 2 })
  send('click')
  await sleep(30)
  send('view')
  await until(() => app.heard.length === 2, 'both events')
  expect(app.heard.map((one) => fieldsOf(one.plain)['Event'])).toEqual(['view', 'click'])
  const member = { corpId: corp.corpId, name: '新人' }
  await fault('callback_bare_change_type', { path: 'create_user' })
  const plainOf = () => app.heard.map((one) => one.plain).filter((plain) => plain.includes('create_user'))
  await world.post('/__ctl/members/NewOne/enter', member)
  await until(() => plainOf().length === 1, 'the new member')
  await world.post('/__ctl/members/NewTwo/enter', member)
  await until(() => plainOf().length === 2, 'the other new member')
  expect(plainOf()[0]).toContain('<ChangeType>create_user</ChangeType>')
  expect(plainOf()[1]).toContain('<ChangeType><![CDATA[create_user]]></ChangeType>')
})

test('row 17: a command that is not answered with success is an error, and is not sent again', async () => {
  world.listener.reply.text = 'ok'
  const delivery = await ended(await installed())
  expect(delivery).toMatchObject({ state: 'refused', error: expect.stringContaining('"ok"') as string })
  expect(delivery.tries).toHaveLength(1)
  const log = await world.get(`/__ctl/suites/${suiteId}/events`)
  expect(log as unknown).toContainEqual(expect.objectContaining({ event: 'create_auth', state: 'refused' }))
  world.listener.reply.text = 'success'
  await world.post('/__ctl/suites/ticket', { suiteId })
  const ticket = world.box.suites.suiteDeliveries(suiteId)?.[0]
  await until(() => ticket?.state !== 'waiting', 'the ticket')
  expect(ticket).toMatchObject({ state: 'taken', error: null })
})

test('11.3: the call that causes an event has its answer while the event is still out', async () => {
  app.reply.afterMs = 400
  await world.post('/__ctl/members/NewOne/enter', { corpId: corp.corpId, name: '新人' })
  const [delivery] = world.box.control.deliveries(corp.corpId) ?? []
  expect(delivery).toMatchObject({ event: 'change_contact', state: 'waiting', tries: [] })
  await until(() => delivery?.state === 'taken', 'the event')
})
