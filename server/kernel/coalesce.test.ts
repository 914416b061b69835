import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { coalesce, isCrowded } from './coalesce.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('what comes while one batch runs goes together into the next, and each caller gets its own answer', async () => {
  const batches: number[][] = []
  const ask = coalesce<number, number>({
    most: 100,
    atOnce: 1,
    waiting: 1000,
    doMany: async (items) => {
      batches.push([...items])
      await sleep(10)
      return items.map((item) => item * 2)
    },
  })
  const first = ask(0)
  await sleep(2)
  const rest = Array.from({ length: 250 }, (_, index) => ask(index + 1))
  expect(await first).toBe(0)
  expect(await Promise.all(rest)).toEqual(Array.from({ length: 250 }, (_, index) => (index + 1) * 2))
  expect(batches.map((batch) => batch.length)).toEqual([1, 100, 100, 50])
  expect(await ask(7)).toBe(14)
})

test('a batch that fails is tried again as a whole; a bad item then fails alone', async () => {
  let deadlocks = 1
  const calls: number[] = []
  const ask = coalesce<string, string>({
    most: 10,
    atOnce: 1,
    waiting: 10,
    doMany: async (items) => {
      calls.push(items.length)
      if (deadlocks-- > 0) throw new Error('deadlock')
      if (items.includes('bad')) throw new Error('bad item')
      return items.map((item) => `did ${item}`)
    },
  })
  expect(await Promise.all(['a', 'b'].map(ask))).toEqual(['did a', 'did b'])
  expect(calls).toEqual([2, 2])
  const settled = await Promise.allSettled(['a', 'bad', 'c'].map(ask))
  expect(settled.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('so many transactions run side by side and no more; what comes meanwhile waits for the first that ends', async () => {
  const gates: (() => void)[] = []
  const batches: (readonly number[])[] = []
  const doMany = async (items: readonly number[]) => {
    batches.push(items)
    await new Promise<void>((resolve) => gates.push(resolve))
    return items
  }
  const ask = coalesce<number, number>({ most: 2, atOnce: 2, waiting: 10, doMany })
  const all: Promise<number>[] = []
  for (const item of [1, 2, 3, 4]) {
    all.push(ask(item))
    await sleep(5)
  }
  expect(batches).toEqual([[1], [2]])
  gates[1]!()
  await sleep(5)
  expect(batches).toEqual([[1], [2], [3, 4]])
  gates[0]!()
  gates[2]!()
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4])
})

const untilQuiet = () => vi.waitFor(() => expect(isCrowded()).toBe(false), 5000)

test('a crowd of callers is told of until a while after it has gone', async () => {
  await untilQuiet()
  const gates: (() => void)[] = []
  const doMany = async (items: readonly number[]) => {
    await new Promise<void>((resolve) => gates.push(resolve))
    return items
  }
  const ask = coalesce<number, number>({ most: 10, atOnce: 1, waiting: 10, doMany })
  const first = [ask(1)]
  await sleep(5)
  expect(isCrowded()).toBe(false)
  const later = [3, 4, 5].map(ask)
  gates[0]!()
  await Promise.all(first)
  await sleep(5)
  expect(isCrowded()).toBe(true)
  gates[1]!()
  await Promise.all(later)
  expect(isCrowded()).toBe(true)
  await untilQuiet()
})

test('a full queue refuses at once and takes work again when it has emptied', async () => {
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  const ask = coalesce<number, number>({ most: 1, atOnce: 1, waiting: 2, doMany: async (items) => (await gate, items) })
  const held = ask(1)
  await sleep(5)
  const waiting = [ask(2), ask(3)]
  await expect(ask(4)).rejects.toMatchObject({ code: 'busy', more: { retryAfterMs: 1000 } })
  open()
  expect(await Promise.all([held, ...waiting])).toEqual([1, 2, 3])
  expect(await ask(5)).toBe(5)
})

test('with a pace whoever comes alone goes at once; after several that went together the next wait, unless they are full', async () => {
  vi.useFakeTimers()
  const batches: [number, number][] = []
  const began = performance.now()
  const doMany = (items: readonly number[]) => {
    batches.push([Math.round(performance.now() - began), items.length])
    return Promise.resolve(items)
  }
  const ask = coalesce<number, number>({ most: 4, atOnce: 1, waiting: 100, paceMs: 50, doMany })
  const all: Promise<number>[] = []
  for (const [items, ms] of [
    [[1], 10],
    [[2, 3], 10],
    [[4], 50],
    [[5, 6, 7, 8, 9], 100],
  ] as const) {
    all.push(...items.map(ask))
    await vi.advanceTimersByTimeAsync(ms)
  }
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(batches).toEqual([
    [0, 1],
    [10, 2],
    [60, 1],
    [70, 4],
    [120, 1],
  ])
})

test('of two that keep pace side by side one takes what waits, and the other does nothing', async () => {
  const sizes: number[] = []
  const doMany = (items: readonly number[]) => {
    sizes.push(items.length)
    return Promise.resolve(items)
  }
  const ask = coalesce<number, number>({ most: 10, atOnce: 2, waiting: 100, paceMs: 20, doMany })
  await Promise.all([ask(1), ask(2)])
  const third = ask(3)
  await sleep(5)
  expect(await Promise.all([third, ask(4)])).toEqual([3, 4])
  await sleep(30)
  expect(sizes).toEqual([2, 2])
})
