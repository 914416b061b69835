import { constants, publicEncrypt } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { startMoneyWorld, type MoneyWorld, type Told } from '../testing/money.ts'
import { brand, channel, platform } from '../testing/pay-box.ts'
import { MOST_RECEIVERS } from './receivers.ts'

let m: MoneyWorld
beforeEach(async () => {
  m = await startMoneyWorld()
})

const receiver = { appid: 'wx1', type: 'MERCHANT_ID', account: channel, relation_type: 'DISTRIBUTOR' }
const named = (): Record<string, string> => ({ 'wechatpay-serial': m.world.key.id })
const add = (more: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Told> =>
  m.call(brand, 'POST', '/v3/profitsharing/receivers/add', { ...receiver, ...more }, headers)
const remove = (account: string): Promise<Told> =>
  m.call(brand, 'POST', '/v3/profitsharing/receivers/delete', { appid: 'wx1', type: 'MERCHANT_ID', account })
const seal = (name: string): string =>
  publicEncrypt(
    { key: m.world.key.publicPem, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
    Buffer.from(name),
  ).toString('base64')

test('adding echoes, and adding again succeeds and overwrites nothing', async () => {
  expect(await add()).toMatchObject({ status: 200, body: receiver })
  const again = await add({ relation_type: 'CUSTOM', custom_relation: '推广' })
  expect([again.status, again.body]).toEqual([200, receiver])
  expect(m.world.money.receiverCount.get(brand)).toBe(1)
})

test('deleting can be repeated, and a receiver that is added again is new', async () => {
  await add()
  for (let i = 0; i < 2; i += 1) {
    expect((await remove(channel)).body).toEqual({ type: 'MERCHANT_ID', account: channel })
    expect(m.world.money.receiverCount.get(brand)).toBe(0)
  }
  expect((await remove('1900000099')).status).toBe(200)
  expect((await add({ relation_type: 'BRAND' })).body).toMatchObject({ relation_type: 'BRAND' })
})

test('wrong app, wrong relation, wrong account and unknown fields are refused', async () => {
  expect((await add({ appid: 'wx2' })).code).toBe('INVALID_REQUEST')
  expect((await add({ relation_type: 'CUSTOM' })).code).toBe('PARAM_ERROR')
  expect((await add({ custom_relation: '推广' })).code).toBe('PARAM_ERROR')
  expect((await add({ relation_type: 'FRIEND' })).code).toBe('PARAM_ERROR')
  expect((await add({ account: 'oPerson' })).code).toBe('PARAM_ERROR')
  expect((await add({ sub_mchid: '1' })).body).toMatchObject({ detail: { value: ['/sub_mchid'] } })
  const gone = { appid: 'wx2', type: 'MERCHANT_ID', account: channel }
  expect((await m.call(brand, 'POST', '/v3/profitsharing/receivers/delete', gone)).code).toBe('INVALID_REQUEST')
  expect(m.world.money.receivers.size).toBe(0)
})

test('a name is opened with the key that the request names, and compared where the name is known', async () => {
  await m.ctl('money-rules', { mchid: channel, registeredName: '好味渠道有限公司' })
  expect((await add({ name: '好味渠道有限公司' }, named())).code).toBe('PARAM_ERROR')
  expect((await add({ name: seal('好味渠道有限公司') })).code).toBe('PARAM_ERROR')
  expect((await add({ name: seal('别的公司') }, named())).code).toBe('INVALID_REQUEST')
  expect((await add({ name: seal('好味渠道有限公司') }, named())).status).toBe(200)
  expect((await add({ account: platform, name: seal('随便') }, named())).status).toBe(200)
})

test('a name can be demanded, of merchants only', async () => {
  await m.ctl('money-rules', { mchid: brand, nameRequired: true })
  expect((await add()).code).toBe('PARAM_ERROR')
  expect((await add({ name: seal('好味') }, named())).status).toBe(200)
  expect((await add({ type: 'PERSONAL_OPENID', account: 'oPerson' })).status).toBe(200)
})

test('20,000 receivers and no more, until one is deleted', async () => {
  m.world.money.receiverCount.set(brand, MOST_RECEIVERS - 1)
  expect((await add()).status).toBe(200)
  expect((await add({ account: platform })).code).toBe('RULE_LIMIT')
  expect((await add()).status).toBe(200)
  await remove(channel)
  expect((await add({ account: platform })).status).toBe(200)
  expect(MOST_RECEIVERS).toBe(20_000)
})
