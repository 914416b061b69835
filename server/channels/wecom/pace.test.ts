import { expect, test } from 'vitest'
import { pace } from './pace.ts'

test('no window of a minute holds more than the limit', () => {
  let nowMs = 1_000_000
  const limiter = pace(100, 60_000, () => nowMs)
  const taken: number[] = []
  for (let step = 0; step < 20_000; step += 1) {
    if (limiter.take('a') === 0) taken.push(nowMs)
    nowMs += (step * 7) % 50
  }
  for (let i = 100; i < taken.length; i += 1) expect(taken[i]! - taken[i - 100]!).toBeGreaterThanOrEqual(60_000)
  expect(taken.length).toBeGreaterThan(100)
})

test('the wait it names is enough, and keys do not share', () => {
  let nowMs = 500
  const limiter = pace(2, 60_000, () => nowMs)
  expect([limiter.take('a'), limiter.take('a'), limiter.take('b')]).toEqual([0, 0, 0])
  nowMs += limiter.take('a')
  expect(limiter.take('a')).toBe(0)
})
