import { expect, test } from 'vitest'
import { onBothDatabases } from '../../testing/databases.ts'
import { race } from '../../testing/racing/race.ts'
import { bothUnguarded } from '../../testing/racing/race-unguarded.ts'

/** A sample of `npm run race`; a third of it in each order on SQLite. */
const SAMPLE = 51
onBothDatabases('a gift races', (database) => {
  for (const name of ['friend-friend', 'claim-withdraw', 'claim-return', 'refund-offer', 'refund-reveal'] as const)
    test(`${name}: never both`, async () => {
      const { firstWon, secondWon, neither, both, wrong } = await race(database, name, SAMPLE)
      expect({ both, wrong }).toEqual({ both: 0, wrong: [] })
      expect(firstWon + secondWon + neither).toBe(SAMPLE)
      expect(firstWon).toBeGreaterThan(0)
      // A secret is never read after the end of its card.
      if (name === 'refund-reveal') expect(secondWon).toBe(0)
      else expect(secondWon).toBeGreaterThan(0)
    })
})

test.each(['friend-friend', 'claim-withdraw'] as const)(
  '%s without its guard: both, and the race counts them',
  async (name) => {
    expect(await bothUnguarded(name, 15)).toBeGreaterThan(0)
  },
  120_000,
)
