import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { onBothDatabases } from '../../testing/databases.ts'
import { race, racingPairs, type PairName, type RaceReport } from '../../testing/racing/race.ts'

/** A sample of `npm run race`; a third of it in each order on SQLite. Sharing takes many calls a contest. */
const samples = { 'refund-unlock': 51, 'refund-split': 12, 'refund-hold': 51 } as const satisfies Record<
  PairName,
  number
>
const UNGUARDED = 15
const names = Object.keys(racingPairs) as PairName[]
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

/** Races without the guard, in a process of its own, on a database that nobody proves afterwards. */
async function raceUnguarded(name: PairName): Promise<RaceReport> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-race-'))
  const script = new URL('../../testing/racing/unguarded.ts', import.meta.url).pathname
  try {
    const args = ['--no-warnings', script, name, join(folder, 'race.sqlite'), String(UNGUARDED)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    return JSON.parse(stdout) as RaceReport
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.each(names)(
  '%s without its guard: both, and the race counts them',
  async (name) => {
    expect((await raceUnguarded(name)).both).toBeGreaterThan(0)
  },
  120_000,
)
