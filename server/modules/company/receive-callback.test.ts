import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { sweepJobs } from '../../../jobs/sweep-jobs.ts'
import { eventHandlers } from '../../../jobs/wecom-event.ts'
import { workOnce } from '../../../jobs/worker.ts'
import { claim, LEASE_MS } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aSuite, postCallback, sealedCallback, xmlOf } from '../../testing/callbacks.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { startWeb, type Web } from '../../testing/web.ts'
import { easyReview, noWechat, noInvoices, noSms, noPasses, noWebhooks, wecomOf } from '../../testing/wecom.ts'
import { callbackEndpoints } from './callback-endpoints.ts'
import { connectWecom } from './connect-wecom.ts'
import { forgetEvents } from './forget-events.ts'
import { readEvent } from './read-event.ts'
import { readSuiteTicket } from './read-suite-ticket.ts'
import { readConnection, readWecomApp } from './read-wecom-app.ts'
import { reviveEvent } from './revive-event.ts'

const keys = { token: 'QDG6eK', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' }
const [suiteId, provider] = ['wwsuite1', 'wwprovider']
const DAY_MS = 24 * 3_600_000

interface Stored {
  readonly id: Id<'wecomEvent'>
  readonly companyId: string | null
  readonly kind: string
  readonly changeType: string | null
  readonly state: string
  readonly copies: number
}

onBothDatabases('callbacks', (database) => {
  let web: Web
  let nowMs: number
  const wecom = wecomOf({ baseUrl: 'http://127.0.0.1:9' }, { now: () => nowMs })
  const ports = {
    wecom,
    sms: noSms,
    invoice: noInvoices,
    webhook: noWebhooks,
    pass: noPasses,
    review: easyReview,
    wechat: noWechat,
    wechatPay: undefined as never,
  }
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 8, 25, 2)
    web = await startWeb(database, { endpoints: callbackEndpoints, ports: { wecom }, now: () => nowMs })
    const wecomSuites = [aSuite(suiteId, keys)]
    database.house = { ...database.house, wecomSuites, wecomProviderCorpId: provider }
  })
  afterEach(() => web.close())

  const edge = () => database.edge(ports, { kind: 'system', name: 'test' }, () => nowMs)
  const events = () =>
    database.tx((tx) =>
      sql<Stored>(
        tx.em,
        'select id, company_id as companyId, kind, change_type as changeType, state, copies from wecom_event order by id',
      ),
    )
  const jobs = () =>
    database.tx((tx) => sql<{ lane: string; args: string }>(tx.em, 'select lane, args from job order by id'))
  const app = (companyId: string) => `${web.base}/callback/wecom/${companyId}`
  const command = (suite = suiteId) => `${web.base}/callback/wecom-suite/${suite}/command`
  const data = (corpId: string) => `${web.base}/callback/wecom-suite/${suiteId}/data/${corpId}`
  const told = (address: string, message: string, receiveId: string, atMs = nowMs) =>
    postCallback(address, sealedCallback(keys, message, receiveId, atMs))
  const ofSuite = (fields: Record<string, string | number>) =>
    told(command(), xmlOf({ SuiteId: suiteId, ...fields }), suiteId)
  const inApp = (fields: Record<string, string | number>) =>
    xmlOf({ FromUserName: 'sys', CreateTime: 1_790_000_000, MsgType: 'event', ...fields })
  /** A company with our suite installed. */
  const installed = async (corpId: string, authorisedAtMs: number): Promise<Id<'company'>> => {
    const { id } = await aCompany(database)
    const more = { kind: 'third_party', suiteId, corpId, agentId: 5, secret: 'permanent', authorisedAtMs } as const
    await database.tx((tx) => connectWecom(tx, { companyId: id, ...more }))
    await database.tx((tx) => sql(tx.em, "delete from job where kind = 'company.forget'"))
    return id
  }

  test('an event is stored sealed beside its job, and nothing else happens before the answer', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    const message = inApp({ Event: 'subscribe', FromUserName: 'WangWu' })
    expect(await told(app(id), message, connected.corpId)).toEqual([200, 'success'])
    const [event] = await events()
    expect(event).toMatchObject({ companyId: id, kind: 'subscribe', state: 'received', copies: 1 })
    expect((await jobs()).map((job) => ({ ...job, args: JSON.parse(job.args) }))).toEqual([
      { lane: 'small', args: { eventId: event!.id } },
    ])
    const view = await readEvent(edge(), event!.id)
    expect(view).toMatchObject({ companyId: id, suiteId: null, kind: 'subscribe', receivedAtMs: nowMs })
    expect(view?.fields).toMatchObject({ FromUserName: 'WangWu', CreateTime: '1790000000' })
    const [bytes] = await database.tx((tx) =>
      sql<{ sealed: Uint8Array }>(tx.em, 'select message_sealed as sealed from wecom_event'),
    )
    expect(Buffer.from(bytes!.sealed).toString('latin1')).not.toContain('WangWu')
  })

  test('the same text counts once, however often and under whatever signature it comes; equal texts of two companies are two', async () => {
    const [one, two] = [await aCompany(database, { callback: keys }), await aCompany(database, { callback: keys })]
    const message = inApp({ Event: 'enter_agent' })
    const answers = await Promise.all(Array.from({ length: 12 }, () => told(app(one.id), message, one.wecom.corpId)))
    expect(new Set(answers.map(String))).toEqual(new Set(['200,success']))
    await told(app(two.id), message, two.wecom.corpId)
    await told(app(one.id), message.replace('enter_agent', 'view'), one.wecom.corpId)
    expect((await events()).map((event) => [event.companyId, Number(event.copies)])).toEqual([
      [one.id, 12],
      [two.id, 1],
      [one.id, 1],
    ])
    expect(await jobs()).toHaveLength(3)
  })

  test('what somebody waits for is worked first', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    const contact = { Event: 'change_external_contact', ChangeType: 'add_external_contact' }
    await told(app(id), inApp({ ...contact, WelcomeCode: 'abc' }), connected.corpId)
    await told(app(id), inApp({ ...contact, UserID: 'b' }), connected.corpId)
    await told(app(id), inApp({ Event: 'template_card_event', TaskId: 't' }), connected.corpId)
    await ofSuite({ InfoType: 'create_auth', AuthCode: 'a', TimeStamp: 1 })
    await ofSuite({ InfoType: 'reset_permanent_code', AuthCode: 'b', TimeStamp: 1 })
    await ofSuite({ InfoType: 'change_auth', AuthCorpId: 'wpA', TimeStamp: 1 })
    expect((await jobs()).map((job) => job.lane)).toEqual(['fast', 'small', 'fast', 'fast', 'fast', 'small'])
    expect((await events())[0]).toMatchObject({ changeType: 'add_external_contact' })
  })

  test.each([
    ['another signature', { msg_signature: 'a'.repeat(40) }, 401],
    ['no signature', { msg_signature: '' }, 401],
    ['another time', { timestamp: '1' }, 401],
  ])('%s stores nothing', async (_what, wrong, status) => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    const good = sealedCallback(keys, inApp({ Event: 'view' }), connected.corpId, nowMs)
    expect((await postCallback(app(id), { ...good, query: { ...good.query, ...wrong } }))[0]).toBe(status)
    expect((await postCallback(app(id), { ...good, body: good.body.slice(0, -30) }))[0]).toBe(401)
    expect([await events(), await jobs()]).toEqual([[], []])
  })

  test('a stale event, a foreign receiver, an unknown suite and another company store nothing', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    const message = inApp({ Event: 'view' })
    const answers = [
      await told(app(id), message, connected.corpId, nowMs - 3_600_000),
      await told(app(id), message, 'wwForeign'),
      await told(app(id), message, provider),
      await told(command(), message, 'wwForeign'),
      await told(data('wpA'), message, 'wpB'),
      await told(data('wpA'), message, suiteId),
      await told(command('wwother'), message, 'wwother'),
      await told(app(encodeId('company', 9n)), message, connected.corpId),
    ]
    expect(answers.map(([status]) => status)).toEqual([401, 401, 401, 401, 401, 401, 404, 404])
    expect([await events(), await jobs()]).toEqual([[], []])
  })

  test('addresses are verified in the names that WeCom uses', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    const ask = async (address: string, receiveId: string) => {
      const { query, body } = sealedCallback(keys, '1616140317555161061', receiveId, nowMs)
      const echostr = /<Encrypt><!\[CDATA\[(.*)\]\]>/.exec(body)![1]!
      const answer = await fetch(`${address}?${new URLSearchParams({ ...query, echostr }).toString()}`)
      return [answer.status, answer.status === 200 ? await answer.text() : '']
    }
    const good = [200, '1616140317555161061']
    expect(await ask(app(id), connected.corpId)).toEqual(good)
    expect(await ask(command(), provider)).toEqual(good)
    expect(await ask(command(), suiteId)).toEqual(good)
    expect(await ask(data('$CORPID$'), provider)).toEqual(good)
    expect(await ask(data('wpA'), 'wpB')).toEqual([401, ''])
    expect((await database.tx((tx) => readConnection(tx, id)))?.callbackSeenAtMs).toBe(nowMs)
  })

  test('the newest ticket stays, in whatever order they come, and is sealed', async () => {
    const ticket = (name: string, seconds: number) =>
      ofSuite({ InfoType: 'suite_ticket', SuiteTicket: name, TimeStamp: seconds })
    expect(await ticket('SANDBOXold', 1000)).toEqual([200, 'success'])
    await Promise.all([ticket('SANDBOXnew', 1600), ticket('SANDBOXlate', 1200), ticket('SANDBOXnew', 1600)])
    expect(await database.tx((tx) => readSuiteTicket(tx, suiteId))).toEqual({ ticket: 'SANDBOXnew', atMs: 1_600_000 })
    expect(await jobs()).toEqual([])
    expect(new Set((await events()).map((event) => event.state))).toEqual(new Set(['done']))
    expect(await database.tx((tx) => readSuiteTicket(tx, 'wwother'))).toBeNull()
    const [row] = await database.tx((tx) =>
      sql<{ sealed: Uint8Array }>(tx.em, 'select ticket_sealed as sealed from wecom_suite'),
    )
    expect(Buffer.from(row!.sealed).toString('latin1')).not.toContain('SANDBOX')
  })

  test('a withdrawal stops the sending before it is answered and has the erasure done; one from before the install does not', async () => {
    const at = nowMs - DAY_MS
    const id = await installed('wpCorpA', at)
    const other = await installed('wpCorpB', at)
    const cancel = (seconds: number, corp = 'wpCorpA') =>
      ofSuite({ InfoType: 'cancel_auth', AuthCorpId: corp, TimeStamp: seconds })
    const app = (company: Id<'company'>) => database.tx((tx) => readWecomApp(tx, company))
    expect(await cancel(Math.floor(at / 1000) - 60)).toEqual([200, 'success'])
    expect(await app(id)).not.toBeNull()
    expect(await cancel(Math.floor(nowMs / 1000))).toEqual([200, 'success'])
    expect(await app(id)).toBeNull()
    expect(await app(other)).not.toBeNull()
    await cancel(Math.floor(nowMs / 1000) + 1)
    await cancel(Math.floor(nowMs / 1000), 'wpNobody')
    const due = await database.tx((tx) =>
      sql<{ args: string }>(tx.em, "select args from job where kind = 'company.forget'"),
    )
    expect(due.map((job) => JSON.parse(job.args))).toEqual([{ companyId: id }])
    expect((await events()).map((event) => event.companyId)).toEqual([id, id, id, null])
  })

  test('an unknown kind is kept and counted, one that cannot be read too; neither is an error', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    await told(app(id), inApp({ Event: 'sandbox_unknown' }), connected.corpId)
    await told(app(id), '<xml><Event>broken', connected.corpId)
    await told(app(id), inApp({ Event: 'enter_agent' }), connected.corpId)
    await told(app(id), inApp({ Event: 'inactive_alert', EffectTime: 1 }), connected.corpId)
    await ofSuite({ InfoType: 'unlicensed_notify', TimeStamp: 1 })
    for (let turn = 0; turn < 5; turn += 1) await workOnce(edge(), handlers, 'small')
    expect((await events()).map((event) => [event.kind, event.state])).toEqual([
      ['sandbox_unknown', 'unknown'],
      ['other', 'unknown'],
      ['enter_agent', 'done'],
      ['inactive_alert', 'done'],
      ['unlicensed_notify', 'done'],
    ])
    expect(await workOnce(edge(), handlers, 'small')).toBe(false)
  })

  test('a failing event comes back, and ends as failed when its job is given up', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    await told(app(id), inApp({ Event: 'enter_agent' }), connected.corpId)
    const usual = eventHandlers['enter_agent']!
    const closed = eventHandlers as Record<string, typeof usual>
    closed['enter_agent'] = async () => {
      throw new Error('not today')
    }
    try {
      for (let turn = 0; turn < 12; turn += 1) {
        expect((await events())[0]?.state).toBe('received')
        expect(await workOnce(edge(), handlers, 'small')).toBe(true)
        nowMs += 61_000
      }
    } finally {
      closed['enter_agent'] = usual
    }
    expect((await events())[0]?.state).toBe('failed')
    expect(await workOnce(edge(), handlers, 'small')).toBe(false)
    const [job] = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from job'))
    expect(job?.state).toBe('dead')
  })

  test('an event whose worker died with it each time is buried by the sweep, and is failed from then on', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    await told(app(id), inApp({ Event: 'enter_agent' }), connected.corpId)
    for (let turn = 0; turn < 12; turn += 1) {
      expect((await events())[0]?.state).toBe('received')
      expect(await edge().tx((tx) => claim(tx, 'small', 1))).toHaveLength(1)
      nowMs += LEASE_MS + 1
      expect(await edge().tx(sweepJobs)).toBe(1)
    }
    const [buried] = await events()
    expect(buried?.state).toBe('failed')
    expect(await edge().tx(sweepJobs)).toBe(0)
    expect(await edge().tx((tx) => reviveEvent(tx, buried!.id))).toBe(true)
    expect(await workOnce(edge(), handlers, 'small')).toBe(true)
    expect((await events())[0]?.state).toBe('done')
  })

  test('callbacks are forgotten after 30 days', async () => {
    const { id, wecom: connected } = await aCompany(database, { callback: keys })
    await told(app(id), inApp({ Event: 'enter_agent' }), connected.corpId)
    nowMs += 30 * DAY_MS
    await told(app(id), inApp({ Event: 'view' }), connected.corpId)
    expect(await edge().tx(forgetEvents)).toBe(0)
    nowMs += 1
    expect(await edge().tx(forgetEvents)).toBe(1)
    expect((await events()).map((event) => event.kind)).toEqual(['view'])
    await database.tx((tx) => change(tx.em, 'delete from wecom_event'))
    expect(await readEvent(edge(), encodeId('wecomEvent', 1n))).toBeNull()
  })
})
