import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PairName, RaceReport } from './race.ts'

/** Races without the guard, in a process of its own, on a database that nobody proves afterwards. */
async function raceUnguarded(name: PairName, rounds: number): Promise<RaceReport> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-race-'))
  const script = new URL('unguarded.ts', import.meta.url).pathname
  try {
    const args = ['--no-warnings', script, name, join(folder, 'race.sqlite'), String(rounds)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    return JSON.parse(stdout) as RaceReport
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const TRIES = 5
/**
 * How often both won without the guard. Chance decides how often two meet, and in few rounds it is now and then never: tried anew
 * a few times before it says so.
 */
export async function bothUnguarded(name: PairName, rounds: number): Promise<number> {
  for (let tried = 1; ; tried += 1) {
    const { both } = await raceUnguarded(name, rounds)
    if (both > 0 || tried === TRIES) return both
  }
}
