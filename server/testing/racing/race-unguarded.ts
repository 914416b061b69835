import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PairName, RaceReport } from './race.ts'

/** Races without the guard, in a process of its own, on a database that nobody proves afterwards. */
export async function raceUnguarded(name: PairName, rounds: number): Promise<RaceReport> {
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
