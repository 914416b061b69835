import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PlatformRole } from '../../../contract/abilities.ts'
import type { Custody, CustodyBrand } from '../../../contract/operator/custody.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Actor } from '../../kernel/context.ts'
import { createHttpApp, serve } from '../../kernel/http.ts'
import { silentLog } from '../../kernel/log.ts'
import { sql } from '../../kernel/sql.ts'
import { beijing, custodyStage } from '../../testing/custody.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { writeStatements } from '../analytics/write-statements.ts'
import { complianceEndpoints } from './endpoints.ts'

const NOW = beijing('2026-04-10 12:00:00')
const filing = {
  class: 'scale',
  number: '440300AAA0001',
  filedDay: '2025-03-01',
  custodyBank: '沙箱银行深圳分行',
  custodyAccount: '6222 0000 1111 2345',
}

onBothDatabases('custody over HTTP', (database) => {
  let server: Awaited<ReturnType<typeof serve>>
  let roles: readonly PlatformRole[]
  const origin = 'http://127.0.0.1'
  beforeEach(async () => {
    roles = ['finance']
    const actor = (): Actor => ({ kind: 'operator', operatorId: 'opr_0000000000001' as Id<'operator'>, roles })
    const app = createHttpApp({
      endpoints: complianceEndpoints,
      edgeFor: (who, log) => ({ ...database.edge({} as Ports, who, () => NOW), log }),
      authenticate: async () => actor(),
      origins: [origin],
      log: silentLog(),
      trustProxy: false,
    })
    server = await serve(app, 0, '127.0.0.1')
  })
  afterEach(() => server.close(1_000))

  type Answer = { status: number; body: Record<string, unknown> }
  async function ask(method: string, path: string, json?: object): Promise<Answer> {
    const headers = { origin, 'content-type': 'application/json' }
    const sent = json === undefined ? {} : { body: JSON.stringify(json) }
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers, ...sent })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const refusal = ({ status, body }: Answer) => [status, body['code'], body['field']]

  test('a balance must be whole, not negative, not absurd, of a day that has come, and a document counts once', async () => {
    const stage = await custodyStage(database)
    const { id } = await stage.brand(beijing('2026-03-01 09:00:00'), {})
    const good = { day: '2026-04-09', fen: 123_456, document: '回单 0409' }
    const enter = (more: object) => ask('POST', `/operator/custody/${id}/balances`, { ...good, ...more })
    const bad = async (more: object) => refusal(await enter(more))
    for (const fen of [-1, 0.5, 10_000_000_000_001, Number.MAX_SAFE_INTEGER, '5', null])
      expect(await bad({ fen })).toEqual([422, 'malformed_request', 'fen'])
    expect(await bad({ day: '2026-02-30' })).toEqual([422, 'malformed_request', 'day'])
    expect(await bad({ day: '2026-04-11' })).toEqual([422, 'custody_day_future', 'day'])
    expect(await bad({ document: '  ' })).toEqual([422, 'malformed_request', 'document'])
    expect((await ask('POST', '/operator/custody/brd_0000000000000/balances', good)).status).toBe(404)
    const [first, again] = [await enter({}), await enter({})]
    expect([first.status, again.status]).toEqual([200, 200])
    expect(again.body['id']).toBe(first.body['id'])
    expect(await bad({ fen: 123_457 })).toEqual([409, 'custody_document_used', 'fen'])
    expect(await bad({ day: '2026-04-08' })).toEqual([409, 'custody_document_used', 'day'])
    // A bank may well say that nothing is there, and another document corrects.
    expect((await enter({ fen: 0, document: '更正' })).status).toBe(200)
    const { body } = await ask('GET', `/operator/custody/${id}`)
    const { standing, balances } = body as unknown as CustodyBrand
    expect(standing).toMatchObject({ confirmedFen: 0, confirmedDay: '2026-04-09', staleDays: 1 })
    expect(balances.map((row) => row.fen)).toEqual([0, 123_456])
  })

  test('the same document entered twice at once is one row', async () => {
    const stage = await custodyStage(database)
    const { id } = await stage.brand(beijing('2026-03-01 09:00:00'), {})
    const enter = () => ask('POST', `/operator/custody/${id}/balances`, { day: '2026-04-09', fen: 1, document: '回单' })
    const answers = await Promise.all([enter(), enter(), enter(), enter()])
    expect(new Set(answers.map((one) => `${one.status} ${String(one.body['id'])}`)).size).toBe(1)
  })

  test('a guarantee is worth something and ends after it begins; ended early it is ended once', async () => {
    const stage = await custodyStage(database)
    const { id } = await stage.brand(beijing('2026-03-01 09:00:00'), {})
    const good = { kind: 'insurance', fen: 5_000, fromDay: '2026-04-01', toDay: '2026-06-30', document: '保单 1' }
    const enter = (more: object) => ask('POST', `/operator/custody/${id}/guarantees`, { ...good, ...more })
    expect(refusal(await enter({ fen: 0 }))).toEqual([422, 'malformed_request', 'fen'])
    expect(refusal(await enter({ kind: 'promise' }))).toEqual([422, 'malformed_request', 'kind'])
    expect(refusal(await enter({ toDay: '2026-03-31' }))).toEqual([422, 'custody_span_backwards', 'toDay'])
    const first = await enter({})
    expect([first.status, (await enter({})).body['id']]).toEqual([200, first.body['id']])
    expect(refusal(await enter({ toDay: '2026-07-01' }))).toEqual([409, 'custody_document_used', 'toDay'])
    const end = (day: string) => ask('POST', `/operator/custody-guarantees/${String(first.body['id'])}/end`, { day })
    expect(refusal(await end('2026-07-01'))).toEqual([422, 'custody_span_backwards', 'day'])
    expect([(await end('2026-04-05')).status, (await end('2026-04-05')).status]).toEqual([200, 200])
    expect(refusal(await end('2026-04-06'))).toEqual([409, 'state_conflict', undefined])
  })

  test('a filing names what its class needs; its account is sealed and shown by four signs', async () => {
    const stage = await custodyStage(database)
    const { id } = await stage.brand(beijing('2026-03-01 09:00:00'))
    const set = (more: object) => ask('PUT', `/operator/brands/${id}/filing`, { ...filing, ...more })
    expect(refusal(await set({ class: 'huge' }))).toEqual([422, 'malformed_request', 'class'])
    expect(refusal(await set({ number: null }))).toEqual([422, 'malformed_request', 'number'])
    expect(refusal(await set({ custodyAccount: '12' }))).toEqual([422, 'malformed_request', 'custodyAccount'])
    expect(refusal(await set({ filedDay: '2026-04-11' }))).toEqual([422, 'malformed_request', 'filedDay'])
    expect(refusal(await set({ ceilingFen: 0 }))).toEqual([422, 'malformed_request', 'ceilingFen'])
    expect([(await set({})).body, (await set({})).body]).toEqual([{ version: 1 }, { version: 1 }])
    expect((await set({ custodyAccount: '6222000011112346' })).body).toEqual({ version: 2 })
    expect((await set({ class: 'other', number: null, custodyBank: null, custodyAccount: null })).status).toBe(200)
    expect((await set({})).body).toEqual({ version: 4 })
    const { body } = await ask('GET', `/operator/custody/${id}`)
    expect((body as unknown as CustodyBrand).filing).toMatchObject({
      custodyAccountMasked: '**** 2345',
      class: 'scale',
    })
    expect(JSON.stringify(body)).not.toContain('0000 1111')
    const rows = await database.tx((tx) =>
      sql<{ sealed: Buffer }>(tx.em, 'select custody_account_sealed as sealed from brand_filing'),
    )
    for (const { sealed } of rows) expect(Buffer.from(sealed ?? []).toString('latin1')).not.toContain('1111')
  })

  test('another role may look and enter nothing', async () => {
    const stage = await custodyStage(database)
    const { id } = await stage.brand(beijing('2026-03-01 09:00:00'), {})
    roles = ['ops', 'risk']
    expect((await ask('GET', '/operator/custody')).status).toBe(200)
    const balance = { day: '2026-04-09', fen: 1, document: '1' }
    expect(refusal(await ask('POST', `/operator/custody/${id}/balances`, balance))).toEqual([
      403,
      'forbidden',
      undefined,
    ])
    expect((await ask('PUT', `/operator/brands/${id}/filing`, filing)).status).toBe(403)
  })

  test('the list says how each brand stands now, and a span of days has its mean', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-30 09:00:00'), { class: 'scale' })
    await stage.issue(brand, beijing('2026-03-31 23:59:59.999'), 100_001)
    await stage.issue(brand, beijing('2026-04-10 11:59:59.999'), 200_000)
    // Before any statement, and after: the quarter's end and the balance are the same.
    const before = (await ask('GET', '/operator/custody')).body as unknown as Custody
    await writeStatements(stage.system(NOW))
    const after = (await ask('GET', '/operator/custody')).body as unknown as Custody
    const stands = { balanceFen: 300_001, quarterDay: '2026-03-31', quarterFen: 100_001, requiredFen: 20_001 }
    expect(before.brands).toMatchObject([{ ...stands, confirmedFen: null, staleDays: null, alarmAtMs: null }])
    expect(after.brands).toMatchObject([{ ...stands, shortfallFen: 20_001, alarmAtMs: NOW }])
    const path = `/operator/custody/${brand.id}`
    const { body } = await ask('GET', `${path}?fromDay=2026-03-30&toDay=2026-04-01`)
    const seen = body as unknown as CustodyBrand
    expect(seen.days.map((day) => day.balanceFen)).toEqual([100_001, 100_001, 0])
    expect(seen.meanFen).toBe(66_667)
    expect(refusal(await ask('GET', `${path}?fromDay=2025-01-01&toDay=2026-04-01`))).toEqual([
      422,
      'malformed_request',
      'fromDay',
    ])
    const empty = (await ask('GET', `${path}?fromDay=2026-01-01&toDay=2026-01-31`)).body as unknown as CustodyBrand
    expect([empty.days, empty.meanFen]).toEqual([[], null])
  })
})
