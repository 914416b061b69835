import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { freshMysqlUrl, onBothDatabases, openTestDatabase } from '../../testing/databases.ts'
import { race, racingPairs, type PairName, type RaceReport } from '../../testing/racing/race.ts'

/** A sample of `npm run race`; a third of it in each order on SQLite. */
const INTERLEAVINGS = 51
const UNGUARDED = 15
const names = Object.keys(racingPairs) as PairName[]
/** While true, the guard of the pair lets everybody through. */
const open = vi.hoisted(() => ({ flight: false, card: false }))

vi.mock(import('../funding/take-flight.ts'), async (original) => {
  const real = await original()
  return { ...real, takeFlight: async (...asked) => open.flight || real.takeFlight(...asked) }
})
vi.mock(import('../card/hold-value.ts'), async (original) => {
  const real = await original()
  return { holdValue: async (...asked) => open.card || real.holdValue(...asked) }
})
afterEach(() => Object.assign(open, { flight: false, card: false }))

onBothDatabases('a refund races', (database) => {
  for (const name of names)
    test(`${name}: never both`, async () => {
      const { firstWon, secondWon, neither, both, wrong } = await race(database, name, INTERLEAVINGS)
      expect({ both, wrong }).toEqual({ both: 0, wrong: [] })
      expect(firstWon + secondWon + neither).toBe(INTERLEAVINGS)
      // Either order came about: on SQLite by what each was told, on MariaDB by chance.
      const each = database.dialect === 'sqlite' && name !== 'refund-unlock' ? INTERLEAVINGS / 3 : 1
      expect(firstWon).toBeGreaterThanOrEqual(each)
      expect(secondWon).toBeGreaterThanOrEqual(each)
    })
})

/** Races without the guard, on a database that nobody proves afterwards. */
async function raceOpen(dialect: 'sqlite' | 'mysql', name: PairName): Promise<RaceReport> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-race-'))
  const fresh = dialect === 'mysql' ? await freshMysqlUrl(process.env['TEST_MYSQL_URL']!) : null
  const database = await openTestDatabase(dialect, fresh?.url ?? join(folder, 'race.sqlite'))
  Object.assign(open, { flight: name === 'refund-split', card: name !== 'refund-split' })
  try {
    return await race(database, name, UNGUARDED)
  } finally {
    await database.store.close()
    await fresh?.drop()
    rmSync(folder, { recursive: true })
  }
}

const dialects = process.env['TEST_MYSQL_URL'] ? (['sqlite', 'mysql'] as const) : (['sqlite'] as const)
test.each(dialects.flatMap((dialect) => names.map((name) => ({ dialect, name }))))(
  '$name without its guard: both, and the race counts them ($dialect)',
  async ({ dialect, name }) => {
    expect((await raceOpen(dialect, name)).both).toBeGreaterThan(0)
  },
)
