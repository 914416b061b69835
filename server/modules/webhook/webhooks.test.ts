import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import { workOnce } from '../../../jobs/worker.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { webhookAdapter } from '../../channels/webhook/adapter.ts'
import type { Ports } from '../../channels/ports.ts'
import { sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { act, actOf, allCards, aTill, codeOf } from '../../testing/tills.ts'
import { createWebhook } from '../merchant/create-webhook.ts'
import { pauseWebhook } from '../merchant/pause-webhook.ts'
import { readNewWebhookKey } from '../merchant/read-webhooks.ts'
import { endOverdue } from '../redemption/end-overdue.ts'
import type { Till, TillAct } from '../redemption/till-acts.ts'
import { forgetEventsSent } from './forget-events-sent.ts'
import { readDeliveries } from './read-deliveries.ts'
import { resendDelivery } from './resend-delivery.ts'
import { resendFailed } from './resend-failed.ts'

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000]

/** A merchant's own server: what it got, and how it answers. */
interface Merchant {
  readonly url: string
  readonly got: { readonly body: string; readonly headers: Record<string, string> }[]
  /** A status, or null: the line is cut. */
  answer: (body: string) => number | null | Promise<number>
}

onBothDatabases('webhooks', (database) => {
  let nowMs: number
  let till: Till
  let cards: readonly Id<'card'>[]
  let merchant: Merchant
  let server: Server
  const now = () => nowMs
  const edge = () => database.edge({ webhook: webhookAdapter({ anywhere: true, now }) } as Ports, undefined, now)
  const tx = <T>(work: Parameters<ReturnType<typeof edge>['tx']>[0]): Promise<T> => edge().tx(work) as Promise<T>

  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        merchant.got.push({ body, headers: request.headers as Record<string, string> })
        void Promise.resolve(merchant.answer(body)).then((status) => {
          if (status === null) request.socket.destroy()
          else response.writeHead(status).end()
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    merchant = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got: [], answer: () => 200 }
    const company = await aCompany(database)
    const people = await somePeople(database, company.id, [{ name: '张三' }, { name: '李四' }])
    const { brandId } = await anIssuedCampaign(database, company, people)
    cards = await allCards(database)
    till = await aTill(database, brandId)
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const hang = (url = merchant.url) =>
    tx<Id<'webhookEndpoint'>>((scope) => createWebhook(scope, { merchantId: till.merchantId, url }))
  const buy = async (billFen: number, more: Partial<Extract<TillAct['act'], { kind: 'authorise' }>> = {}) => {
    const codes = [await tx<string>(async (scope) => codeOf(scope, cards[0]!))]
    const wish = {
      kind: 'authorise' as const,
      on: { codes },
      billFen: fen(billFen),
      capture: true,
      partial: false,
      ref: 'A-1',
    }
    const [outcome] = await act(database, [actOf(till, { ...wish, ...more })], now)
    return outcome?.ok ? outcome.view : expect.fail(JSON.stringify(outcome))
  }
  const does = async (what: TillAct['act']) => act(database, [actOf(till, what)], now)
  /** Works until nothing is due. */
  const work = async () => {
    while ((await workOnce(edge(), handlers, 'small')) || (await workOnce(edge(), handlers, 'webhook')));
  }
  const seen = () =>
    tx<Awaited<ReturnType<typeof readDeliveries>>>((scope) => readDeliveries(scope, till.merchantId, { limit: 50 }))
  const statesOf = async () => (await seen()).deliveries.map(({ state, attempts }) => [state, attempts])
  const bodies = () => merchant.got.map(({ body }) => JSON.parse(body) as Record<string, unknown>)

  test('each movement is told once to each address, signed, with ids, codes and amounts alone', async () => {
    const endpointId = await hang()
    const secret = await tx<string>((scope) => readNewWebhookKey(scope, endpointId))
    const view = await buy(1_000)
    await does({ kind: 'refund', redemptionId: view.id, amountFen: fen(400) })
    await work()
    const facts = { shopId: till.shopId, tillId: till.tillId, authorisationId: view.id, ref: 'A-1', atMs: nowMs }
    expect(bodies().sort((a, b) => Number(b['amountFen']) - Number(a['amountFen']))).toEqual([
      {
        ...facts,
        id: expect.stringMatching(/^whd_/) as string,
        event: 'redemption.captured',
        movementId: expect.stringMatching(/^rmv_/) as string,
        amountFen: 1_000,
      },
      {
        ...facts,
        id: expect.stringMatching(/^whd_/) as string,
        event: 'redemption.refunded',
        movementId: expect.stringMatching(/^rmv_/) as string,
        amountFen: 400,
      },
    ])
    for (const { body, headers } of merchant.got) {
      const seconds = String(nowMs / 1000)
      const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
      expect([headers['fulika-timestamp'], headers['fulika-signature']]).toEqual([seconds, `v1=${signature}`])
      expect(headers['fulika-event-id']).toBe((JSON.parse(body) as { id: string }).id)
    }
    expect(await statesOf()).toEqual([
      ['delivered', 1],
      ['delivered', 1],
    ])
    await work()
    expect(merchant.got).toHaveLength(2)
  })

  test('what ends without a movement is told by its purchase', async () => {
    await hang()
    const held = await buy(700, { capture: false })
    await does({ kind: 'void', redemptionId: held.id })
    await work()
    expect(bodies()).toMatchObject([
      { event: 'redemption.voided', authorisationId: held.id, movementId: null, amountFen: 700 },
    ])
    const late = await buy(300, { capture: false, holdMs: MINUTE_MS })
    nowMs += MINUTE_MS
    await tx(endOverdue)
    await work()
    expect(bodies()[1]).toMatchObject({ event: 'redemption.timed_out', authorisationId: late.id, amountFen: 300 })
  })

  test('who has no address costs nothing, and a paused one is told nothing new', async () => {
    await buy(100)
    expect(await tx((scope) => sql(scope.em, "select id from job where kind = 'webhook.note'"))).toEqual([])
    const endpointId = await hang()
    await tx((scope) => pauseWebhook(scope, endpointId, 'paused'))
    await buy(200)
    await work()
    expect((await seen()).deliveries).toEqual([])
  })

  test('an address that is paused with events waiting is told of them once it is resumed', async () => {
    const endpointId = await hang()
    merchant.answer = () => 503
    await buy(100)
    await work()
    await tx((scope) => pauseWebhook(scope, endpointId, 'paused'))
    merchant.answer = () => 200
    nowMs += HOUR_MS
    await work()
    expect(await statesOf()).toEqual([['waiting', 1]])
    await tx((scope) => pauseWebhook(scope, endpointId, 'active'))
    await work()
    expect(await statesOf()).toEqual([['delivered', 2]])
  })

  test('anything but 2xx comes again, later each time, the same bytes under the same id; after a day it is given up', async () => {
    await hang()
    merchant.answer = () => 500
    await buy(100)
    const gaps: number[] = []
    let lastMs = nowMs
    await work()
    for (let hours = 0; hours < 40 * 60; hours += 1) {
      const before = merchant.got.length
      nowMs += MINUTE_MS
      await work()
      if (merchant.got.length > before) {
        gaps.push(nowMs - lastMs)
        lastMs = nowMs
      }
      if ((await seen()).failed === 1) break
    }
    expect(gaps.length).toBeGreaterThan(8)
    expect(gaps.length).toBeLessThan(20)
    expect(gaps.toSorted((a, b) => a - b)).toEqual(gaps)
    expect(lastMs - Date.UTC(2026, 10, 23, 4)).toBeGreaterThanOrEqual(DAY_MS)
    expect(lastMs - Date.UTC(2026, 10, 23, 4)).toBeLessThan(DAY_MS + 5 * HOUR_MS)
    expect(new Set(merchant.got.map(({ body }) => body)).size).toBe(1)
    expect(new Set(merchant.got.map(({ headers }) => headers['fulika-signature'])).size).toBeGreaterThan(1)
    expect((await seen()).deliveries).toMatchObject([{ state: 'failed', lastStatus: 500, nextAtMs: null }])

    const sent = merchant.got.length
    merchant.answer = () => 204
    nowMs += DAY_MS
    await work()
    expect(merchant.got).toHaveLength(sent)
    expect(await tx<number>((scope) => resendFailed(scope, till.merchantId))).toBe(1)
    await work()
    expect((await seen()).deliveries).toMatchObject([{ state: 'delivered', lastStatus: 204 }])
    expect(new Set(merchant.got.map(({ body }) => body)).size).toBe(1)
    expect(await tx<number>((scope) => resendFailed(scope, till.merchantId))).toBe(0)
  })

  test('a person sends any event again, however it ended, the same bytes', async () => {
    await hang()
    await buy(100)
    await work()
    const [one] = (await seen()).deliveries
    await tx((scope) => resendDelivery(scope, one!.id))
    await work()
    expect(merchant.got).toHaveLength(2)
    expect(merchant.got[1]!.body).toBe(merchant.got[0]!.body)
    expect(await statesOf()).toEqual([['delivered', 2]])
  })

  test('a server that gives no answer is asked with one event at a time, and gets all of them once it is back', async () => {
    await hang()
    merchant.answer = () => null
    await buy(100)
    await work()
    expect(merchant.got).toHaveLength(1)
    for (let more = 1; more <= 30; more += 1) await buy(100 + more)
    await work()
    const asked = merchant.got.length
    expect(asked).toBeLessThanOrEqual(2)
    nowMs += 10_000
    await work()
    expect(merchant.got.length - asked).toBeLessThanOrEqual(2)
    merchant.answer = () => 200
    nowMs += 20 * MINUTE_MS
    await work()
    const states = await tx<{ state: string; count: unknown }[]>((scope) =>
      sql(scope.em, 'select state, count(*) as count from webhook_delivery group by state'),
    )
    expect(states.map(({ state, count }) => [state, Number(count)])).toEqual([['delivered', 31]])
    const told = new Set(bodies().map((body) => body['id']))
    expect(told.size).toBe(31)
  })

  test('events of a dead server are all given up after a day, asked or not', async () => {
    await hang()
    merchant.answer = () => null
    for (let more = 0; more < 5; more += 1) await buy(100)
    for (let passed = 0; passed <= 30 * HOUR_MS; passed += 10 * MINUTE_MS) {
      await work()
      nowMs += 10 * MINUTE_MS
    }
    const [first] = (await seen()).deliveries
    // Counted on the first page alone.
    const next = tx<unknown>((scope) => readDeliveries(scope, till.merchantId, { limit: 50, cursor: first!.id }))
    expect([(await seen()).failed, await next]).toMatchObject([5, { failed: null }])
    // One dead server costs few calls, however many events wait for it.
    expect(merchant.got.length).toBeLessThan(200)
    nowMs += 91 * DAY_MS
    expect(await tx(forgetEventsSent)).toBe(5)
    expect(await tx(forgetEventsSent)).toBe(0)
  })

  test('one body that a server refuses holds up no other', async () => {
    await hang()
    merchant.answer = (body) => (body.includes('"amountFen":101') ? 400 : 200)
    for (const billFen of [100, 101, 102]) await buy(billFen)
    await work()
    expect((await seen()).deliveries.map(({ state }) => state).sort()).toEqual(['delivered', 'delivered', 'waiting'])
  })

  test('a job that is cut off after the call sends again, and two that run at once send each event once', async () => {
    await hang()
    for (let more = 0; more < 8; more += 1) await buy(100 + more)
    while (await workOnce(edge(), handlers, 'small'));
    await Promise.all([0, 1, 2].map(() => workOnce(edge(), handlers, 'webhook')))
    await work()
    expect(merchant.got).toHaveLength(8)

    await buy(900)
    while (await workOnce(edge(), handlers, 'small'));
    const cut = edge()
    const dying = {
      ...cut,
      ports: {
        ...cut.ports,
        webhook: {
          send: async (message: Parameters<Ports['webhook']['send']>[0]) => {
            await cut.ports.webhook.send(message)
            throw new Error('the process ends')
          },
        },
      },
    }
    await workOnce(dying, handlers, 'webhook')
    expect(merchant.got).toHaveLength(9)
    nowMs += 2 * MINUTE_MS
    await work()
    expect(merchant.got).toHaveLength(10)
    expect(merchant.got[9]!.body).toBe(merchant.got[8]!.body)
    expect((await seen()).deliveries.every(({ state }) => state === 'delivered')).toBe(true)
  })

  test('a slow server holds one hand, however many events come for it, and none of the hands of bulk work', async () => {
    await hang()
    let answer: (status: number) => void = () => undefined
    const answered = new Promise<number>((done) => {
      answer = done
    })
    merchant.answer = () => answered
    const note = async () => {
      while (await workOnce(edge(), handlers, 'small'));
    }
    await buy(100)
    await note()
    const held = workOnce(edge(), handlers, 'webhook')
    await expect.poll(() => merchant.got.length).toBe(1)
    for (const billFen of [101, 102]) {
      await buy(billFen)
      await note()
      // Another hand has the job, finds the turn taken and is free again at once.
      expect(await workOnce(edge(), handlers, 'webhook')).toBe(true)
    }
    expect(await workOnce(edge(), handlers, 'webhook')).toBe(false)
    expect(await workOnce(edge(), handlers, 'bulk')).toBe(false)
    expect(merchant.got).toHaveLength(1)
    answer(200)
    expect(await held).toBe(true)
    await work()
    expect(merchant.got).toHaveLength(3)
    expect(await statesOf()).toEqual(Array.from({ length: 3 }, () => ['delivered', 1]))
  })

  test('however many jobs of an address end, one is queued for what waits', async () => {
    await hang()
    merchant.answer = () => 500
    for (let more = 0; more < 5; more += 1) {
      await buy(100 + more)
      while (await workOnce(edge(), handlers, 'small'));
    }
    await work()
    const [left] = await tx<{ count: unknown }[]>((scope) =>
      sql(scope.em, "select count(*) as count from job where kind = 'webhook.deliver' and state = 'ready'"),
    )
    expect(Number(left?.count)).toBe(1)
  })

  test('all that is sent again goes out together once the server answers, and one sent again has a day anew', async () => {
    await hang()
    merchant.answer = () => null
    for (let more = 0; more < 5; more += 1) await buy(100 + more)
    for (let passed = 0; passed <= 30 * HOUR_MS; passed += 10 * MINUTE_MS) {
      await work()
      nowMs += 10 * MINUTE_MS
    }
    expect(await tx<number>((scope) => resendFailed(scope, till.merchantId))).toBe(5)
    expect((await seen()).deliveries.map(({ lastFault }) => lastFault)).toEqual([null, null, null, null, null])
    let [open, most] = [0, 0]
    merchant.answer = async () => {
      open += 1
      most = Math.max(most, open)
      // The first comes alone, to see whether anybody is there; the others wait for each other.
      if (merchant.got.length - before > 1) await vi.waitFor(() => expect(most).toBe(4)).catch(() => undefined)
      open -= 1
      return 200
    }
    const before = merchant.got.length
    await work()
    expect([most, (await seen()).deliveries.every(({ state }) => state === 'delivered')]).toEqual([4, true])

    merchant.answer = () => 500
    await buy(900)
    await work()
    const [late] = (await seen()).deliveries
    nowMs += DAY_MS - MINUTE_MS
    await tx((scope) => resendDelivery(scope, late!.id))
    nowMs += 2 * MINUTE_MS
    await work()
    expect((await seen()).deliveries[0]).toMatchObject({ state: 'waiting', lastStatus: 500 })
  })

  test('another merchant’s events are neither shown nor sent again', async () => {
    await hang()
    merchant.answer = () => 500
    await buy(100)
    await work()
    const stranger = await aTill(database, till.brandId)
    const theirs = await tx<Awaited<ReturnType<typeof readDeliveries>>>((scope) =>
      readDeliveries(scope, stranger.merchantId, { limit: 50 }),
    )
    expect(theirs).toEqual({ deliveries: [], failed: 0, nextCursor: null })
    expect(await tx<number>((scope) => resendFailed(scope, stranger.merchantId))).toBe(0)
  })
})
