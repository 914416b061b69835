import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { storeOrderEvent, type Ordered, type StoreOrderView } from '../../../contract/store/order.ts'
import type { Store } from '../../db/orm.ts'
import type { TestBuyer } from '../../testing/buyers.ts'
import { onBothDatabases, openTestDatabase } from '../../testing/databases.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { serveStore, storeStage } from '../../testing/store-stage.ts'

const SOON = { timeout: 10_000, interval: 20 }
let world: PayWorld
let nowMs = Date.UTC(2026, 10, 23, 4)
beforeAll(async () => {
  world = await startPayWorld(() => nowMs)
})
afterAll(() => world.sandbox.close())

onBothDatabases('a page waits for its order', (database) => {
  let house: PayHouse
  let reads: number
  let store: Store
  const stage = storeStage(
    database,
    () => world,
    () => house,
  )
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    reads = 0
    store = database.store
    // Every question that is asked without a transaction is counted.
    database.store = {
      ...store,
      read: (work) => {
        reads += 1
        return store.read(work)
      },
    }
    house = await serveStore(database, world)
  })
  afterEach(async () => {
    await house.close()
    database.store = store
  })

  interface Listener {
    readonly status: number
    /** What came until now. */
    readonly seen: StoreOrderView[]
    readonly states: () => string[]
    readonly isOver: () => boolean
    readonly leave: () => void
  }
  /** A page that listens, as a browser would. */
  async function listen(buyer: TestBuyer, orderId: string): Promise<Listener> {
    const gone = new AbortController()
    const seen: StoreOrderView[] = []
    let over = false
    const answer = await fetch(`${house.url}/store/orders/${orderId}/events`, {
      headers: { 'x-actor': JSON.stringify(buyer.actor), accept: 'text/event-stream' },
      signal: gone.signal,
    })
    const take = async () => {
      let text = ''
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk
        const events = text.split('\n\n')
        text = events.pop()!
        for (const event of events) {
          const [, name, data = 'null'] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? []
          expect(name).toBe(storeOrderEvent)
          seen.push(JSON.parse(data) as StoreOrderView)
        }
      }
    }
    void take()
      .catch(() => undefined)
      .finally(() => (over = true))
    const states = () => seen.map(({ state }) => state)
    return { status: answer.status, seen, states, isOver: () => over, leave: () => gone.abort() }
  }
  const placed = async (buyer: TestBuyer) => {
    const { body } = await stage.buy(buyer, await stage.listing())
    return (body as unknown as Ordered).order
  }

  test('what happens to it comes by itself, until the card is there', async () => {
    const buyer = await stage.buyer()
    const { id } = await placed(buyer)
    const page = await listen(buyer, id)
    await expect.poll(page.states, SOON).toEqual(['paying'])
    await stage.pay(id, buyer.openid)
    await expect.poll(() => page.states().at(-1), SOON).toBe('making')
    expect(page.isOver()).toBe(false)
    await stage.work()
    await expect.poll(page.isOver, SOON).toBe(true)
    const order = await stage.order(buyer, id)
    expect(page.states().filter((state, index, all) => state !== all[index - 1])).toEqual(['paying', 'making', 'ready'])
    expect(page.seen.at(-1)).toEqual({ ...order, nowMs: expect.any(Number) })
    expect(page.seen.at(-1)!.cardId).toMatch(/^crd_/)
    // Asked again it says how it stands, and is over at once.
    const late = await listen(buyer, id)
    await expect.poll(late.isOver, SOON).toBe(true)
    expect(late.states()).toEqual(['ready'])
  })

  test('it ends with an order that is given up, or that nobody pays in time', async () => {
    const buyer = await stage.buyer()
    const [left, late] = [await placed(buyer), await placed(buyer)]
    const pages = [await listen(buyer, left.id), await listen(buyer, late.id)]
    await expect.poll(() => pages.map((page) => page.states()), SOON).toEqual([['paying'], ['paying']])
    await house.call(buyer.actor, 'POST', `/store/orders/${left.id}/cancel`)
    await expect.poll(pages[0]!.isOver, SOON).toBe(true)
    expect(pages[1]!.isOver()).toBe(false)
    nowMs = late.closesAtMs
    await stage.work()
    await expect.poll(pages[1]!.isOver, SOON).toBe(true)
    expect(pages.map((page) => page.states())).toEqual([
      ['paying', 'closed'],
      ['paying', 'closed'],
    ])
  })

  test('however many wait, one question is asked for all; when they leave, none', async () => {
    const buyers = await Promise.all(Array.from({ length: 20 }, () => stage.buyer()))
    const listing = await stage.listing()
    const waits: { buyer: TestBuyer; id: string }[] = []
    for (const buyer of buyers) {
      const { order } = (await stage.buy(buyer, listing)).body as unknown as Ordered
      waits.push({ buyer, id: order.id })
    }
    // Two pages of each.
    const pages = await Promise.all([...waits, ...waits].map(({ buyer, id }) => listen(buyer, id)))
    await expect.poll(() => pages.every((page) => page.states().length === 1), SOON).toBe(true)
    const before = reads
    await pause(1_000)
    const asked = reads - before
    expect(asked).toBeGreaterThanOrEqual(2)
    expect(asked).toBeLessThanOrEqual(21)
    // One is paid: its two pages hear of it, and nobody else.
    const [first] = waits
    await stage.pay(first!.id, first!.buyer.openid)
    await expect.poll(() => pages.filter((page) => page.states().at(-1) === 'making').length, SOON).toBe(2)
    expect(pages.filter((page) => page.states().length > 1)).toHaveLength(2)
    for (const page of pages) page.leave()
    await expect
      .poll(
        async () => {
          const at = reads
          await pause(300)
          return reads - at
        },
        { timeout: 20_000 },
      )
      .toBe(0)
    // Somebody who comes later is served as the first was.
    const again = await listen(first!.buyer, first!.id)
    await expect.poll(again.states, SOON).toEqual(['making'])
    await stage.work()
    await expect.poll(again.isOver, SOON).toBe(true)
    expect(again.states().at(-1)).toBe('ready')
  })

  test('houses that share a process are asked each for its own orders', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fulika-watch-'))
    const second = await openTestDatabase('sqlite', join(folder, 'second.sqlite'))
    const [first, own] = [house, await stage.buyer()]
    const waits = await listen(own, (await placed(own)).id)
    await expect.poll(waits.states, SOON).toEqual(['paying'])
    house = await serveStore(second, world)
    const there = storeStage(
      second,
      () => world,
      () => house,
    )
    const buyer = await there.buyer()
    const { order } = (await there.buy(buyer, await there.listing())).body as unknown as Ordered
    const page = await listen(buyer, order.id)
    await there.pay(order.id, buyer.openid)
    await expect.poll(() => page.states().at(-1), SOON).toBe('making')
    expect(waits.states()).toEqual(['paying'])
    for (const one of [waits, page]) one.leave()
    await house.close()
    house = first
    await second.store.close()
    rmSync(folder, { recursive: true })
  })

  test('one buyer may hold so many streams open; each that ends makes room', async () => {
    const buyer = await stage.buyer()
    const { id } = await placed(buyer)
    const pages = await Promise.all(Array.from({ length: 12 }, () => listen(buyer, id)))
    expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200))
    expect((await house.call(buyer.actor, 'GET', `/store/orders/${id}/events`)).body).toMatchObject({
      code: 'too_many_requests',
    })
    pages[0]!.leave()
    const status = async () => {
      const page = await listen(buyer, id)
      page.leave()
      return page.status
    }
    await expect.poll(status, SOON).toBe(200)
    for (const page of pages) page.leave()
  })

  test('a database that fails for a moment ends nothing for good: the page asks again and is answered', async () => {
    const buyer = await stage.buyer()
    const { id } = await placed(buyer)
    const page = await listen(buyer, id)
    await expect.poll(page.states, SOON).toEqual(['paying'])
    const whole = database.store
    database.store = {
      ...whole,
      read: () => Promise.reject(new Error('the database is away')),
    }
    await expect.poll(page.isOver, SOON).toBe(true)
    database.store = whole
    const again = await listen(buyer, id)
    await expect.poll(again.states, SOON).toEqual(['paying'])
    await stage.pay(id, buyer.openid)
    await expect.poll(() => again.states().at(-1), SOON).toBe('making')
    again.leave()
  })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
