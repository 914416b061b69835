import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../db/orm.ts'
import { freshMysqlUrl } from '../testing/databases.ts'
import { OutsideError } from './outside.ts'
import { sealWith } from './seal.ts'
import { memoryRows } from './shared-memory.ts'
import { databaseRows } from './shared-rows.ts'
import { sharedState, type Limit, type SharedRows, type Source } from './shared-state.ts'
import { sql } from './sql.ts'

const key = randomBytes(32)
const seal = sealWith({ current: 'k', keys: { k: key }, indexKeyId: 'i', indexKeys: { i: key } }, randomBytes)
const failure = async (run: Promise<unknown>): Promise<OutsideError> => {
  const error: unknown = await run.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutsideError)) throw new Error('expected an OutsideError', { cause: error })
  return error
}
let nowMs = 0
const now = () => nowMs

/** A source that counts its calls; `lastingMs` is the life of what it gives. */
function counting(lastingMs = 1_000_000): Source & { calls: number; next: () => Promise<string> } {
  const source = {
    calls: 0,
    next: async () => `value ${source.calls}`,
    stops: (error: OutsideError) => (error.code === '40001' ? { code: error.code, forMs: 3_600_000 } : null),
    fetch: async () => {
      source.calls += 1
      return { value: await source.next(), refreshAfterMs: lastingMs * 0.9, expiresAfterMs: lastingMs }
    },
  }
  return source
}

interface Place {
  /** The rows as another process reaches them. */
  readonly open: () => Promise<SharedRows>
  readonly store: () => Store | null
  readonly close: () => Promise<void>
}

function suite(name: string, make: () => Promise<Place>): void {
  describe(name, () => {
    let place: Place
    const state = async () => sharedState(await place.open(), now)
    beforeEach(async () => {
      nowMs = Date.UTC(2026, 0, 5, 2)
      place = await make()
    })
    afterEach(() => place.close())

    test('callers of two processes share one fetch, and renew at 90 % of the life', async () => {
      const [one, two] = [await state(), await state()]
      const source = counting()
      const all = () =>
        Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? one : two).obtain('t:a', source)))
      expect(new Set(await all())).toEqual(new Set(['value 1']))
      nowMs += 899_999
      await all()
      expect(source.calls).toBe(1)
      nowMs += 1
      expect(new Set(await all())).toContain('value 2')
      expect(source.calls).toBe(2)
    })

    test('a value called dead is fetched once by all who found it dead, and a late finder takes what is there', async () => {
      const [one, two] = [await state(), await state()]
      const source = counting()
      const dead = await one.obtain('t:a', source)
      await two.obtain('t:a', source)
      const fresh = await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? one : two).obtain('t:a', source, { not: dead })),
      )
      expect(new Set(fresh)).toEqual(new Set(['value 2']))
      expect(await one.obtain('t:a', source, { not: dead })).toBe('value 2')
      expect(source.calls).toBe(2)
    })

    test('a value that comes back the same after it was called dead is not asked for again and again', async () => {
      const one = await state()
      const source = counting()
      source.next = async () => 'the same'
      await one.obtain('t:a', source)
      for (let i = 0; i < 10; i += 1) expect(await one.obtain('t:a', source, { not: 'the same' })).toBe('the same')
      expect(source.calls).toBe(2)
      nowMs += 5_001
      await one.obtain('t:a', source, { not: 'the same' })
      expect(source.calls).toBe(3)
    })

    test('a fetcher that died is followed when its lease is over, and what it comes back with is not kept', async () => {
      const [one, two] = [await state(), await state()]
      const source = counting()
      let wake = (_value: string): void => undefined
      const hung = counting()
      hung.next = () => new Promise((resolve) => (wake = resolve))
      const late = one.obtain('t:a', hung)
      await expect.poll(() => hung.calls).toBe(1)
      const waiting = two.obtain('t:a', source)
      nowMs += 14_000
      await sleep(100)
      expect(source.calls).toBe(0)
      nowMs += 1_001
      expect(await waiting).toBe('value 1')
      wake('late')
      expect(await late).toBe('late')
      expect(await (await state()).obtain('t:a', source)).toBe('value 1')
      expect(source.calls).toBe(1)
    })

    test('an error that stops a name stops it for all processes, others leave what lives', async () => {
      const [one, two] = [await state(), await state()]
      const source = counting(1_000_000_000)
      source.next = () => Promise.reject(new OutsideError('broken', '40001', 'no'))
      for (let i = 0; i < 5; i += 1)
        for (const each of [one, two])
          expect(await failure(each.obtain('t:a', source))).toMatchObject({ outcome: 'broken', code: '40001' })
      expect(source.calls).toBe(1)
      // Somebody who asks for a check is let past once a minute.
      await failure(two.obtain('t:a', source, { anew: true }))
      expect(source.calls).toBe(1)
      nowMs += 61_000
      await Promise.all([1, 2, 3].map(() => failure(two.obtain('t:a', source, { anew: true }))))
      expect(source.calls).toBe(2)
      nowMs += 3_600_001
      source.next = async () => 'works again'
      await Promise.all([one, two].map((each) => each.obtain('t:a', source)))
      expect(source.calls).toBe(3)
      nowMs += 950_000_000
      source.next = () => Promise.reject(new OutsideError('busy', 'timeout', 'later'))
      // It is due for renewal: it serves on, and the other side is not asked with every call.
      for (let i = 0; i < 5; i += 1) expect(await one.obtain('t:a', source)).toBe('works again')
      expect(source.calls).toBe(4)
      nowMs += 50_000_000
      expect(await failure(one.obtain('t:a', source))).toMatchObject({ outcome: 'busy' })
    })

    test('a stop of our own is seen by all and passes', async () => {
      const [one, two] = [await state(), await state()]
      expect(await two.stopped('bar')).toBeNull()
      await one.stop('bar', { code: '45009', forMs: 1_000 })
      expect(await two.stopped('bar')).toEqual({ code: '45009', forMs: 1_000 })
      nowMs += 1_000
      expect(await two.stopped('bar')).toBeNull()
    })

    test('processes together never take more than a limit in its window, and say when the next is free', async () => {
      const states = [await state(), await state(), await state()]
      const limit: Limit = { name: 'calls', limit: 500, windowMs: 60_000 }
      const wide: Limit = { name: 'all calls', limit: 100_000, windowMs: 3_600_000 }
      const burst = async () =>
        (await Promise.all(Array.from({ length: 700 }, (_, i) => states[i % 3]!.take([limit, wide])))).filter(
          (wait) => wait === 0,
        ).length
      expect(await burst()).toBe(500)
      nowMs += 30_000
      expect(await burst()).toBe(0)
      const wait = await states[1]!.take([limit, wide])
      expect(wait).toBeGreaterThan(29_000)
      expect(await states[2]!.full([wide])).toBe(0)
      expect(await states[2]!.full([wide, limit])).toBe(wait)
      nowMs += wait
      expect(await burst()).toBe(500)
      expect(await states[0]!.take([wide])).toBe(0)
    })

    test('nothing is taken of one limit while another is full', async () => {
      const one = await state()
      const [narrow, broad] = [
        { name: 'n', limit: 1, windowMs: 1_000, block: 1 },
        { name: 'b', limit: 2, windowMs: 60_000, block: 1 },
      ]
      expect(await one.take([narrow, broad])).toBe(0)
      for (let i = 0; i < 5; i += 1) expect(await (await state()).take([narrow, broad])).toBeGreaterThan(0)
      expect(await (await state()).take([broad])).toBe(0)
      expect(await (await state()).take([broad])).toBeGreaterThan(0)
    })

    test('values lie sealed, and are forgotten a day after their end', async () => {
      const one = await state()
      await one.obtain('t:old', counting(1_000))
      nowMs += 90_000_000
      const source = counting()
      source.next = async () => 'a secret token'
      await one.obtain('t:new', source)
      expect(await one.peek('t:new')).toBe('a secret token')
      const store = place.store()
      if (store === null) return
      const rows = await store.read((em) =>
        sql<{ name: string; value_sealed: Uint8Array }>(em, 'select name, value_sealed from shared_value'),
      )
      expect(rows.map((row) => row.name)).toEqual(['t:new'])
      expect(Buffer.from(rows[0]!.value_sealed).toString('latin1')).not.toContain('secret')
    })
  })
}

suite('shared state (memory)', async () => {
  const rows = memoryRows()
  return { open: async () => rows, store: () => null, close: async () => undefined }
})

/** On SQLite one thread cannot wait for its own other connection: there all states share one store, which queues. */
const onDatabase =
  (make: () => Promise<{ url: string; drop: () => Promise<void> }>, oneStore: boolean) => async (): Promise<Place> => {
    const { url, drop } = await make()
    const stores: Store[] = []
    return {
      open: async () => {
        const store = (oneStore && stores[0]) || (await openStore(url, { poolSize: 4 }))
        if (!stores.includes(store)) stores.push(store)
        return databaseRows({ write: store.write, read: store.read, seal })
      },
      store: () => stores[0]!,
      close: async () => {
        for (const store of stores) await store.close()
        await drop()
      },
    }
  }
suite(
  'shared state (sqlite)',
  onDatabase(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fulika-'))
    return { url: join(folder, 'test.sqlite'), drop: async () => rmSync(folder, { recursive: true }) }
  }, true),
)
const server = process.env['TEST_MYSQL_URL']
if (server)
  suite(
    'shared state (mysql)',
    onDatabase(() => freshMysqlUrl(server), false),
  )
else if (process.env['CI'] === 'true') throw new Error('no MariaDB: in CI this is a failure')
else describe.skip('shared state (mysql: no MariaDB found)', () => undefined)
