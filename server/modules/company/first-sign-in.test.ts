import { afterEach, beforeEach, expect, test } from 'vitest'
import type { z } from 'zod'
import type { FirstSignInLink } from '../../../contract/operator/platform.ts'
import type { Id } from '../../../contract/ids.ts'
import { encodeSigned } from '../../kernel/cookies.ts'
import { createLog } from '../../kernel/log.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { addMember } from './add-member.ts'
import { breakConnection } from './break-connection.ts'
import { connectWecom } from './connect-wecom.ts'
import { createCompany } from './create-company.ts'
import { createOperator } from './create-operator.ts'
import { companyEndpoints } from './endpoints.ts'
import { moveConnection } from './move-connection.ts'
import { removeMember } from './remove-member.ts'
import { suspendCompany } from './suspend-company.ts'

type Link = z.output<typeof FirstSignInLink>
const T0 = Date.UTC(2026, 8, 25, 2)
const DAY_MS = 24 * 3_600_000
const app = { corpId: 'wwFirst', agentId: 1_000_002, secret: 'SANDBOXfirst' }
const admin = { name: '秦岚', userid: 'qinlan', roles: ['admin'] as const }
let made = 0

onBothDatabases('first sign-in', (database) => {
  let web: Web
  let nowMs: number
  let logged: string
  let ops: Browser
  let companyId: Id<'company'>
  let memberId: Id<'member'>
  beforeEach(async () => {
    nowMs = T0
    logged = ''
    made += 1
    const log = createLog({ stream: { write: (line: string) => void (logged += line) } })
    const wecom = wecomOf({ baseUrl: 'http://127.0.0.1:1' }, { now: () => nowMs })
    web = await startWeb(database, { endpoints: companyEndpoints, ports: { wecom }, now: () => nowMs, log })
    companyId = await database.tx((tx) =>
      createCompany(tx, { code: `first-${made}`, name: '长岭机械', paymentRoute: 'non_cash' }),
    )
    memberId = await add(admin)
    ops = await operator(['ops'])
  })
  afterEach(() => web.close())

  /** Wrong links are counted by address, so every browser comes from one of its own. */
  const browser = (): Browser => {
    made += 1
    return aBrowser(web.base, { 'x-forwarded-for': `10.77.${made >> 8}.${made & 255}` })
  }
  const operator = async (roles: readonly ('ops' | 'risk' | 'finance')[]): Promise<Browser> => {
    const by = browser()
    const key = `${made}`.padStart(43, 'k')
    await database.tx((tx) => createOperator(tx, { name: '运营', roles, key }))
    expect((await by.send('POST', '/operator/session', { key })).status).toBe(200)
    return by
  }
  const add = (member: Omit<Parameters<typeof addMember>[1], 'companyId'>) =>
    database.tx((tx) => addMember(tx, { companyId, ...member }))
  const connect = (of = companyId) => database.tx((tx) => connectWecom(tx, { companyId: of, ...app }))
  const offer = (by = ops, of = companyId) => by.send('POST', `/operator/companies/${of}/first-sign-in`)
  const link = async (): Promise<Link> => (await (await offer()).json()) as Link
  const tokenOf = (of: Link): string => new URL(of.url).hash.slice(1)
  const told = async (answer: Response) =>
    answer.status === 204 ? '204' : `${answer.status} ${((await answer.json()) as { code: string }).code}`
  const take = async (token: string, by = browser()) => told(await by.send('POST', '/hr/first-sign-in', { token }))
  const signed = (of: { companyId: string; memberId: string }, purpose = 'first-sign-in') =>
    encodeSigned(purpose, { ...of, nonce: 'a'.repeat(32), expiresAtMs: nowMs + DAY_MS }, database.house.sessionKey)
  const REFUSED = '401 first_sign_in_refused'

  test('a link signs the administrator in once, and stands nowhere but in its answer', async () => {
    await add({ name: '何平', userid: 'heping', roles: ['admin'] })
    const given = await link()
    expect(given).toMatchObject({ memberName: '秦岚', expiresAtMs: T0 + DAY_MS })
    expect(given.url.startsWith(`${web.base}/console/first-sign-in#`)).toBe(true)
    const token = tokenOf(given)
    const boss = browser()
    expect(await take(token, boss)).toBe('204')
    expect(await (await boss.get('/hr/session')).json()).toMatchObject({ member: { id: memberId, roles: ['admin'] } })
    const again = browser()
    expect(await take(token, again)).toBe(REFUSED)
    expect((await again.get('/hr/session')).status).toBe(401)
    const acts = await database.tx((tx) =>
      sql<{ act: string; actor: string }>(
        tx.em,
        "select act, actor from trail where object_id = ? and act like 'member.first%' order by id",
        [memberId],
      ),
    )
    expect(acts).toEqual([
      { act: 'member.first_sign_in_offered', actor: expect.stringMatching(/^op/) as string },
      { act: 'member.first_signed_in', actor: 'anybody' },
    ])
    const rows = await database.tx((tx) => sql(tx.em, "select * from once_key where scope = 'first-sign-in'"))
    expect(rows.length).toBeGreaterThan(0)
    expect(logged).not.toBe('')
    for (const text of [logged, JSON.stringify(rows)])
      for (const part of [token, ...token.split('.')]) expect(text).not.toContain(part)
  })

  test('of two who open it at once one comes in', async () => {
    const token = tokenOf(await link())
    const answers = await Promise.all([take(token), take(token), take(token)])
    expect(answers.toSorted()).toEqual(['204', REFUSED, REFUSED])
  })

  test('past 24 hours it is over, and a forged one never was', async () => {
    const token = tokenOf(await link())
    const [body = '', mac = ''] = token.split('.')
    const other = Buffer.from(JSON.stringify({ companyId, memberId, nonce: 'b'.repeat(32), expiresAtMs: T0 * 2 }))
    const forged = [
      `${body}.${Buffer.alloc(32).toString('base64url')}`,
      `${other.toString('base64url')}.${mac}`,
      signed({ companyId, memberId }, 'session'),
      body,
      '.',
      'x',
    ]
    for (const one of forged) expect(await take(one)).toBe(REFUSED)
    expect(await take('')).toBe('422 malformed_request')
    nowMs = T0 + DAY_MS
    expect(await take(token)).toBe(REFUSED)
    nowMs = T0 + DAY_MS - 1
    expect(await take(token)).toBe('204')
  })

  test("another company's member does not come in by this company's link", async () => {
    const other = await aCompany(database)
    expect(await take(signed({ companyId, memberId: other.members.admin }))).toBe(REFUSED)
    expect(await take(signed({ companyId, memberId }))).toBe('204')
  })

  const ends: readonly [string, () => Promise<unknown>][] = [
    ['connected by now', () => connect()],
    ['the member was removed', () => database.tx((tx) => removeMember(tx, companyId, memberId))],
    ['no administrator any more', () => add({ ...admin, roles: ['hr', 'approver', 'finance'] })],
    ['the company is suspended', () => database.tx((tx) => suspendCompany(tx, companyId))],
  ]
  test.each(ends)('an unspent link is refused: %s', async (_why, end) => {
    const token = tokenOf(await link())
    await end()
    expect(await take(token)).toBe(REFUSED)
  })

  test('while the connection works there is no link; broken or cancelled there is', async () => {
    const connected: TestCompany = await aCompany(database)
    expect(await told(await offer(ops, connected.id))).toBe('409 state_conflict')
    await database.tx((tx) => breakConnection(tx, connected.id, '40001'))
    const broken = (await (await offer(ops, connected.id)).json()) as Link
    expect(await take(tokenOf(broken))).toBe('204')
    await database.tx((tx) =>
      moveConnection(tx, { companyId: connected.id, from: 'broken', to: 'cancelled', set: { cancelled_at_ms: nowMs } }),
    )
    expect((await offer(ops, connected.id)).status).toBe(200)
  })

  test('who may make it, for whom, and what is said where nobody can come in', async () => {
    expect(await told(await offer(await operator(['risk', 'finance'])))).toBe('403 forbidden')
    expect(await told(await offer(browser()))).toBe('401 unauthenticated')
    expect(await told(await offer(ops, memberId as unknown as Id<'company'>))).toBe('422 malformed_request')
    await database.tx((tx) => removeMember(tx, companyId, memberId))
    await add({ name: '何平', userid: 'heping', roles: ['hr'] })
    expect(await told(await offer())).toBe('409 first_sign_in_nobody')
    await database.tx((tx) => suspendCompany(tx, companyId))
    expect(await told(await offer())).toBe('403 company_suspended')
  })

  test('who guesses waits, the right link included', async () => {
    const token = tokenOf(await link())
    const guesser = browser()
    for (let i = 0; i < 10; i += 1) expect(await take(`guess${i}.x`, guesser)).toBe(REFUSED)
    expect(await take(token, guesser)).toBe('429 too_many_requests')
    expect(await take(token)).toBe('204')
  })
})
