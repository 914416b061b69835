import { afterEach, beforeEach, expect, test } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import { workOnce } from '../../../jobs/worker.ts'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports, WecomPort } from '../../channels/ports.ts'
import type { Actor, Edge, Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type CompanyWish } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { chinaDay, nextChinaDay } from './china-day.ts'
import { findPersonByUserId } from '../staff/find-person.ts'
import { correctDelivery } from './correct-delivery.ts'
import { deliverCards } from './deliver-cards.ts'
import { forgetDeliveries, forgetMessages } from './forget-messages.ts'
import { markOpened } from './mark-opened.ts'
import { readCarried, readDeliveryCounts, readFailures, readRecalls } from './read-deliveries.ts'
import { recallCampaign } from './recall-campaign.ts'
import { resendDeliveries } from './resend-deliveries.ts'
import { sendBatch } from './send-batch.ts'

const MINUTE_MS = 60_000
let box: WecomSandbox
let nowMs: number
beforeEach(async () => {
  // Ahead of the real clock, by which the fixtures write their jobs, and at noon in China.
  nowMs = nextChinaDay(Date.now() + 86_400_000) + 12 * 3_600_000 + 5 * MINUTE_MS
  box = await startWecomSandbox({ now: () => nowMs })
})
afterEach(() => box.close())

const system: Actor = { kind: 'system', name: 'test' }
const staffOf = (count: number) => Array.from({ length: count }, (_, i) => ({ userid: `Staff${i}`, name: `员工${i}` }))

onBothDatabases('sending within the limits', (database) => {
  const wecom = () => wecomOf(box, { now: () => nowMs })
  const edgeAs = (actor: Actor = system, more: Partial<WecomPort> = {}) =>
    database.edge({ wecom: { ...wecom(), ...more } } as Ports, actor, () => nowMs)
  const work = async (edge: Edge = edgeAs()) => {
    while ((await workOnce(edge, handlers, 'small')) || (await workOnce(edge, handlers, 'bulk')));
  }
  const rows = <T>(text: string, values: unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const tamper = (text: string, values: unknown[] = []) => database.tx((tx) => change(tx.em, text, values))
  const counts = (id: Id<'campaign'>) => database.tx((tx) => readDeliveryCounts(tx, id))
  const oneBatch = async () => (await rows<{ id: Id<'deliveryBatch'> }>('select id from delivery_batch'))[0]!.id
  const days = () =>
    rows<{ day: number; used: number; quota: number }>('select day, used, quota from send_day where used > 0')

  async function aCampaignOf(count: number, wish: CompanyWish = {}) {
    const company = await aCompany(database, { sandbox: box, staff: staffOf(count), ...wish })
    const personIds = await somePeople(database, company.id, staffOf(count))
    const campaign = await anIssuedCampaign(database, company, personIds)
    return { company, campaign, stats: () => box.control.stats(company.wecom.corpId) }
  }
  const limitAccounts = (accounts: number) => tamper('update wecom_connection set account_limit = ?', [accounts])
  const planned = async () => {
    for (const { id } of await rows<{ id: Id<'orderSlice'> }>('select id from order_slice'))
      await deliverCards(edgeAs(), id)
  }
  /** Messages that other calls were counted for, to one member. */
  const countedBefore = async (companyId: Id<'company'>, userId: string, times: number, everyMs = 0) =>
    database.tx((tx) =>
      insertRows(
        tx.em,
        'member_send',
        Array.from({ length: times }, (_, i) => ({
          company_id: companyId,
          user_id_index: tx.house.seal.blindIndex('wecom.member', userId),
          carrier_id: `ntf_${String(i).padStart(13, '0')}`,
          at_ms: nowMs - 10_000 - i * everyMs,
        })),
      ),
    )

  test('what the day’s quota leaves is sent, the rest follows the next day by itself, and nobody is refused or dropped', async () => {
    const { campaign, stats } = await aCampaignOf(450)
    await limitAccounts(1)
    await work()
    const tomorrow = nextChinaDay(nowMs) + MINUTE_MS
    expect(await counts(campaign.id)).toMatchObject({ sent: 200, pending: 250, carried: 250, failed: 0 })
    expect(await database.tx((tx) => readCarried(tx, campaign.id))).toEqual([
      { limitedBy: 'day_quota', untilMs: tomorrow, people: 250 },
    ])
    expect(await days()).toEqual([{ day: chinaDay(nowMs), used: 200, quota: 200 }])
    nowMs = tomorrow - 1
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 200 })
    nowMs = tomorrow
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 400, carried: 50 })
    nowMs = nextChinaDay(nowMs) + MINUTE_MS
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 450, pending: 0, carried: 0, repeats: 0 })
    expect(stats()).toMatchObject({ delivered: 450, dropped: 0, perMember: { 1: 450 } })
    expect((await rows<{ state: string }>('select state from campaign'))[0]).toEqual({ state: 'finished' })
  })

  test('whoever got 30 messages in a minute, or 1,000 in an hour, waits for theirs; the others do not', async () => {
    const { company, campaign, stats } = await aCampaignOf(3)
    await countedBefore(company.id, 'staff0', 30)
    await countedBefore(company.id, 'staff1', 1000, 2_900)
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 1, carried: 2 })
    expect((await database.tx((tx) => readCarried(tx, campaign.id))).map(({ limitedBy }) => limitedBy)).toEqual([
      'member_minute',
      'member_hour',
    ])
    nowMs += 2 * MINUTE_MS
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 2, carried: 1 })
    nowMs += 40 * MINUTE_MS
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 3, carried: 0 })
    expect(stats()).toMatchObject({ delivered: 3, perMember: { 1: 3 } })
  })

  test('workers side by side share the limits: 40 campaigns for one person in a minute, and none is dropped', async () => {
    const { company, campaign, stats } = await aCampaignOf(1)
    for (let i = 1; i < 40; i += 1)
      await anIssuedCampaign(database, company, campaign.personIds, { issuerPrefix: String(7000 + i) })
    await planned()
    const batches = await rows<{ id: Id<'deliveryBatch'> }>('select id from delivery_batch')
    expect(batches).toHaveLength(40)
    await Promise.all(
      [0, 1, 2, 3].map(async (hand) => {
        for (const { id } of batches.filter((_, i) => i % 4 === hand)) await sendBatch(edgeAs(), id)
      }),
    )
    expect(stats()).toMatchObject({ delivered: 30, dropped: 0 })
    expect((await rows("select id from delivery where waits_for = 'member_minute'")).length).toBe(10)
    nowMs += 2 * MINUTE_MS
    await work()
    expect(stats()).toMatchObject({ delivered: 40, dropped: 0 })
  })

  test('a first call that is refused late takes nothing back from the second, which went through', async () => {
    const { campaign, stats } = await aCampaignOf(3)
    await planned()
    const batchId = await oneBatch()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const slow = edgeAs(system, {
      send: async (app, body) => {
        await held
        return wecom().send(app, body)
      },
    })
    const first = sendBatch(slow, batchId)
    await expect.poll(async () => (await rows<{ calls: number }>('select calls from delivery_batch'))[0]!.calls).toBe(1)
    let answered = (): void => undefined
    const taken = new Promise<void>((resolve) => (answered = resolve))
    let through = (): void => undefined
    const gate = new Promise<void>((resolve) => (through = resolve))
    const second = sendBatch(
      edgeAs(system, {
        send: async (app, body) => {
          const sent = await wecom().send(app, body)
          answered()
          await gate
          return sent
        },
      }),
      batchId,
    )
    await taken
    box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: 40058 })
    release()
    await first
    expect(await counts(campaign.id)).toMatchObject({ failed: 0, pending: 3 })
    through()
    await second
    expect(await counts(campaign.id)).toMatchObject({ sent: 3, failed: 0 })
    expect(stats()).toMatchObject({ delivered: 3 })
    expect(await days()).toMatchObject([{ used: 3 }])
  })

  test('a repeat of the same bytes counts nobody twice; a call that reached nobody is counted back', async () => {
    const { campaign } = await aCampaignOf(4)
    box.control.addFault({ path: 'message/send', kind: 'cut_after', times: 2 })
    for (let i = 0; i < 4; i += 1) {
      await work()
      nowMs += MINUTE_MS
    }
    expect(await counts(campaign.id)).toMatchObject({ sent: 4 })
    expect(await days()).toMatchObject([{ used: 4 }])
    expect(await rows('select * from member_send')).toHaveLength(4)
  })

  test('busy or refused, the quota is free again', async () => {
    const { campaign } = await aCampaignOf(4)
    box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: -1, times: 3 })
    box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: 40058 })
    await work()
    expect(await days()).toEqual([])
    for (let i = 0; i < 3; i += 1) {
      nowMs += 10 * MINUTE_MS
      await work()
    }
    expect(await counts(campaign.id)).toMatchObject({ failed: 4 })
    expect(await days()).toEqual([])
    expect(await rows('select * from member_send')).toHaveLength(0)
  })

  test('the quota refused although our count did not say so: everybody waits for the next day, nobody has failed', async () => {
    const { company, campaign, stats } = await aCampaignOf(5)
    box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: 45009, times: 3 })
    for (let i = 0; i < 3; i += 1) {
      await work()
      nowMs += 2 * MINUTE_MS
    }
    expect(await counts(campaign.id)).toMatchObject({ pending: 5, carried: 5, failed: 0 })
    expect(await days()).toMatchObject([{ used: 1000, quota: 1000 }])
    // Nor is anybody else sent to on that day.
    const other = await anIssuedCampaign(database, company, campaign.personIds, { issuerPrefix: '7001' })
    await work()
    expect(await counts(other.id)).toMatchObject({ carried: 5 })
    nowMs = nextChinaDay(nowMs) + MINUTE_MS
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 5, carried: 0, repeats: 0 })
    expect(stats()).toMatchObject({ delivered: 10, dropped: 0 })
  })

  test('a worker that slept after counting counts anew before it calls', async () => {
    const { campaign, stats } = await aCampaignOf(2)
    await planned()
    const asleep = edgeAs()
    const sleepy: Edge = {
      ...asleep,
      tx: async (run) => {
        const result = await asleep.tx(run)
        nowMs += 2 * MINUTE_MS
        return result
      },
    }
    await sendBatch(sleepy, await oneBatch())
    expect(stats()).toMatchObject({ sends: 0 })
    expect(await days()).toEqual([])
    nowMs += MINUTE_MS
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 2 })
  })

  test('accounts without a licence fail; the connection stands', async () => {
    const { campaign } = await aCampaignOf(2)
    box.control.addFault({ path: 'message/send', kind: 'errcode', errcode: 701008 })
    await work()
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([{ reason: 'unlicensed', count: 2 }])
    expect(await rows('select state from wecom_connection')).toEqual([{ state: 'active' }])
  })

  test('after an account was corrected, its former owner’s tap opens nothing', async () => {
    const company = await aCompany(database, { sandbox: box, staff: staffOf(3) })
    const [wrong] = await somePeople(database, company.id, [{ name: '张三', userid: 'Nobody' }])
    const campaign = await anIssuedCampaign(database, company, [wrong!])
    await work()
    expect(await counts(campaign.id)).toMatchObject({ failed: 1 })
    const [row] = await rows<{ id: Id<'delivery'> }>('select id from delivery')
    const hr = edgeAs(company.as('hr'))
    await hr.tx((tx) => correctDelivery(tx, { deliveryId: row!.id, wecomUserId: 'Staff1' }))
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 1 })
    const holder = (userid: string) => database.tx((tx) => findPersonByUserId(tx, company.id, userid))
    expect(await holder('Nobody')).toBeNull()
    expect(await holder('staff1')).toEqual({ id: wrong })
    // Once more wrong: the message went to an account that now is nobody's.
    await tamper("update delivery set state = 'failed', reason = 'outcome_unknown'")
    await hr.tx((tx) => correctDelivery(tx, { deliveryId: row!.id, wecomUserId: 'Staff2' }))
    await work()
    expect(await holder('Staff1')).toBeNull()
    expect(box.control.inbox(company.wecom.corpId, 'staff2')).toHaveLength(1)
  })

  test('no call begins in minute 0 or 30', async () => {
    const { campaign, stats } = await aCampaignOf(2)
    database.house = { ...database.house, quietMinutes: true }
    nowMs = Math.ceil(nowMs / (30 * MINUTE_MS)) * 30 * MINUTE_MS
    await work()
    expect(stats()).toMatchObject({ sends: 0 })
    nowMs += MINUTE_MS
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 2 })
  })

  test('messages are recalled, opened ones stay; a resend reaches who was recalled', async () => {
    const { company, campaign, stats } = await aCampaignOf(4)
    await work()
    const hr = edgeAs(company.as('hr'))
    await database.tx((tx) => markOpened(tx, { campaignId: campaign.id, personId: campaign.personIds[0]! }))
    box.control.addFault({ path: 'message/recall', kind: 'cut_after' })
    expect(await hr.tx((tx) => recallCampaign(tx, campaign.id))).toEqual({
      batches: 1,
      people: 3,
      stopped: 0,
      tooOld: 0,
    })
    for (let i = 0; i < 2; i += 1) {
      await work()
      nowMs += MINUTE_MS
    }
    expect(await counts(campaign.id)).toMatchObject({ sent: 1, opened: 1, revoked: 3, failed: 0, pending: 0 })
    expect(await database.tx((tx) => readRecalls(tx, campaign.id))).toMatchObject([{ state: 'done', people: 4 }])
    expect(await hr.tx((tx) => recallCampaign(tx, campaign.id))).toMatchObject({ batches: 0, people: 0 })
    const again = { campaignId: campaign.id, state: 'revoked', reason: 'recalled' } as const
    expect(await hr.tx((tx) => resendDeliveries(tx, again))).toBe(3)
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 4, revoked: 0 })
    expect(stats()).toMatchObject({ delivered: 7 })
    const stranger = edgeAs((await aCompany(database)).as('hr'))
    await expect(stranger.tx((tx) => recallCampaign(tx, campaign.id))).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a recall stops what has not left, and finds yesterday’s messages too old', async () => {
    const { company, campaign } = await aCampaignOf(250)
    await limitAccounts(1)
    await work()
    nowMs += 24 * 3_600_000 - 30_000
    const hr = edgeAs(company.as('hr'))
    expect(await hr.tx((tx) => recallCampaign(tx, campaign.id))).toEqual({
      batches: 0,
      people: 0,
      stopped: 50,
      tooOld: 200,
    })
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 200, revoked: 50, pending: 0, carried: 0 })
    expect(await database.tx((tx) => readFailures(tx, campaign.id))).toEqual([])
  })

  test('who is planned after a recall, for their cards were made late, gets no message until HR sends again', async () => {
    const { company, campaign, stats } = await aCampaignOf(3)
    const hr = edgeAs(company.as('hr'))
    nowMs += MINUTE_MS
    await hr.tx((tx) => recallCampaign(tx, campaign.id))
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 0, revoked: 3, pending: 0 })
    expect(stats()).toMatchObject({ sends: 0 })
    const again = { campaignId: campaign.id, state: 'revoked', reason: 'recalled' } as const
    expect(await hr.tx((tx) => resendDeliveries(tx, again))).toBe(3)
    // A job of before that comes again takes nothing back of what was asked for after.
    await planned()
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 3, revoked: 0 })
  })

  test('what was counted is forgotten a thousand rows at a time, of one company and of all', async () => {
    const [one, other] = [await aCompany(database), await aCompany(database)]
    const most = 1001
    for (const [company, people] of [[one, 2500] as const, [other, 3] as const])
      for (let from = 0; from < people; from += 500)
        await database.tx((tx) =>
          insertRows(
            tx.em,
            'member_send',
            Array.from({ length: Math.min(500, people - from) }, (_, i) => ({
              company_id: company.id,
              user_id_index: `index-${from + i}`,
              carrier_id: 'ntf_0000000000001',
              at_ms: nowMs + from + i,
            })),
          ),
        )
    const pieces = async (forget: (tx: Tx) => Promise<number>) => {
      const touched: number[] = []
      for (let rows = 1; rows > 0; touched.push(rows)) rows = await edgeAs().tx(forget)
      return touched
    }
    expect(await pieces((tx) => forgetMessages(tx, one.id))).toEqual([most, most, 2500 - 2 * most, 0])
    await tamper('update member_send set company_id = ?', [one.id])
    expect(await rows('select * from member_send')).toHaveLength(3)
    nowMs += 5 * 3_600_000 + 2
    expect(await pieces(forgetDeliveries)).toEqual([2, 0])
  })

  test('asked back while its call is under way, a message is taken back as soon as it is there', async () => {
    const { company, campaign } = await aCampaignOf(2)
    await planned()
    const hr = edgeAs(company.as('hr'))
    const during = edgeAs(system, {
      send: async (app, body) => {
        await hr.tx((tx) => recallCampaign(tx, campaign.id))
        return wecom().send(app, body)
      },
    })
    await sendBatch(during, await oneBatch())
    await work()
    expect(await counts(campaign.id)).toMatchObject({ sent: 0, revoked: 2 })
  })
})
