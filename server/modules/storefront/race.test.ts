import { expect, test } from 'vitest'
import { onBothDatabases } from '../../testing/databases.ts'
import { race, type PairName } from '../../testing/racing/race.ts'

/** A sample of `npm run race`; a third of it in each order on SQLite. */
const samples = {
  'store-refund-use': 51,
  'store-refund-use-now': 30,
  'store-refund-claim': 51,
  'store-close-pay': 30,
} as const satisfies Partial<Record<PairName, number>>

onBothDatabases('what a buyer does races', (database) => {
  for (const name of Object.keys(samples) as (keyof typeof samples)[])
    test(`${name}: never both`, async () => {
      const { firstWon, secondWon, neither, both, wrong } = await race(database, name, samples[name])
      expect({ both, wrong }).toEqual({ both: 0, wrong: [] })
      expect(firstWon + secondWon + neither).toBe(samples[name])
      expect(firstWon).toBeGreaterThanOrEqual(1)
      expect(secondWon).toBeGreaterThanOrEqual(1)
    })
})
