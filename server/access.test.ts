import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { companyRoles } from '../contract/hr/session.ts'
import { encodeId } from '../contract/ids.ts'
import { merchantRoles } from '../contract/merchant/till.ts'
import { platformRoles } from '../contract/operator/platform.ts'
import { endpoints } from './app.ts'
import type { Actor, Edge } from './kernel/context.ts'
import { AppError } from './kernel/errors.ts'
import { createHttpApp, serve } from './kernel/http.ts'
import { silentLog } from './kernel/log.ts'
import { doors } from './testing/doors.ts'

const companyId = encodeId('company', 1n)
const actors: Readonly<Record<string, Actor>> = {
  anybody: { kind: 'anybody' },
  'employee employee': { kind: 'employee', companyId, personId: encodeId('person', 1n) },
  ...Object.fromEntries(
    companyRoles.map((role) => [
      `hr ${role}`,
      { kind: 'member', companyId, memberId: encodeId('member', 1n), roles: [role] },
    ]),
  ),
  'store buyer': { kind: 'buyer', buyerId: encodeId('buyer', 1n) },
  'pos terminal': {
    kind: 'terminal',
    merchantId: encodeId('merchant', 1n),
    shopId: encodeId('shop', 1n),
    terminalId: encodeId('terminal', 1n),
  },
  ...Object.fromEntries(
    merchantRoles.map((role) => [
      `merchant ${role}`,
      {
        kind: 'clerk',
        merchantId: encodeId('merchant', 1n),
        shopId: encodeId('shop', 1n),
        clerkId: encodeId('clerk', 1n),
        roles: [role],
      },
    ]),
  ),
  ...Object.fromEntries(
    platformRoles.map((role) => [
      `operator ${role}`,
      { kind: 'operator', operatorId: encodeId('operator', 1n), roles: [role] },
    ]),
  ),
}

/** What is behind the doors answers 503, so that 401 and 403 are said at the door or not at all. */
const behind = (): never => {
  throw new AppError('busy')
}
const edge = { tx: behind, read: behind, ports: new Proxy({}, { get: behind }), log: silentLog() } as unknown as Edge

describe('the doors', () => {
  let base: string
  let close: () => Promise<void>
  beforeAll(async () => {
    const app = createHttpApp({
      endpoints,
      edgeFor: () => edge,
      // As the real one does it: the path decides whose session counts.
      authenticate: async ({ path, headers }) => {
        const name = headers['x-as'] ?? 'anybody'
        const actor = actors[name]
        return actor !== undefined && path.startsWith(`/${name.split(' ')[0]}/`) ? actor : { kind: 'anybody' }
      },
      origins: ['https://fulika.test'],
      log: silentLog(),
      rate: { points: 1_000_000, seconds: 60 },
    })
    const server = await serve(app, 0, '127.0.0.1')
    base = `http://127.0.0.1:${server.port}`
    close = () => server.close(1_000)
  })
  afterAll(() => close())

  const knock = async (name: string, headers: Record<string, string>): Promise<[number, string]> => {
    const [method = '', path = ''] = name.split(' ')
    const write = method !== 'GET' && method !== 'DELETE'
    const answer = await fetch(base + path.replaceAll(/:\w+/g, 'x'), {
      method,
      redirect: 'manual',
      headers: { 'idempotency-key': 'k', ...(write ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(write ? { body: '{}' } : {}),
    })
    const text = await answer.text()
    return [answer.status, text.startsWith('{') ? ((JSON.parse(text) as { code?: string }).code ?? '') : '']
  }

  test('every endpoint has its line, and no line is left over', () => {
    const names = endpoints.map((one) => `${one.method} ${one.path}`)
    expect(names.toSorted()).toEqual(Object.keys(doors).toSorted())
  })

  test.each(Object.entries(doors))('%s opens for: %s', async (name, who) => {
    const area = /^\w+ \/(\w+)/.exec(name)?.[1] ?? ''
    for (const actor of Object.keys(actors)) {
      const [kind = '', role = ''] = actor.split(' ')
      const [, code] = await knock(name, { 'x-as': actor })
      const mayEnter = who === 'all' || (kind === area && who.split(' ').includes(role))
      const said = code === 'forbidden' || code === 'unauthenticated' ? code : 'opened'
      const shut = kind === area ? 'forbidden' : 'unauthenticated'
      expect([actor, said]).toEqual([actor, mayEnter ? 'opened' : shut])
    }
  })

  const writes = endpoints.filter((one) => one.method !== 'GET' && one.may !== 'notice')
  test.each(writes.map((one) => `${one.method} ${one.path}`))('%s takes nothing from a foreign page', async (name) => {
    const area = /^\w+ \/(\w+)/.exec(name)?.[1] ?? ''
    const others = {
      employee: 'employee employee',
      store: 'store buyer',
      merchant: 'merchant manager',
      pos: 'pos terminal',
    }
    const as = area in others ? others[area as keyof typeof others] : `${area} admin`
    const cookie = 'fulika_hr=x; fulika_ops=x; fulika_pack=x; fulika_till=x; fulika_store=x'
    const foreign = ['https://evil.test', 'null', 'https://fulika.test.evil.test', 'http://fulika.test']
    for (const headers of [{ cookie }, ...foreign.flatMap((origin) => [{ cookie, origin }, { origin }])])
      expect(await knock(name, { 'x-as': as, ...headers })).toEqual([403, 'origin_refused'])
    const [, own] = await knock(name, { 'x-as': as, cookie, origin: 'https://fulika.test' })
    expect(own).not.toBe('origin_refused')
  })

  test('a path in other letters, or with other signs, opens nothing', async () => {
    for (const path of [
      '/HR/home',
      '/Hr/home',
      '/hr/HOME/..',
      '/%68r/home',
      '/hr%2Fhome',
      '/employee/%2e%2e/hr/home',
      '/hr;/home',
    ]) {
      const answer = await fetch(base + path, { headers: { 'x-as': 'employee employee' } })
      expect([401, 404], path).toContain(answer.status)
    }
  })

  test('what is personal or moves money is behind a sign-in', () => {
    const open = endpoints.filter((one) => one.may === 'public').map((one) => `${one.method} ${one.path}`)
    expect(
      open.every((name) =>
        /\/(sign-in\/:code|sign-in-callback|consent\/:code|consent-callback|session|hr\/first-sign-in|merchant\/sign-in|claims\/:token(\/code)?|claim-links\/:token(\/code)?|gift-links\/:token(\/opened)?|device-links\/open|covers\/:id\/picture|trust\/:brandId|store\/(events|setting|sign-in|js\/signature|shelf|listings\/:id))$/.test(
          name,
        ),
      ),
    ).toBe(true)
    // The storefront says only whether somebody is signed in.
    expect(open.filter((name) => name.startsWith('GET') && name.endsWith('/session'))).toEqual(['GET /store/session'])
  })
})
