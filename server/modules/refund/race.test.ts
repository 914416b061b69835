import { expect, test } from 'vitest'
import { onBothDatabases } from '../../testing/databases.ts'
import { race, type PairName } from '../../testing/racing/race.ts'
import { bothUnguarded } from '../../testing/racing/race-unguarded.ts'

/** A sample of `npm run race`; a third of it in each order on SQLite. Sharing takes many calls a contest. */
const samples = {
  'refund-unlock': 51,
  'refund-split': 12,
  'refund-hold': 51,
} as const satisfies Partial<Record<PairName, number>>
const UNGUARDED = 15
/** Those of gifts race in gift/race.test.ts. */
const names = Object.keys(samples) as (keyof typeof samples)[]
onBothDatabases('a refund races', (database) => {
  for (const name of names)
    test(`${name}: never both`, async () => {
      const interleavings = samples[name]
      const { firstWon, secondWon, neither, both, wrong } = await race(database, name, interleavings)
      expect({ both, wrong }).toEqual({ both: 0, wrong: [] })
      expect(firstWon + secondWon + neither).toBe(interleavings)
      // Either order came about: on SQLite by what each was told, on MariaDB by chance.
      const each = database.dialect === 'sqlite' && name !== 'refund-unlock' ? interleavings / 3 : 1
      expect(firstWon).toBeGreaterThanOrEqual(each)
      expect(secondWon).toBeGreaterThanOrEqual(each)
    })
})

test.each(names)(
  '%s without its guard: both, and the race counts them',
  async (name) => {
    expect(await bothUnguarded(name, UNGUARDED)).toBeGreaterThan(0)
  },
  120_000,
)
