import { expect, test } from 'vitest'
import { tellStory, type Told } from './story.ts'

/** A sample of what `npm run sim` tells by the thousand. */
const STEPS = 120

async function told(seed: number): Promise<{ told: Told; log: string[] }> {
  const log: string[] = []
  return { told: await tellStory({ seed, steps: STEPS, log: (line) => log.push(line) }), log }
}

let payments = 0
test.each([11, 12, 13])('story %i keeps every promise', async (seed) => {
  const { told: end } = await told(seed)
  expect(end.violations).toEqual([])
  expect(end.steps).toBe(STEPS)
  payments += end.payments
})

test('and money moves in them', () => {
  expect(payments).toBeGreaterThan(0)
})

test('the same seed tells the same story, another one another', async () => {
  const [first, again, other] = [await told(21), await told(21), await told(22)]
  expect(again).toEqual(first)
  expect(other.log).not.toEqual(first.log)
}, 120_000)
