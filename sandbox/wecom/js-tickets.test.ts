import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { company, startCompany, type CompanyWorld } from '../testing/company.ts'

let world: CompanyWorld
beforeEach(async () => {
  world = await startCompany()
})
afterEach(() => world.close())

const { corpId, agentId } = company
const url = 'https://cards.example:8443/pack/?from=wecom'
const signed = (ticket: unknown, address = url) => ({
  url: address,
  nonceStr: 'n1',
  timestamp: '1767578400',
  signature: createHash('sha1')
    .update(`jsapi_ticket=${String(ticket)}&noncestr=n1&timestamp=1767578400&url=${address}`)
    .digest('hex'),
})
const judge = async (kind: 'config' | 'agent', page: object, more: object = {}) =>
  (await world.post('/__ctl/js/verify', { corpId, kind, ...page, ...more }))['errcode']

test('row 13: two kinds of tickets, each the same for 7,200 s, of which one does not stand in for the other', async () => {
  expect(await judge('config', signed('none'))).toBe(42012)
  const { ticket: config } = await world.call('get_jsapi_ticket')
  const { ticket: agent } = await world.call('ticket/get?type=agent_config')
  expect(config).not.toBe(agent)
  expect((await world.call('get_jsapi_ticket'))['ticket']).toBe(config)
  expect(await judge('config', signed(config))).toBe(0)
  expect(await judge('agent', signed(agent))).toBe(0)
  expect(await judge('config', signed(agent))).toBe(42012)
  expect(await judge('agent', signed(config))).toBe(42012)
  expect(await judge('config', { ...signed(config), nonceStr: 'n2' })).toBe(40093)
  expect(await judge('config', signed(config, `${url}#top`))).toBe(40093)
  expect(await judge('config', { ...signed(config), url: `${url}&x=1` })).toBe(40093)
  expect(await judge('config', signed(config, 'https://elsewhere.example/'))).toBe(80001)
  world.box.companies.putApp({ corpId, agentId: 7, secret: 'SANDBOXother', trustedDomains: company.trustedDomains })
  expect(await judge('agent', signed(agent), { agentId: 7 })).toBe(42012)
  world.box.control.advance(7_200_000)
  expect(await judge('config', signed(config))).toBe(42012)
  expect((await world.call('get_jsapi_ticket'))['ticket']).not.toBe(config)
  expect(await world.code('get_jsapi_ticket?type=agent_config')).toBe(91040)
  expect(await world.code('ticket/get?type=jsapi')).toBe(91040)
})

test('row 13: 100 tickets an hour for an app and 400 for a company', async () => {
  const secrets = [company.secret, 'SANDBOXb', 'SANDBOXc', 'SANDBOXd', 'SANDBOXe']
  for (const [index, secret] of secrets.entries())
    if (index > 0) world.box.companies.putApp({ corpId, agentId: agentId + index, secret })
  const ask = async (secret: string) => {
    const token = await world.token(secret)
    return (await world.get(`/cgi-bin/ticket/get?type=agent_config&access_token=${token}`))['errcode']
  }
  for (const secret of secrets.slice(0, 4))
    for (let i = 0; i < 100; i += 1) expect([secret, i, await ask(secret)]).toEqual([secret, i, 0])
  expect(await ask('SANDBOXe')).toBe(45009)
  world.box.control.advance(3_600_000)
  for (let i = 0; i < 100; i += 1) await ask('SANDBOXe')
  expect([await ask('SANDBOXe'), await ask('SANDBOXb')]).toEqual([45009, 0])
})
