import { expect, test } from 'vitest'
import { loadProfiles, purchasesOf, quietDay, type PlannedPurchase } from '../../../bench/load-profiles.ts'
import type { Id } from '../../../contract/ids.ts'
import { shareBp, type Funnel } from '../../../contract/operator/funnel.ts'
import type { StoreChannel } from '../../../contract/store/order.ts'
import { handlers } from '../../../jobs/handlers.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { aBrowser, startWeb } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { funnelEndpoints } from './endpoints.ts'
import { readFunnel } from './read-funnel.ts'

const DAY_MS = 86_400_000
/** Noon of a Monday in China. */
const NOON_MS = Date.parse('2026-09-21T12:00:00+08:00')

interface PlantedOrder extends PlannedPurchase {
  readonly channel?: StoreChannel
  readonly stage?: 'start' | 'pay' | 'paid'
}

/** Rows of orders as far as the funnel looks at them. They are no whole orders: `unplant` before the books are proved. */
async function plant(database: TestDatabase, orders: readonly PlantedOrder[]): Promise<void> {
  for (let at = 0; at < orders.length; at += 500)
    await database.tx(async (tx) => {
      const some = orders.slice(at, at + 500).map((order) => ({ ...order, orderId: tx.newId('order') }))
      const buyerId = tx.newId('buyer')
      await insertRows(
        tx.em,
        'orders',
        some.map(({ orderId, priceFen, atMs }) => ({
          id: orderId,
          company_id: null,
          buyer_id: buyerId,
          state: 'cancelled',
          version: 1,
          total_fen: priceFen,
          secured_fen: 0,
          issued_fen: 0,
          refunded_fen: 0,
          returned_fen: 0,
          item_count: 1,
          created_at_ms: atMs,
        })),
      )
      await insertRows(
        tx.em,
        'store_order',
        some.map(({ orderId, atMs, channel = 'wechat' }) => ({
          order_id: orderId,
          buyer_id: buyerId,
          listing_id: tx.newId('listing'),
          channel,
          cover: 'plain',
          picture_id: null,
          greeting_sealed: Buffer.alloc(0),
          for_friend: 0,
          right_ms: 0,
          closes_at_ms: atMs,
          created_at_ms: atMs,
        })),
      )
      await insertRows(
        tx.em,
        'payment',
        some.map(({ orderId, priceFen, atMs, stage = 'paid' }) => ({
          id: tx.newId('payment'),
          company_id: null,
          order_id: orderId,
          source: 'wechat_pay',
          state: 'closed',
          version: 1,
          amount_fen: priceFen,
          opened_by: buyerId,
          opened_at_ms: atMs,
          refunded_fen: 0,
          code_url: stage === 'start' ? null : 'wx1',
          paid_at_ms: stage === 'paid' ? atMs : null,
          refunds_waiting: 0,
        })),
      )
    })
}

const unplant = (database: TestDatabase) =>
  database.tx(async (tx) => {
    for (const table of ['payment', 'store_order', 'orders']) await change(tx.em, `delete from ${table}`)
  })

onBothDatabases('the funnel', (database) => {
  const open = async (nowMs = NOON_MS) => {
    const clock = { nowMs }
    const web = await startWeb(database, {
      endpoints: funnelEndpoints,
      ports: { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }) },
      now: () => clock.nowMs,
    })
    const tell = (body: object) => aBrowser(web.base).send('POST', '/store/events', body)
    return { web, clock, tell }
  }
  const read = (wish: object = {}, nowMs = NOON_MS) =>
    database.edge({} as Ports, undefined, () => nowMs).read((tx) => readFunnel(tx, wish)) as Promise<Funnel>
  const visitor = (number: number) => number.toString(16).padStart(32, '0')

  test('what is planted comes out: five steps by channel, to the very count', async () => {
    const planted = {
      wechat: { visit: 2_000, view: 1_640, start: 1_000, pay: 500, paid: 410 },
      douyin: { visit: 700, view: 511, start: 300, pay: 100, paid: 57 },
      h5: { visit: 300, view: 211, start: 150, pay: 75, paid: 51 },
    } as const
    const day = '2026-09-21'
    for (const [channel, steps] of Object.entries(planted) as [StoreChannel, (typeof planted)['wechat']][]) {
      for (const step of ['visit', 'view'] as const)
        await database.tx((tx) =>
          insertRows(
            tx.em,
            'funnel_visit',
            Array.from({ length: steps[step] }, (_, one) => ({
              day,
              channel,
              step,
              visitor_index: visitor(one).padStart(64, '0'),
            })),
          ),
        )
      const stageOf = (one: number) => (one < steps.paid ? 'paid' : one < steps.pay ? 'pay' : 'start')
      await plant(
        database,
        Array.from({ length: steps.start }, (_, one) => ({
          ...({ channel, stage: stageOf(one), priceFen: 10_000, atMs: NOON_MS + one } as const),
        })),
      )
    }
    // Another day's and another company's are none of these.
    await plant(database, [{ atMs: NOON_MS - 40 * DAY_MS, priceFen: 10_000 }])
    const found = await read()
    expect(Object.fromEntries(found.channels.map(({ channel, steps }) => [channel, steps]))).toEqual(planted)
    expect(found.all).toEqual({ visit: 3_000, view: 2_362, start: 1_450, pay: 675, paid: 518 })
    const rateOf = (channel: StoreChannel) => {
      const { steps } = found.channels.find((one) => one.channel === channel)!
      return shareBp(steps.paid, steps.pay)
    }
    expect([rateOf('wechat'), rateOf('douyin'), rateOf('h5')]).toEqual([8_200, 5_700, 6_800])
    // By another way of counting.
    const again = await database.tx((tx) =>
      sql<{ paid: unknown; pays: unknown }>(
        tx.em,
        `select (select count(distinct p.order_id) from payment p where p.paid_at_ms between ? and ?
            and p.order_id in (select order_id from store_order where channel = 'h5')) as paid,
          (select count(distinct p.order_id) from payment p where p.code_url = 'wx1' and p.opened_at_ms between ? and ?
            and p.order_id in (select order_id from store_order where channel = 'h5')) as pays`,
        [NOON_MS, NOON_MS + DAY_MS, NOON_MS, NOON_MS + DAY_MS],
      ),
    )
    expect([Number(again[0]!.paid), Number(again[0]!.pays)]).toEqual([51, 75])
    await unplant(database)
  })

  test('fed with the three load profiles, it finds their hours and baskets; the heat map is orders by weekday and hour', async () => {
    const dayStartsMs = Date.parse('2026-09-21T00:00:00+08:00')
    const orders = loadProfiles.flatMap((profile, index) =>
      purchasesOf(profile, { seed: 11 + index, orders: 300, dayStartsMs: dayStartsMs + index * DAY_MS }),
    )
    const quiet = quietDay({ seed: 5, orders: 240, dayStartsMs: dayStartsMs + 3 * DAY_MS })
    const unpaid = orders.slice(0, 50).map((one) => ({ ...one, atMs: one.atMs + 6 * 3_600_000, stage: 'pay' as const }))
    await plant(database, [...orders, ...quiet, ...unpaid])
    const { heat, peaks } = await read({ fromDay: '2026-09-21', toDay: '2026-09-24' })
    expect(peaks.map(({ fromHour, untilHour }) => [fromHour, untilHour]).toSorted((a, b) => a[0]! - b[0]!)).toEqual([
      [0, 2],
      [12, 14],
      [20, 22],
    ])
    const at = (fromHour: number) => peaks.find((peak) => peak.fromHour === fromHour)!
    expect(at(12).highFen).toBeLessThanOrEqual(20_000)
    expect(at(20).medianFen).toBeGreaterThan(20_000)
    expect(at(0).highFen).toBeLessThanOrEqual(100_000)
    expect(at(0).medianFen).toBeGreaterThan(50_000)
    expect(heat.flat().reduce((sum, count) => sum + count, 0)).toBe(1_140)
    const sums = heat.map((hours) => hours.reduce((sum, count) => sum + count, 0))
    // Monday lunch, Tuesday evening, Wednesday night, a quiet Thursday.
    expect(sums).toEqual([300, 300, 300, 240, 0, 0, 0])
    expect(heat[0]!.slice(12, 14).reduce((sum, count) => sum + count, 0)).toBe(300)
    await unplant(database)
  })

  test('a visit counts once a day however often it is told, by channel; another day knows nothing of it', async () => {
    const { web, clock, tell } = await open()
    const one = { visitor: visitor(1), channel: 'wechat', steps: ['visit'] }
    const answers = await Promise.all([tell(one), tell(one), tell({ ...one, steps: ['visit', 'view'] })])
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
    await tell({ ...one, visitor: visitor(2) })
    await tell({ ...one, channel: 'h5' })
    expect((await read()).channels).toMatchObject([
      { channel: 'wechat', steps: { visit: 2, view: 1 } },
      { channel: 'h5', steps: { visit: 1, view: 0 } },
    ])
    clock.nowMs += DAY_MS
    await tell(one)
    expect((await read({}, clock.nowMs)).all.visit).toBe(4)
    const rows = await database.tx((tx) =>
      sql<{ number: string }>(
        tx.em,
        "select distinct visitor_index as number from funnel_visit where channel = 'wechat'",
      ),
    )
    // The same number is another one the next day, and none is the page's own.
    expect(rows).toHaveLength(3)
    expect(rows.map(({ number }) => number).join()).not.toContain(visitor(1))
    await web.close()
  })

  test('hundreds at once are counted whole', async () => {
    const { web, tell } = await open()
    const many = Array.from({ length: 300 }, (_, one) =>
      tell({ visitor: visitor(one % 100), channel: 'h5', steps: ['visit', 'view'] }),
    )
    expect(new Set((await Promise.all(many)).map(({ status }) => status))).toEqual(new Set([204]))
    expect((await read()).all).toMatchObject({ visit: 100, view: 100 })
    await web.close()
  })

  test('what a page makes up is refused', async () => {
    const { web, tell } = await open()
    const one = { visitor: visitor(1), channel: 'wechat', steps: ['visit'] }
    for (const bad of [
      { ...one, visitor: 'x' },
      { ...one, visitor: visitor(1).toUpperCase().replaceAll('0', 'G') },
      { ...one, channel: 'tv' },
      { ...one, steps: [] },
      { ...one, steps: ['paid'] },
      { ...one, steps: ['visit', 'view', 'visit'] },
      { ...one, name: '林小满' },
    ])
      expect((await tell(bad)).status).toBe(422)
    expect((await tell({ ...one, more: 'x'.repeat(2_000) })).status).toBe(413)
    expect((await read()).all.visit).toBe(0)
    await web.close()
  })

  test('days are days of China, and a span is a quarter at most', async () => {
    const midnight = Date.parse('2026-09-22T00:00:00+08:00')
    await plant(database, [
      { atMs: midnight - 1, priceFen: 100 },
      { atMs: midnight, priceFen: 100 },
    ])
    expect((await read({ fromDay: '2026-09-21', toDay: '2026-09-21' })).all.paid).toBe(1)
    const { heat, all } = await read({ fromDay: '2026-09-22', toDay: '2026-09-22' })
    expect([all.paid, heat[1]![0]]).toEqual([1, 1])
    await expect(read({ fromDay: '2026-09-22', toDay: '2026-09-21' })).rejects.toMatchObject({
      code: 'malformed_request',
    })
    await expect(read({ fromDay: '2026-01-01', toDay: '2026-09-21' })).rejects.toMatchObject({
      code: 'malformed_request',
    })
    await unplant(database)
  })

  test('what messages bring is counted against those from whom they were kept', async () => {
    const message = (id: string, held: boolean, spent: boolean, ageDays = 20) => ({ id, held, spent, ageDays })
    const people = [
      ...Array.from({ length: 9 }, (_, one) => message(`t${one}`, false, one < 6)),
      ...Array.from({ length: 4 }, (_, one) => message(`h${one}`, true, one < 1)),
      message('young', false, true, 3),
    ]
    await database.tx(async (tx) => {
      for (const { held, spent, ageDays } of people) {
        const [cardId, buyerId] = [tx.newId('card'), tx.newId('buyer')]
        const atMs = NOON_MS - ageDays * DAY_MS
        await insertRows(tx.em, 'notice_message', [
          {
            id: tx.newId('noticeMessage'),
            buyer_id: buyerId,
            kind: 'card_expiring',
            subject: cardId,
            card_id: cardId,
            gift_id: null,
            amount_fen: 1,
            expires_at_ms: null,
            state: held ? 'kept' : 'sent',
            version: 1,
            held_out: held ? 1 : 0,
            reason: held ? 'held_out' : null,
            sent_id: null,
            created_at_ms: atMs,
            read_at_ms: null,
          },
        ])
        // One that came too late to be the message's doing is none.
        const late = atMs + 14 * DAY_MS
        await spendOn(tx.em, cardId, spent ? late - 1 : late)
      }
    })
    expect((await read()).notices).toEqual([
      { kind: 'card_expiring', told: { people: 9, spent: 6 }, heldOut: { people: 4, spent: 1 } },
    ])
    await database.tx((tx) => change(tx.em, 'delete from activity'))
  })

  const spendOn = (em: Parameters<typeof insertRows>[0], cardId: Id<'card'>, atMs: number) =>
    insertRows(em, 'activity', [
      { card_id: cardId, seq: 1, kind: 'capture', amount_fen: -1, balance_fen: 0, ref: 'x', at_ms: atMs },
    ])

  test('visits are forgotten after a quarter', async () => {
    const { web, clock, tell } = await open()
    await tell({ visitor: visitor(1), channel: 'h5', steps: ['visit', 'view'] })
    const forget = () =>
      handlers['visits.forget']!(
        database.edge({} as Ports, undefined, () => clock.nowMs),
        {},
      )
    clock.nowMs += 92 * DAY_MS
    await forget()
    expect((await database.tx((tx) => sql(tx.em, 'select 1 from funnel_visit'))).length).toBe(2)
    clock.nowMs += DAY_MS
    await forget()
    expect(await database.tx((tx) => sql(tx.em, 'select 1 from funnel_visit'))).toEqual([])
    await web.close()
  })
})
