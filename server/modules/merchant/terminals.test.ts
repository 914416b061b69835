import { request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { endpoint } from '../../kernel/endpoint.ts'
import { change, sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aShop, type TestShop } from '../../testing/merchants.ts'
import { askPos, codeOfAnswer, posHeader, type PosKey, type PosOdd } from '../../testing/pos.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { createBrand } from '../catalog/create-template.ts'
import { createOperator } from '../company/create-operator.ts'
import { changeMerchant } from './change-merchant.ts'
import { createWebhook } from './create-webhook.ts'
import { forgetNonces } from './forget-nonces.ts'
import { terminalEndpoints } from './terminal-endpoints.ts'
import { useNonces } from './use-nonces.ts'

const DAY_MS = 86_400_000
let nowMs = Date.UTC(2026, 10, 23, 4)

/** Says who asks and what arrived, as every door for tills could. */
const echo = (method: 'GET' | 'POST') =>
  endpoint({
    ...({ method, path: '/pos/v1/echo', may: 'pos.use', scope: 'edge', signed: true, limitBytes: 1024 } as const),
    ...(method === 'POST' ? { body: 'json' as const } : {}),
    input: z.looseObject({}),
    output: z.looseObject({}),
    run: async ({ actor }, input) => ({ actor, input }),
  })

onBothDatabases('terminals', (database) => {
  let web: Web
  let shop: TestShop
  let cookie: { cookie: string }
  let key: PosKey
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    const endpoints = [...terminalEndpoints, echo('GET'), echo('POST')]
    web = await startWeb(database, { endpoints, ports: { wecom: undefined as never }, now: () => nowMs })
    shop = await aShop(database, await database.tx((tx) => createBrand(tx, { name: '青禾', issuerPrefix: '6230' })))
    const operatorId = await database.tx((tx) =>
      createOperator(tx, { name: '运营', roles: ['ops'], key: 'K'.repeat(43) }),
    )
    const session = { kind: 'operator' as const, ids: { operatorId }, expiresAtMs: nowMs + 30 * DAY_MS }
    cookie = { cookie: `fulika_ops=${encodeSession(session, database.house.sessionKey)}` }
    key = await aTerminal()
  })
  afterEach(() => web.close())

  const operate = async <T>(path: string, body: unknown = {}, once: string = crypto.randomUUID()): Promise<T> => {
    const answer = await aBrowser(web.base).send('POST', path, body, { ...cookie, 'idempotency-key': once })
    const text = await answer.text()
    if (answer.status >= 400) throw new Error((JSON.parse(text) as { code: string }).code)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
  const make = (name: string, once?: string) =>
    operate<{ id: string; secret: string | null }>(`/operator/shops/${shop.shopId}/terminals`, { name }, once)
  const keyOf = (id: string, secret: string | null): PosKey => ({
    base: web.base,
    terminalId: id,
    secret: secret ?? '',
    now: () => nowMs,
  })
  const aTerminal = async (): Promise<PosKey> => {
    const { id, secret } = await make('一号机')
    return keyOf(id, secret)
  }
  const ask = async (odd: PosOdd = {}, as = key, body: unknown = { amountFen: 100 }) =>
    codeOfAnswer(await askPos(as, 'POST', '/pos/v1/echo?a=1&b=%20', body, odd))
  const wrong = [401, 'pos_signature_invalid']

  test('a till is known by its signature over method, address, time, nonce and the body’s bytes', async () => {
    const body = '{ "amountFen": 100,  "note": "两个空格" }'
    const answer = await askPos(key, 'POST', '/pos/v1/echo?a=1&b=%20', body)
    const actor = { kind: 'terminal', merchantId: shop.merchantId, shopId: shop.shopId, terminalId: key.terminalId }
    expect(await answer.json()).toEqual({ actor, input: { a: '1', b: ' ', amountFen: 100, note: '两个空格' } })
    expect(await codeOfAnswer(await askPos(key, 'GET', '/pos/v1/echo'))).toEqual([200, ''])
  })

  test('whatever was changed after signing is refused, alike for a wrong key and an unknown till', async () => {
    expect(await ask({ signedBody: '{"amountFen":1}' })).toEqual(wrong)
    expect(await ask({ signedBody: '{"amountFen": 100}' })).toEqual(wrong)
    expect(await ask({ signedUrl: '/pos/v1/echo?a=2&b=%20' })).toEqual(wrong)
    expect(await ask({ signedUrl: '/pos/v1/echo?a=1&b=+' })).toEqual(wrong)
    expect(await ask({}, { ...key, secret: 'x'.repeat(43) })).toEqual(wrong)
    expect(await ask({ terminalId: 'trm_0000000000000' })).toEqual(wrong)
    const other = await aTerminal()
    expect(await ask({ terminalId: other.terminalId })).toEqual(wrong)
    const crooked = ['', 'Bearer x', 'FULIKA-HMAC-SHA256', posHeader(key, 'POST', '/pos/v1/echo', '{}') + ',x=1']
    for (const authorization of crooked)
      expect([authorization, await ask({ headers: { authorization } })]).toEqual([authorization, wrong])
    expect(await ask({ headers: { authorization: undefined } })).toEqual([401, 'unauthenticated'])
    expect(await ask()).toEqual([200, ''])
  })

  test('a clock may be five minutes off, either way, and not a second more', async () => {
    const at = (seconds: number) => ask({ timestamp: String(nowMs / 1000 + seconds) })
    for (const off of [-300, 300]) expect([off, await at(off)]).toEqual([off, [200, '']])
    for (const off of [-301, 301, -86_400]) expect([off, await at(off)]).toEqual([off, wrong])
    for (const timestamp of ['', 'now', String(nowMs), '-1795420800', `${nowMs / 1000}.5`])
      expect([timestamp, await ask({ timestamp })]).toEqual([timestamp, wrong])
  })

  test('a nonce is good once for a till, of any number of callers for one; another till may have the same', async () => {
    const nonce = 'a'.repeat(22)
    expect(await ask({ nonce })).toEqual([200, ''])
    expect(await ask({ nonce })).toEqual([401, 'pos_nonce_used'])
    expect(await ask({ nonce }, await aTerminal())).toEqual([200, ''])
    const many = await Promise.all(Array.from({ length: 20 }, () => ask({ nonce: 'b'.repeat(22) })))
    expect(many.filter(([status]) => status === 200)).toHaveLength(1)
    expect(many.filter(([, code]) => code === 'pos_nonce_used')).toHaveLength(19)
    for (const short of ['a'.repeat(15), 'a'.repeat(65), 'a b'.repeat(8)])
      expect(await ask({ nonce: short })).toEqual(wrong)
    expect(await ask({ nonce: 'c'.repeat(22), signedBody: 'x' })).toEqual(wrong)
    // A request that was refused uses nothing up: whoever saw a nonce cannot spoil it.
    expect(await ask({ nonce: 'c'.repeat(22) })).toEqual([200, ''])
  })

  test('nonces are forgotten once their time stamp is too old anyway, and not before', async () => {
    await ask({ nonce: 'a'.repeat(22), timestamp: String(nowMs / 1000 + 300) })
    const forget = () => database.edge({} as never, undefined, () => nowMs).tx(forgetNonces)
    nowMs += 600_000
    expect(await forget()).toBe(0)
    expect(await ask({ nonce: 'a'.repeat(22), timestamp: String(nowMs / 1000 - 300) })).toEqual([401, 'pos_nonce_used'])
    nowMs += 61_000
    expect(await forget()).toBe(1)
    expect(await forget()).toBe(0)
  })

  test('a transaction of nonces that is done again finds itself first', async () => {
    const used = { terminalId: key.terminalId as Id<'terminal'>, nonce: 'd'.repeat(22), token: 't', endsAtMs: nowMs }
    expect(await database.tx((tx) => useNonces(tx, [used, { ...used, token: 'u' }]))).toEqual([true, false])
    expect(await database.tx((tx) => useNonces(tx, [used]))).toEqual([true])
  })

  test('a body is read within its limit only, whether its length is told or not', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(2000) })
    expect(await ask({}, key, large)).toEqual([413, 'payload_too_large'])
    const streamed = await new Promise<number>((resolve, reject) => {
      const authorization = posHeader(key, 'POST', '/pos/v1/echo', large)
      const call = request(`${web.base}/pos/v1/echo`, { method: 'POST', headers: { authorization } }, (answer) => {
        resolve(answer.statusCode ?? 0)
        answer.resume()
      })
      call.on('error', reject)
      call.write(large.slice(0, 1500))
      call.end(large.slice(1500))
    })
    expect(streamed).toBe(413)
    expect(await ask({}, key, '{"amountFen":')).toEqual([422, 'malformed_request'])
    expect(await ask({}, key, '[1]')).toEqual([422, 'malformed_request'])
  })

  test('a revoked till, a closed shop and a suspended merchant are refused from the next request on', async () => {
    expect(await ask()).toEqual([200, ''])
    const suspend = (state: 'active' | 'suspended', version: number) =>
      database.tx((tx) => changeMerchant(tx, { id: shop.merchantId, version, name: '青禾百货', state }))
    await suspend('suspended', 1)
    expect(await ask()).toEqual([403, 'terminal_off'])
    // To whoever has not the key a till that is off is as unknown as any other.
    expect(await ask({}, { ...key, secret: 'x'.repeat(43) })).toEqual(wrong)
    await suspend('active', 2)
    await database.tx((tx) => change(tx.em, "update shop set state = 'closed' where id = ?", [shop.shopId]))
    expect(await ask()).toEqual([403, 'terminal_off'])
    await database.tx((tx) => change(tx.em, "update shop set state = 'open' where id = ?", [shop.shopId]))
    expect(await ask()).toEqual([200, ''])
    for (let again = 0; again < 2; again += 1) await operate(`/operator/terminals/${key.terminalId}/revoke`)
    expect(await ask()).toEqual([403, 'terminal_off'])
    await expect(operate(`/operator/terminals/${key.terminalId}/rotate`)).rejects.toThrow('state_conflict')
  })

  const rotate = async (once?: string): Promise<PosKey> => {
    const { secret } = await operate<{ secret: string | null }>(
      `/operator/terminals/${key.terminalId}/rotate`,
      {},
      once,
    )
    return keyOf(key.terminalId, secret)
  }

  test('the old key opens until the till used the new one', async () => {
    const next = await rotate()
    expect(await ask()).toEqual([200, ''])
    expect(await ask()).toEqual([200, ''])
    expect(await ask({}, next)).toEqual([200, ''])
    expect(await ask()).toEqual(wrong)
    expect(await ask({}, next)).toEqual([200, ''])
  })

  test('the old key opens for a day at most', async () => {
    const next = await rotate()
    nowMs += DAY_MS - 1000
    expect(await ask()).toEqual([200, ''])
    nowMs += 1000
    expect(await ask()).toEqual(wrong)
    expect(await ask({}, next)).toEqual([200, ''])
  })

  test('a new key that the till never took is thrown away by the next, not the one it works with', async () => {
    const lost = await rotate()
    const next = await rotate()
    expect(await ask()).toEqual([200, ''])
    expect(await ask({}, lost)).toEqual(wrong)
    expect(await ask({}, next)).toEqual([200, ''])
    expect(await ask()).toEqual(wrong)
  })

  test('a key is shown once: again only to the same request while its answer may have been lost', async () => {
    const first = await make('二号机', 'same')
    expect(first.secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await make('二号机', 'same')).toEqual(first)
    const next = await rotate('once')
    expect((await rotate('once')).secret).toBe(next.secret)
    nowMs += 600_000
    expect(await make('二号机', 'same')).toEqual({ id: first.id, secret: null })
    expect((await rotate('once')).secret).toBe('')
    await expect(make('三号机', 'same')).rejects.toThrow('idempotency_conflict')
    const { terminals } = (await (
      await aBrowser(web.base).get(`/operator/merchants/${shop.merchantId}/terminals`, cookie)
    ).json()) as { terminals: { name: string; oldKeyUntilMs: number | null }[] }
    expect(terminals.map((one) => [one.name, one.oldKeyUntilMs !== null])).toEqual([
      ['一号机', true],
      ['二号机', false],
    ])
    const rows = await database.tx((tx) =>
      sql<{ answer: string; sealed: Uint8Array }>(
        tx.em,
        'select answer, (select secret_sealed from terminal limit 1) as sealed from once_key',
      ),
    )
    for (const { answer, sealed } of rows) {
      expect(answer).not.toContain(next.secret)
      expect(Buffer.from(sealed).includes(key.secret)).toBe(false)
    }
  })

  test('an address that a merchant is told at is https to a host; the sandbox takes http', async () => {
    const hang = (url: string) =>
      operate<{ id: string; secret: string }>(`/operator/merchants/${shop.merchantId}/webhooks`, { url })
    for (const url of [
      'ftp://erp.example.com/',
      'not an address',
      'https://user:pass@erp.example.com/',
      'https://erp.example.com/#x',
    ])
      await expect(hang(url)).rejects.toThrow('webhook_url_refused')
    const made = await hang('https://erp.example.com/hook')
    expect(made.secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
    await hang('http://127.0.0.1:9/hook')
    const production = database.tx((tx) => {
      const house = { ...tx.house, sandbox: false }
      return createWebhook({ ...tx, house }, { merchantId: shop.merchantId, url: 'http://erp.example.com/' })
    })
    await expect(production).rejects.toThrow('webhook_url_refused')
    for (let more = 0; more < 3; more += 1) await hang(`https://erp.example.com/${more}`)
    await expect(hang('https://erp.example.com/6')).rejects.toThrow('till_limit_reached')
    for (let again = 0; again < 2; again += 1) await operate(`/operator/webhooks/${made.id}/pause`)
    await hang('https://erp.example.com/6')
    await expect(operate(`/operator/webhooks/${made.id}/resume`)).rejects.toThrow('till_limit_reached')
  })
})
