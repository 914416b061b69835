import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPhase } from './phases.ts'
import { faultKinds } from './staff-list.ts'

/** Writes a spreadsheet of `rows` people with planted faults and reads it as an upload is read; returns the figures. */
export async function benchImport(rows: number, say: (line: string) => void): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-bench-'))
  const file = join(folder, 'list.xlsx')
  try {
    say(`writing ${rows} rows with faults of ${faultKinds} kinds in 3 of 100`)
    const { planted } = await runPhase<{ planted: number }>('import-phase.ts', ['write', file, String(rows)])
    say(`reading ${Math.round(statSync(file).size / 1024)} KiB`)
    const read = await runPhase<{ seconds: number; found: number; peakRssMiB: number }>('import-phase.ts', [
      'read',
      file,
      String(rows),
    ])
    return {
      rows,
      seconds: Math.round(read.seconds * 100) / 100,
      rowsPerSecond: Math.round(rows / read.seconds),
      faultsPlanted: planted,
      faultsFound: read.found,
      peakRssMiB: read.peakRssMiB,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
