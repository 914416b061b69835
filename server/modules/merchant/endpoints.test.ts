import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { MerchantDetail, Merchants } from '../../../contract/operator/merchant.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { shopFacts } from '../../testing/merchants.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { createBrand } from '../catalog/create-template.ts'
import { createOperator } from '../company/create-operator.ts'
import { merchantEndpoints } from './endpoints.ts'

interface Answer<T = Record<string, unknown>> {
  readonly status: number
  readonly body: T & { readonly code?: string; readonly field?: string }
}

onBothDatabases('merchants over HTTP', (database) => {
  let web: Web
  let cookie: string
  let brandId: Id<'brand'>
  beforeEach(async () => {
    web = await startWeb(database, {
      endpoints: merchantEndpoints,
      ports: { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }) },
    })
    const key = 'K'.repeat(43)
    const operatorId = await database.tx((tx) => createOperator(tx, { name: '运营', roles: ['ops'], key }))
    const payload = { kind: 'operator' as const, ids: { operatorId }, expiresAtMs: Date.now() + 3_600_000 }
    cookie = `fulika_ops=${encodeSession(payload, database.house.sessionKey)}`
    brandId = await database.tx((tx) => createBrand(tx, { name: '青禾', issuerPrefix: '6230' }))
  })
  afterEach(() => web.close())

  async function ask<T>(method: string, path: string, body?: object, key: string = randomUUID()): Promise<Answer<T>> {
    const browser = aBrowser(web.base, { cookie })
    const answer =
      method === 'GET'
        ? await browser.get(`/operator${path}`)
        : await browser.send(method, `/operator${path}`, body ?? {}, { 'idempotency-key': key })
    const text = await answer.text()
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Answer<T>['body'] }
  }
  const made = async (path: string, body: object): Promise<string> =>
    (await ask<{ id: string }>('POST', path, body)).body.id

  test('an operator makes a merchant, a shop and a clerk, and lets the clerk in', async () => {
    const key = randomUUID()
    const first = await ask<{ id: string }>('POST', '/merchants', { brandId, name: ' 百货 ' }, key)
    expect(await ask('POST', '/merchants', { brandId, name: '百货' }, key)).toEqual(first)
    const other = await ask('POST', '/merchants', { brandId, name: '超市' }, key)
    expect([other.status, other.body.code, other.body.field]).toEqual([409, 'idempotency_conflict', 'name'])
    expect((await ask('POST', '/merchants', { brandId, name: '百货' })).body).toMatchObject({
      code: 'merchant_name_taken',
      field: 'name',
    })
    const id = first.body.id
    const shopId = await made(`/merchants/${id}/shops`, shopFacts())
    const clerkKey = randomUUID()
    const clerk = { name: '周小店', role: 'clerk' }
    const added = await ask<{ id: string }>('POST', `/shops/${shopId}/clerks`, clerk, clerkKey)
    expect(await ask('POST', `/shops/${shopId}/clerks`, clerk, clerkKey)).toEqual(added)
    const keys = await database.tx((tx) => sql<{ input: string }>(tx.em, 'select input from once_key'))
    expect(keys.map((one) => one.input).join()).not.toContain('周小店')
    const detail = (await ask<MerchantDetail>('GET', `/merchants/${id}`)).body
    expect(detail).toMatchObject({ name: '百货', brandName: '青禾', state: 'active', shops: 1, clerks: 1 })
    expect(detail.shopList).toEqual([{ ...shopFacts(), id: shopId, state: 'open', version: 1 }])
    expect(detail.clerkList).toMatchObject([
      { id: added.body.id, name: '周小店', role: 'clerk', shopId, state: 'active' },
    ])
    const link = (await ask<{ url: string }>('POST', `/clerks/${added.body.id}/link`)).body
    const token = link.url.split('/').at(-1)
    const phone = aBrowser(web.base)
    const entered = await phone.send('POST', '/merchant/sign-in', { token })
    expect(entered.headers.get('set-cookie')).toMatch(
      /^fulika_till=.*; Path=\/merchant; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    )
    expect((await ask('POST', `/clerks/${added.body.id}/remove`)).status).toBe(204)
    expect((await ask('POST', `/clerks/${added.body.id}/link`)).body.code).toBe('state_conflict')
    const list = (await ask<Merchants>('GET', `/merchants?brandId=${brandId}`)).body
    expect(list.merchants).toMatchObject([{ id, shops: 1, clerks: 0 }])
  })

  test('what an operator saw must still stand when it is changed', async () => {
    const id = await made('/merchants', { brandId, name: '百货' })
    const shopId = await made(`/merchants/${id}/shops`, shopFacts())
    const clerkId = await made(`/shops/${shopId}/clerks`, { name: '周小店', role: 'clerk' })
    const suspended = await ask('PUT', `/merchants/${id}`, { version: 1, name: '大百货', state: 'suspended' })
    expect(suspended.body).toEqual({ version: 3 })
    const late = [
      await ask('PUT', `/merchants/${id}`, { version: 1, name: '旧', state: 'active' }),
      await ask('PUT', `/shops/${shopId}`, { ...shopFacts(), version: 7, state: 'open' }),
      await ask('PUT', `/clerks/${clerkId}`, { version: 7, name: '周', role: 'manager', shopId }),
    ]
    for (const one of late) expect([one.status, one.body.code]).toEqual([409, 'content_changed'])
    const now = (await ask<MerchantDetail>('GET', `/merchants/${id}`)).body
    expect([now.name, now.state, now.version, now.clerkList[0]?.role]).toEqual(['大百货', 'suspended', 3, 'clerk'])
  })

  test('crooked input is refused, and what is not there is not found', async () => {
    const id = await made('/merchants', { brandId, name: '百货' })
    const shopId = await made(`/merchants/${id}/shops`, shopFacts())
    const bad: readonly [string, string, object, string][] = [
      ['POST', '/merchants', { brandId, name: ' ' }, 'name'],
      ['POST', '/merchants', { brandId: 'brd_1', name: '甲' }, 'brandId'],
      ['POST', `/merchants/${id}/shops`, shopFacts({ name: 'x'.repeat(101) }), 'name'],
      ['POST', `/merchants/${id}/shops`, shopFacts({ name: '乙', latitudeE6: null }), 'longitudeE6'],
      ['POST', `/merchants/${id}/shops`, shopFacts({ name: '乙', longitudeE6: 181_000_000 }), 'longitudeE6'],
      ['POST', `/merchants/${id}/shops`, { ...shopFacts({ name: '乙' }), extra: 1 }, 'extra'],
      ['POST', `/shops/${shopId}/clerks`, { name: '周', role: 'boss' }, 'role'],
      ['PUT', `/shops/${shopId}`, { ...shopFacts(), version: 1, state: 'gone' }, 'state'],
    ]
    for (const [method, path, body, field] of bad) {
      const answer = await ask(method, path, body)
      expect([path, answer.status, answer.body.code, answer.body.field]).toEqual([
        path,
        422,
        'malformed_request',
        field,
      ])
    }
    const nobody = { merchant: encodeId('merchant', 9n), shop: encodeId('shop', 9n), clerk: encodeId('clerk', 9n) }
    const gone = [
      await ask('POST', '/merchants', { brandId: encodeId('brand', 9n), name: '甲' }),
      await ask('GET', `/merchants/${nobody.merchant}`),
      await ask('PUT', `/merchants/${nobody.merchant}`, { version: 1, name: '甲', state: 'active' }),
      await ask('POST', `/merchants/${nobody.merchant}/shops`, shopFacts()),
      await ask('PUT', `/shops/${nobody.shop}`, { ...shopFacts(), version: 1, state: 'open' }),
      await ask('POST', `/shops/${nobody.shop}/clerks`, { name: '周', role: 'clerk' }),
      await ask('PUT', `/clerks/${nobody.clerk}`, { version: 1, name: '周', role: 'clerk', shopId }),
      await ask('POST', `/clerks/${nobody.clerk}/remove`),
      await ask('POST', `/clerks/${nobody.clerk}/link`),
    ]
    expect(gone.map((one) => [one.status, one.body.code])).toEqual(gone.map(() => [404, 'not_found']))
  })
})
