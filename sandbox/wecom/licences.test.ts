import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, until } from '../testing/callback-listener.ts'
import { corp, provider, startProviderWorld, type ProviderWorld } from '../testing/provider.ts'
import { cipherOf } from './cipher.ts'

const suiteId = provider.suites[0].suiteId
const user = cipherOf(provider.corpId, 'ZhangSan')
let world: ProviderWorld
beforeEach(async () => {
  world = await startProviderWorld()
  const people = ['p1', 'p2', 'p3'].map((id) => ({ id, name: `工友${id}` }))
  world.box.customers.upsertPeople({ people })
})
afterEach(() => world.close())

type Json = Record<string, unknown>
const heard = (name: string) =>
  world.listener.heard.map((one) => fieldsOf(one.plain)).filter((one) => one['InfoType'] === name)
async function tokenOf(): Promise<string> {
  const before = heard('create_auth').length
  await world.post('/__ctl/suites/install', { suiteId, corpId: corp.corpId })
  await until(() => heard('create_auth').length > before, 'an installation')
  const query = `suite_access_token=${await world.suiteToken(suiteId)}`
  const auth = { auth_code: heard('create_auth').at(-1)?.['AuthCode'] }
  const { permanent_code } = await world.post(`/cgi-bin/service/v2/get_permanent_code?${query}`, auth)
  const form = { auth_corpid: cipherOf(provider.corpId, corp.corpId, 'wp'), permanent_code }
  return String((await world.post(`/cgi-bin/service/get_corp_token?${query}`, form))['access_token'])
}

test('row 30: after the trial customers are shut away and events are missing; an interop licence restores both', async () => {
  const first = await tokenOf()
  const call = async (token: string, path: string, body?: unknown): Promise<Json> => {
    const [name, query = ''] = path.split('?')
    const url = `/cgi-bin/externalcontact/${name}?access_token=${token}&${query}`
    return body === undefined ? world.get(url) : world.post(url, body)
  }
  const way = await call(first, 'add_contact_way', { type: 1, scene: 2, user: [user], state: 'c1' })
  const scan = (personId: string) => world.box.customers.scan({ personId, url: String(way['qr_code']) })
  scan('p1')
  await until(() => heard('change_external_contact').length === 1, 'the first contact')
  expect(heard('change_external_contact')[0]).toMatchObject({
    SuiteId: suiteId,
    AuthCorpId: cipherOf(provider.corpId, corp.corpId, 'wp'),
    ChangeType: 'add_external_contact',
    UserID: user,
    State: 'c1',
  })
  const external = heard('change_external_contact')[0]?.['ExternalUserID']
  expect((await call(first, `get?external_userid=${external}`))['errcode']).toBe(0)
  world.box.control.advance(90 * 86_400_000)
  await until(() => heard('suite_ticket').length > 1, 'a fresh ticket')
  const token = await tokenOf()
  expect((await call(token, `list?userid=${user}`))['errcode']).toBe(701008)
  expect((await call(token, `get?external_userid=${external}`))['errcode']).toBe(701008)
  expect((await call(token, 'batch/get_by_user', { userid_list: [user] }))['errcode']).toBe(701008)
  expect((await call(token, 'add_contact_way', { type: 1, scene: 2, user: [user] }))['errcode']).toBe(701008)
  const deliveries = () =>
    world.box.suites.suiteDeliveries(suiteId)?.filter((one) => one.event === 'change_external_contact')
  scan('p2')
  expect(deliveries()).toHaveLength(1)
  const activate = async (kind: 'base' | 'interop') => {
    const { activeCodes } = world.box.suites.buyLicences({ providerCorpId: provider.corpId, kind, count: 1 })
    const form = {
      corpid: cipherOf(provider.corpId, corp.corpId, 'wp'),
      active_list: [{ active_code: activeCodes[0], userid: user }],
    }
    await world.post(`/cgi-bin/license/batch_active_account?provider_access_token=${await world.providerToken()}`, form)
  }
  await activate('base')
  expect((await call(token, `list?userid=${user}`))['errcode']).toBe(701008)
  await activate('interop')
  expect((await call(token, `list?userid=${user}`))['external_userid']).toHaveLength(2)
  scan('p3')
  expect(deliveries()).toHaveLength(2)
})
