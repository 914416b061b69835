import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { sql } from '../../kernel/sql.ts'
import { createTerminal } from '../merchant/create-terminal.ts'
import { readNewKey } from '../merchant/read-terminals.ts'
import { revokeTerminal } from '../merchant/revoke-terminal.ts'
import { makePayCode } from './pay-code.ts'
import { posEndpoints } from './pos-endpoints.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aShop, type TestShop } from '../../testing/merchants.ts'
import { allCards } from '../../testing/tills.ts'
import { startWeb, type Web } from '../../testing/web.ts'
import type { Entry, Sale } from '../../../sandbox/till/journal.ts'
import { cuts, LineCut, type Cut } from '../../../sandbox/till/line.ts'
import { openTill, type Till } from '../../../sandbox/till/till.ts'

const NOON = Date.UTC(2026, 10, 23, 4)
const [TILLS, SALES_EACH] = [3, 80]

/** Numbers that look like chance and come again for a seed. */
function chance(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

onBothDatabases('a till whose network goes away', (database) => {
  let nowMs: number
  /** How far the clocks of tills are behind. */
  let tillBehindMs: number
  let web: Web
  let shop: TestShop
  let cards: readonly Id<'card'>[]
  const now = () => nowMs
  beforeEach(async () => {
    nowMs = NOON
    tillBehindMs = 0
    web = await startWeb(database, { endpoints: posEndpoints, ports: { wecom: undefined as never }, now })
    const company = await aCompany(database)
    const people = await somePeople(
      database,
      company.id,
      Array.from({ length: 12 }, (_, index) => ({ name: `员工${index}` })),
    )
    const { brandId } = await anIssuedCampaign(database, company, people)
    cards = await allCards(database)
    shop = await aShop(database, brandId)
  })
  afterEach(() => web.close())

  const aTill = async (nextCut: () => Cut | null = () => null, serverUrl = web.base): Promise<Till> => {
    const line = await database.tx(async (tx) => {
      const terminalId = await createTerminal(tx, { shopId: shop.shopId, name: '收银机' })
      const secret = await readNewKey(tx, terminalId, { version: 1, atMs: tx.clock.now() })
      return { serverUrl, terminalId, secret: secret ?? '' }
    })
    return openTill({ ...line, now: () => nowMs - tillBehindMs, nextCut })
  }
  const code = (index: number): string =>
    makePayCode(database.edge({} as never, undefined, now), { kind: 'card', cardId: cards[index % cards.length]! }).code
  const sell = (till: Till, billFen: number, capture = true, card = 0) =>
    till.sell({ codes: [code(card)], billFen, capture, partial: false })
  const spent = async (): Promise<number> => {
    const [row] = await database.tx((tx) =>
      sql<{ spent: unknown }>(tx.em, 'select sum(captured_fen - refunded_fen) as spent from redemption'),
    )
    return Number(row?.spent)
  }

  test.each(cuts)('%s in each kind of call: the till asks again, and all takes effect once', async (cut) => {
    let next: Cut | null = null
    const till = await aTill(() => {
      const now = next
      next = null
      return now
    })
    const broken = async (work: () => Promise<{ told: string }>): Promise<void> => {
      next = cut
      expect((await work()).told).toBe('unknown')
      // Until it knows, it does nothing more with the sale.
      expect(await till.reconcile()).toBe(0)
    }
    await broken(async () => (await sell(till, 1_000, false)).outcome)
    const held = till.sales[0]!
    expect(held.purchase).toMatchObject({ state: 'held', authorisedFen: 1_000 })
    await broken(() => till.capture(held, 300, false))
    await broken(() => till.capture(held, 200, true))
    await broken(() => till.refund(held, 100))
    expect(held.purchase).toMatchObject({ state: 'part_refunded', capturedFen: 500, refundedFen: 100 })
    await broken(async () => (await sell(till, 2_000, true)).outcome)
    await broken(async () => (await sell(till, 3_000, false)).outcome)
    await broken(() => till.void(till.sales[2]!))
    expect(till.sales[2]!.purchase?.state).toBe('voided')
    expect(await spent()).toBe(2_400)
    next = cut
    expect(await till.balance(code(1))).toBeNull()
    next = cut
    await expect(till.compareDay('2026-11-23')).rejects.toThrow(LineCut)
    const { movements, differences } = await till.compareDay('2026-11-23')
    expect([movements.length, differences]).toEqual([4, []])
  })

  test('while something is unknown the till does nothing more with a sale, and does not close its day', async () => {
    let next: Cut | null = 'answer_lost'
    const till = await aTill(() => next)
    const { sale, outcome } = await sell(till, 500, false)
    expect(outcome).toEqual({ told: 'unknown' })
    next = null
    expect(await till.capture(sale, 100, true)).toEqual({ told: 'unknown' })
    await expect(till.compareDay('2026-11-23')).rejects.toThrow(LineCut)
    expect(await till.reconcile()).toBe(0)
    expect((await till.capture(sale, 100, true)).told).toBe('done')
  })

  test('a terminal revoked between the cut and the repeat: what was charged is told, what is new is refused', async () => {
    let next: Cut | null = 'answer_lost'
    const till = await aTill(() => next)
    const { sale: charged } = await sell(till, 500)
    const { sale: refused } = await sell(till, 50_001)
    next = 'request_lost'
    const { sale: lost } = await sell(till, 700, true, 1)
    next = null
    await database.tx(async (tx) => {
      const [row] = await sql<{ id: Id<'terminal'> }>(tx.em, 'select id from terminal')
      await revokeTerminal(tx, row!.id)
    })
    // Of what never arrived nobody knows whether it still may: it stays open.
    expect(await till.reconcile()).toBe(1)
    expect(charged.entries).toMatchObject([{ state: 'done', amountFen: 500 }])
    expect(charged.purchase).toMatchObject({ state: 'captured', capturedFen: 500 })
    expect(refused.entries).toMatchObject([{ state: 'refused', code: 'card_value_short' }])
    expect(lost.entries).toMatchObject([{ state: 'open' }])
    expect(await till.refund(charged, 100)).toEqual({ told: 'unknown', code: 'terminal_off' })
    expect(await till.balance(code(1))).toMatchObject({ code: 'terminal_off' })
    expect(await spent()).toBe(500)
  })

  test('what a machine in between says of its own is no answer: the sale stays open, and is asked for again', async () => {
    let says: [number, string, string] | null = null
    const proxy = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        if (says !== null) return void response.writeHead(says[0], { 'content-type': says[1] }).end(says[2])
        const body = request.method === 'GET' ? {} : { body: Buffer.concat(chunks) }
        const headers = Object.entries(request.headers).filter(([name]) =>
          /^(authorization|content-type|idem)/.test(name),
        )
        fetch(web.base + request.url, {
          method: request.method!,
          headers: headers as [string, string][],
          ...body,
        }).then(
          async (answer) => {
            response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
            response.end(await answer.text())
          },
          () => response.destroy(),
        )
      })
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const till = await aTill(() => null, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    const problem = (code: string) => JSON.stringify({ code, title: code })
    const none: [number, string, string][] = [
      [200, 'text/html', '<h1>please sign in</h1>'],
      [302, 'text/html', ''],
      [400, 'text/html', '<h1>bad request</h1>'],
      [404, 'application/json', '{"code":"not_found","title":"nothing here"}'],
      [409, 'application/problem+json', '<h1>conflict</h1>'],
      ...[401, 403, 408, 429, 500, 503].map((status): [number, string, string] => [
        status,
        'application/problem+json',
        problem('forbidden'),
      ]),
    ]
    let sales = 0
    for (const one of none) {
      says = one
      const { sale, outcome } = await sell(till, 10)
      sales += 1
      expect([one, outcome.told, sale.entries[0]!.state]).toEqual([one, 'unknown', 'open'])
      expect([one, await till.balance(code(0))]).not.toMatchObject([
        one,
        { availableFen: expect.any(Number) as number },
      ])
      says = null
      expect([one, await till.reconcile(), sale.entries[0]!.state]).toEqual([one, 0, 'done'])
    }
    expect(await spent()).toBe(10 * sales)
    proxy.closeAllConnections()
    proxy.close()
  })

  test('a sale over midnight stands on the day on which value moved, in journal and file', async () => {
    let next: Cut | null = null
    const till = await aTill(() => next)
    nowMs = Date.UTC(2026, 10, 23, 15, 59, 59, 990)
    const { sale } = await sell(till, 900, false)
    // Asked before midnight, done after it: the till's clock is behind.
    tillBehindMs = 20
    nowMs = Date.UTC(2026, 10, 23, 16, 0, 0, 5)
    expect((await till.capture(sale, 500, true)).told).toBe('done')
    next = 'answer_lost'
    await till.refund(sale, 100)
    await sell(till, 70)
    next = null
    nowMs += 3_600_000
    expect(await till.reconcile()).toBe(0)
    const days = [await till.compareDay('2026-11-23'), await till.compareDay('2026-11-24')]
    expect(days.map(({ movements, differences }) => [movements.length, differences])).toEqual([
      [0, []],
      [3, []],
    ])
  })

  test('a refusal is an answer: it is not asked again, and stands in no journal', async () => {
    const till = await aTill()
    const { sale, outcome } = await sell(till, 50_001)
    expect(outcome).toMatchObject({ told: 'refused', code: 'card_value_short' })
    expect([await till.reconcile(), sale.entries[0]!.state]).toEqual([0, 'refused'])
    expect((await till.compareDay('2026-11-23')).differences).toEqual([])
  })

  test(`${TILLS} tills, ${TILLS * SALES_EACH} purchases, the network cut in every kind of call: zero difference afterwards`, async () => {
    const seed = Number(process.env['TILL_SEED'] ?? 20261123)
    const draw = chance(seed)
    const counted = new Map<string, number>()
    let doing = ''
    let isCutting = false
    const nextCut = (): Cut | null => {
      const cut = isCutting && draw(100) < 35 ? cuts[draw(cuts.length)]! : null
      if (cut !== null) counted.set(`${doing} ${cut}`, (counted.get(`${doing} ${cut}`) ?? 0) + 1)
      return cut
    }
    const tills = [await aTill(nextCut), await aTill(nextCut), await aTill(nextCut)]
    const act = async (what: Entry['kind'] | 'reconcile', work: () => Promise<unknown>): Promise<void> => {
      doing = what
      await work()
    }
    const isSettled = (sale: Sale) => sale.purchase !== null && sale.entries.every(({ state }) => state !== 'open')
    const goOn = async (till: Till, sale: Sale): Promise<void> => {
      const left = sale.purchase!.authorisedFen - sale.purchase!.capturedFen
      const taken = sale.purchase!.capturedFen - sale.purchase!.refundedFen
      if (sale.purchase!.state === 'held') {
        if (draw(2) === 0) return act('void', () => till.void(sale))
        return act('capture', () => till.capture(sale, 1 + draw(left), draw(2) === 0))
      }
      if (taken > 0 && draw(2) === 0) return act('refund', () => till.refund(sale, 1 + draw(taken)))
    }
    isCutting = true
    for (let index = 0; index < SALES_EACH; index += 1) {
      nowMs += 1000
      for (const till of tills) {
        const wish = {
          codes: [code(draw(12))],
          billFen: 1 + draw(2_000),
          capture: draw(2) === 0,
          partial: draw(2) === 0,
        }
        await act('authorise', () => till.sell(wish))
        const known = till.sales.filter(isSettled)
        for (let more = 0; more < 2 && known.length > 0; more += 1) {
          const sale = known[draw(known.length)]!
          if (isSettled(sale)) await goOn(till, sale)
        }
        if (draw(8) === 0) await act('reconcile', () => till.reconcile())
      }
    }
    isCutting = false
    for (const till of tills) expect(await till.reconcile()).toBe(0)
    const days = await Promise.all(tills.map((till) => till.compareDay('2026-11-23')))
    const why = `TILL_SEED=${seed}`
    expect(
      days.map(({ differences }) => differences),
      why,
    ).toEqual([[], [], []])
    const net = days
      .flatMap(({ movements }) => movements)
      .reduce((sum, { kind, amountFen }) => sum + (kind === 'capture' ? amountFen : -amountFen), 0)
    expect([await spent(), days.every(({ movements }) => movements.length > SALES_EACH / 2)], why).toEqual([net, true])
    for (const what of ['authorise', 'capture', 'void', 'refund', 'reconcile'])
      for (const cut of cuts) expect([what, cut, (counted.get(`${what} ${cut}`) ?? 0) > 0]).toEqual([what, cut, true])
    // Some 1,500 requests, one after the other.
  }, 180_000)
})
