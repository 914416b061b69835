import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import type { Ports } from '../server/channels/ports.ts'
import { isCrowded } from '../server/kernel/coalesce.ts'
import type { Edge } from '../server/kernel/context.ts'
import { claim, enqueue, finish, LEASE_MS, revive, sweep } from '../server/kernel/outbox.ts'
import { OutsideError } from '../server/kernel/outside.ts'
import { sql } from '../server/kernel/sql.ts'
import { onBothDatabases, type TestDatabase } from '../server/testing/databases.ts'
import { drain } from './drain.ts'
import type { Handler } from './handlers.ts'
import { startWorker, workOnce } from './worker.ts'

const noPorts = {} as Ports
const stateOf = async (database: TestDatabase, key: string) => {
  const [row] = await database.tx((tx) =>
    sql<{ state: string; attempts: number; last_error: string | null; ready_at_ms: number }>(
      tx.em,
      'select state, attempts, last_error, ready_at_ms from job where job_key = ?',
      [key],
    ),
  )
  return row
}
const put = (database: TestDatabase, key: string, lane: 'small' | 'bulk' = 'small') =>
  database.tx((tx) => enqueue(tx, [{ kind: 'work', key, args: { key }, lane }]))

afterEach(() => {
  vi.useRealTimers()
})

onBothDatabases('worker', (database) => {
  test('every job is done once, whoever of two workers takes it, and small work does not wait for bulk work', async () => {
    const done: string[] = []
    let letGo = (): void => undefined
    const festival = new Promise<void>((resolve) => (letGo = resolve))
    const work: Handler = async (_edge, args) => {
      if (String(args['key']).startsWith('bulk')) await festival
      done.push(String(args['key']))
    }
    for (let i = 0; i < 4; i += 1) await put(database, `bulk${i}`, 'bulk')
    for (let i = 0; i < 12; i += 1) await put(database, `small${i}`)
    const workers = [1, 2].map(() => startWorker(database.edge(noPorts), { work }))
    while (done.length < 12) await sleep(10)
    expect(done.every((key) => key.startsWith('small'))).toBe(true)
    letGo()
    while (done.length < 16) await sleep(10)
    await Promise.all(workers.map((worker) => worker.stop()))
    expect(new Set(done).size).toBe(16)
    expect((await stateOf(database, 'bulk3'))?.state).toBe('done')
  })

  test('a failure comes back later, keeps no message, and is dead after 12 attempts; an outside that is away is waited for', async () => {
    let now = Date.now() + 1000
    const edge = database.edge(noPorts, undefined, () => now)
    const fails: Handler = () => Promise.reject(new Error('张三 13800138000'))
    const away: Handler = () => Promise.reject(new OutsideError('busy', '45009', 'busy', 5000))
    await put(database, 'fails')
    await workOnce(edge, { work: fails }, 'small')
    const first = await stateOf(database, 'fails')
    expect(first).toMatchObject({ state: 'ready', last_error: 'Error' })
    expect(Number(first?.ready_at_ms)).toBeGreaterThan(now)
    for (let i = 1; i < 12; i += 1) {
      now += 61_000
      await workOnce(edge, { work: fails }, 'small')
    }
    expect(await stateOf(database, 'fails')).toMatchObject({ state: 'dead', attempts: 12 })
    await put(database, 'away')
    for (let i = 0; i < 20; i += 1) {
      now += 61_000
      await workOnce(edge, { work: away }, 'small')
    }
    expect(await stateOf(database, 'away')).toMatchObject({
      state: 'ready',
      attempts: 20,
      last_error: 'outside busy 45009',
    })
  })

  test('a job whose worker died is swept and done by another; the first one cannot finish it any more', async () => {
    let now = Date.now() + 1000
    const edge = database.edge(noPorts, undefined, () => now)
    await put(database, 'orphan')
    const [held] = await edge.tx((tx) => claim(tx, 'small', 1))
    now += LEASE_MS + 1
    expect(await edge.tx(sweep)).toBe(1)
    let ran = 0
    await drain(edge, { work: () => Promise.resolve(void (ran += 1)) })
    expect(ran).toBe(1)
    expect(await edge.tx((tx) => finish(tx, held!))).toBe(false)
    expect((await stateOf(database, 'orphan'))?.state).toBe('done')
  })

  test('a job that ends its worker each time is dead after 12 attempts', async () => {
    let now = Date.now() + 1000
    const edge = database.edge(noPorts, undefined, () => now)
    await put(database, 'deadly')
    for (let i = 0; i < 12; i += 1) {
      expect(await edge.tx((tx) => claim(tx, 'small', 1))).toHaveLength(1)
      now += LEASE_MS + 1
      expect(await edge.tx(sweep)).toBe(1)
    }
    expect(await stateOf(database, 'deadly')).toMatchObject({ state: 'dead', attempts: 12 })
    expect(await edge.tx((tx) => claim(tx, 'small', 1))).toEqual([])
    const rows = await edge.tx((tx) => sql<{ id: string }>(tx.em, 'select id from job'))
    const id = rows[0]?.id ?? ''
    expect(await edge.tx((tx) => revive(tx, id))).toBe(true)
    expect(await edge.tx((tx) => revive(tx, id))).toBe(false)
    expect(await edge.tx((tx) => claim(tx, 'small', 1))).toMatchObject([{ id, attempts: 1 }])
  })

  test('a kind with a batch is worked many at once; other kinds and what was tried before come alone', async () => {
    const [alone, together]: [string[], number[]] = [[], []]
    const one = async (_edge: unknown, args: Record<string, string | number>) => void alone.push(String(args['key']))
    const most = Object.assign(one as Handler, {
      batch: { most: 10, run: async (_edge: unknown, many: readonly object[]) => void together.push(many.length) },
    }) as Handler
    const edge = database.edge(noPorts)
    for (let i = 0; i < 25; i += 1) await put(database, `many${i}`)
    await database.tx((tx) => sql(tx.em, "update job set attempts = 1 where job_key = 'many3'"))
    await database.tx((tx) => enqueue(tx, [{ kind: 'other', key: 'other', args: { key: 'other' } }]))
    await drain(edge, { work: most, other: one as Handler })
    expect(together.reduce((sum, many) => sum + many, 0) + alone.length).toBe(26)
    expect(Math.max(...together)).toBe(10)
    expect(alone).toEqual(expect.arrayContaining(['many3', 'other']))
    const left = await database.tx((tx) => sql(tx.em, "select id from job where state <> 'done'"))
    expect(left).toEqual([])
  })

  test('a batch that fails is tried again, then one by one, so that one bad job fails alone', async () => {
    const [alone, tries]: [string[], number[]] = [[], []]
    const one: Handler = async (_edge, args) => {
      if (args['key'] === 'bad') throw new Error('bad')
      alone.push(String(args['key']))
    }
    const run = (_edge: unknown, many: readonly object[]) => {
      tries.push(many.length)
      return Promise.reject(new Error('together'))
    }
    for (const key of ['a', 'bad', 'c']) await put(database, key)
    await workOnce(database.edge(noPorts), { work: Object.assign(one, { batch: { most: 10, run } }) }, 'small')
    expect(tries).toEqual([3, 3])
    expect(alone.sort()).toEqual(['a', 'c'])
    expect(await stateOf(database, 'bad')).toMatchObject({ state: 'ready', attempts: 1, last_error: 'Error' })
    expect((await stateOf(database, 'a'))?.state).toBe('done')
  })

  test('what comes while a batch that gathers is done goes together into the next one; other kinds wait for none', async () => {
    const [sizes, other]: [number[], string[]] = [[], []]
    let letGo = (): void => undefined
    const first = new Promise<void>((resolve) => (letGo = resolve))
    const run = async (_edge: unknown, many: readonly object[]) => {
      sizes.push(many.length)
      if (sizes.length === 1) await first
    }
    const one: Handler = async () => (sizes.push(1), first)
    const work: Handler = Object.assign(one, { batch: { most: 100, run, gathers: 'small' as const } })
    const plain: Handler = async (_edge, args) => void other.push(String(args['key']))
    const worker = startWorker(database.edge(noPorts), { work, plain })
    const putNow = async (kind: string, key: string) => {
      await database.tx((tx) => enqueue(tx, [{ kind, key, args: { key } }]))
      worker.wake(new Set(['small']))
    }
    await putNow('work', 'first')
    await expect.poll(() => sizes).toEqual([1])
    for (const key of ['a', 'b', 'c']) await putNow('work', key)
    await putNow('plain', 'other')
    await expect.poll(() => other).toEqual(['other'])
    expect(sizes).toEqual([1])
    letGo()
    await expect.poll(() => sizes).toEqual([1, 3])
    await worker.stop()
    expect(await database.tx((tx) => sql(tx.em, "select id from job where state <> 'done'"))).toEqual([])
  })

  test('two workers never hold one job of a batch', async () => {
    const seen: string[] = []
    const run = async (_edge: unknown, many: readonly Record<string, string | number>[]) => {
      for (const args of many) seen.push(String(args['key']))
    }
    const work: Handler = Object.assign(async () => undefined, { batch: { most: 8, run } })
    await database.tx((tx) =>
      enqueue(
        tx,
        Array.from({ length: 100 }, (_, i) => ({ kind: 'work', key: `k${i}`, args: { key: `k${i}` } })),
      ),
    )
    const workers = [1, 2, 3].map(() => startWorker(database.edge(noPorts), { work }))
    for (let i = 0; i < 1000 && seen.length < 100; i += 1) await sleep(10)
    await Promise.all(workers.map((worker) => worker.stop()))
    const ready = await database.tx((tx) => sql(tx.em, "select id from job where state = 'ready'"))
    expect(seen.length - new Set(seen).size).toBe(0)
    expect(ready).toEqual([])
  })

  test('stopping finishes what is held and takes nothing new', async () => {
    const done: string[] = []
    const work: Handler = async (_edge, args) => {
      await sleep(150)
      done.push(String(args['key']))
    }
    await put(database, 'held')
    const worker = startWorker(database.edge(noPorts), { work }, { fast: 1, small: 1, bulk: 1, webhook: 1 })
    while ((await stateOf(database, 'held'))?.state !== 'leased') await sleep(10)
    const stopping = worker.stop()
    await put(database, 'late')
    await stopping
    expect(done).toEqual(['held'])
    expect((await stateOf(database, 'late'))?.state).toBe('ready')
  })
})

test('while there is nothing to do one hand of each lane looks at a time, and a call makes one look at once', async () => {
  await vi.waitUntil(() => !isCrowded())
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  let looks = 0
  const read = (): Promise<boolean> => {
    looks += 1
    return Promise.resolve(false)
  }
  const worker = startWorker({ read } as unknown as Edge, {}, { fast: 2, small: 3, bulk: 2, webhook: 3 })
  const within = async (ms: number): Promise<number> => {
    const before = looks
    await vi.advanceTimersByTimeAsync(ms)
    return looks - before
  }
  await within(0)
  expect(looks).toBe(10)
  expect([await within(500), await within(500)]).toEqual([4, 4])
  worker.wake(new Set(['small']))
  expect(await within(0)).toBe(1)
  await worker.stop()
  expect(await within(2000)).toBe(0)
})
