import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryRows } from '../../kernel/shared-memory.ts'
import { sharedState } from '../../kernel/shared-state.ts'
import { boxAccount, failureOf, openWechatBox, type WechatBox } from '../../testing/wechat-box.ts'

let world: WechatBox
beforeEach(async () => {
  world = await openWechatBox()
})
afterEach(() => world.close())

const callsOf = async (api: string) =>
  (await world.ctl<{ calls: { api: string; errcode: number }[] }>('log')).calls
    .filter((call) => call.api === api)
    .map((call) => call.errcode)

test('one token and one ticket serve many callers, until nine tenths of their life are over', async () => {
  const tickets = await Promise.all(Array.from({ length: 20 }, () => world.port.jsTicket()))
  expect(new Set(tickets).size).toBe(1)
  expect([await callsOf('cgi-bin/stable_token'), await callsOf('cgi-bin/ticket/getticket')]).toEqual([[0], [0]])
  world.advance(6_479_000)
  expect(await world.port.jsTicket()).toBe(tickets[0])
  world.advance(1_100)
  await world.port.jsTicket()
  expect((await callsOf('cgi-bin/ticket/getticket')).length).toBe(2)
})

test('processes share what one of them fetched', async () => {
  const shared = sharedState(memoryRows(), world.now)
  const [one, other] = [world.adapter({ shared }), world.adapter({ shared })]
  const tickets = await Promise.all([one.jsTicket(), other.jsTicket(), one.jsTicket()])
  expect(new Set(tickets).size).toBe(1)
  expect(await callsOf('cgi-bin/stable_token')).toEqual([0])
})

test('a dead token is fetched anew and the call made once more, and no third time', async () => {
  const { port } = world
  await port.jsTicket()
  const send = () => port.sendSubscription({ openid: 'oNobody', templateId: 'x', page: null, data: {} })
  await world.ctl('kill-tokens', {})
  expect((await failureOf(send())).code).toBe('40003')
  const api = 'cgi-bin/message/subscribe/bizsend'
  expect(await callsOf(api)).toEqual([40014, 40003])
  for (const errcode of [40001, 42001]) await world.ctl('faults', { kind: 'errcode', path: api, errcode, times: 2 })
  const dead = await failureOf(send())
  expect([dead.outcome, dead.code]).toEqual(['broken', '40001'])
})

test.each([
  [{ secret: 'SANDBOXanothersecret' }, '40125'],
  [{ frozen: true }, '40243'],
  [{ trustedIps: ['192.0.2.1'] }, '40164'],
])('nobody asks for a token again for five minutes after %j', async (change, code) => {
  await world.ctl('apps', { appid: boxAccount.appid, ...change })
  for (let tries = 0; tries < 3; tries += 1) {
    const error = await failureOf(world.port.jsTicket())
    expect([error.outcome, error.code]).toEqual(['broken', code])
  }
  expect(await callsOf('cgi-bin/stable_token')).toEqual([Number(code)])
  await world.ctl('apps', { appid: boxAccount.appid, secret: boxAccount.secret, frozen: false, trustedIps: null })
  world.advance(5 * 60_000 + 1)
  expect(await world.port.jsTicket()).toMatch(/^SANDBOXTICKET/)
})

test('a busy WeChat and a lost answer are waited for: asking for a ticket changes nothing', async () => {
  const path = 'cgi-bin/ticket/getticket'
  for (const fault of [{ kind: 'errcode', errcode: -1 }, { kind: 'cut_after' }, { kind: 'status500_after' }]) {
    await world.ctl('faults', { path, ...fault })
    expect((await failureOf(world.port.jsTicket())).outcome).toBe('busy')
  }
  await world.ctl('faults', { path, kind: 'errcode', errcode: 45009 })
  expect(await failureOf(world.port.jsTicket())).toMatchObject({ outcome: 'busy', retryAfterMs: 600_000 })
  expect(await world.port.jsTicket()).toMatch(/^SANDBOXTICKET/)
})

test('a code that nobody here knows is a refusal, and is told', async () => {
  const told: [string, number][] = []
  const port = world.adapter({ unknownCode: (api, errcode) => told.push([api, errcode]) })
  await world.ctl('faults', { path: 'cgi-bin/ticket/getticket', kind: 'errcode', errcode: 99999 })
  expect((await failureOf(port.jsTicket())).outcome).toBe('refused')
  expect(told).toEqual([['cgi-bin/ticket/getticket', 99999]])
})
