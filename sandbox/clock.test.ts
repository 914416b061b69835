import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startClock, virtualClock } from './clock.ts'

test('moved time is ahead of the wall, and what is due by then runs at once and in order', async () => {
  const clock = startClock(() => 1_000_000)
  const ran: string[] = []
  const note = (name: string) => async (): Promise<void> => void ran.push(name)
  clock.later(7_200_000, note('two hours'))
  clock.later(60_000, note('a minute'))
  clock.later(86_400_000, note('a day'))
  await sleep(20)
  expect(ran).toEqual([])
  await clock.advance(7_200_000)
  await sleep(20)
  expect(ran).toEqual(['a minute', 'two hours'])
  expect([clock.now(), clock.wall(), clock.aheadMs(), clock.waiting()]).toEqual([8_200_000, 1_000_000, 7_200_000, 1])
  clock.stop()
  clock.later(0, note('after the end'))
  await sleep(20)
  expect(ran).toHaveLength(2)
})

test('time does not run backwards', () => {
  const clock = startClock(() => 0)
  for (const wrong of [-1, 0.5, NaN, Infinity]) expect(() => clock.advance(wrong)).toThrow(RangeError)
  void clock.advance(0)
  expect(clock.now()).toBe(0)
})

test('a virtual clock runs nothing by itself, and each piece at its own moment, one after the other', async () => {
  const clock = virtualClock(1_000)
  const ran: string[] = []
  const note =
    (name: string, tookTurns = 0) =>
    async (): Promise<void> => {
      for (let i = 0; i < tookTurns; i += 1) await Promise.resolve()
      ran.push(`${name} at ${clock.now()}`)
    }
  clock.later(50, note('second', 20))
  clock.later(50, note('third'))
  clock.later(10, async () => {
    await note('first')()
    clock.later(5, note('asked for on the way'))
    clock.later(500, note('much later'))
  })
  await sleep(30)
  expect([ran, clock.now()]).toEqual([[], 1_000])
  await clock.advance(50)
  expect(ran).toEqual(['first at 1010', 'asked for on the way at 1015', 'second at 1050', 'third at 1050'])
  expect([clock.now(), clock.wall(), clock.waiting()]).toEqual([1_050, 1_050, 1])
  await clock.sleep(3_600_000)
  clock.stop()
  await clock.advance(1_000)
  expect(ran).toHaveLength(4)
})

test('work that fails on a virtual clock is not lost in silence, and work cannot move the clock', async () => {
  const clock = virtualClock(0)
  clock.later(1, () => Promise.reject(new Error('broken')))
  clock.later(2, () => clock.advance(1))
  await expect(clock.advance(1)).rejects.toThrow('broken')
  await expect(clock.advance(1)).rejects.toThrow(RangeError)
  await expect(clock.advance(-1)).rejects.toThrow(RangeError)
  await clock.advance(10)
  expect(clock.now()).toBe(12)
})

test('whoever sleeps wakes in real time, and at once when the clock is stopped', async () => {
  const clock = startClock(() => 0)
  const began = performance.now()
  await clock.sleep(30)
  expect(performance.now() - began).toBeGreaterThan(25)
  const slept = clock.sleep(3_600_000)
  clock.stop()
  await slept
})
