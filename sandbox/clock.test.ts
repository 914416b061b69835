import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startClock } from './clock.ts'

test('moved time is ahead of the wall, and what is due by then runs at once and in order', async () => {
  const clock = startClock(() => 1_000_000)
  const ran: string[] = []
  const note = (name: string) => async (): Promise<void> => void ran.push(name)
  clock.later(7_200_000, note('two hours'))
  clock.later(60_000, note('a minute'))
  clock.later(86_400_000, note('a day'))
  await sleep(20)
  expect(ran).toEqual([])
  clock.advance(7_200_000)
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
  clock.advance(0)
  expect(clock.now()).toBe(0)
})
