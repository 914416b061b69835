// npm run operator -- apply FILE [--dry-run]: companies, brands and templates from validated JSON; idempotent.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import { ConfigProblems, readConfig } from '../server/config.ts'
import { openHouse } from '../server/house.ts'
import { AppError } from '../server/kernel/errors.ts'
import { createLog } from '../server/kernel/log.ts'

const [verb, path] = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
const dryRun = process.argv.includes('--dry-run')

async function apply(file: string): Promise<void> {
  const parsed = PlatformFile.safeParse(JSON.parse(await readFile(file, 'utf8')))
  if (!parsed.success) {
    console.error(`${file} does not fit; nothing was changed:\n${z.prettifyError(parsed.error)}`)
    process.exitCode = 1
    return
  }
  const open = await openHouse(readConfig(process.env), { log: createLog({ level: 'error' }), outside: null })
  try {
    const done = await applyPlatform(open.edgeFor({ kind: 'system', name: 'operator' }), parsed.data, dryRun)
    for (const one of done) console.log(`${dryRun ? 'would ' : ''}${one.action.padEnd(6)} ${one.kind} ${one.key}`)
  } finally {
    await open.close()
  }
}

if (verb !== 'apply' || path === undefined) {
  console.error('usage: npm run operator -- apply FILE [--dry-run]')
  process.exitCode = 2
} else
  apply(path).catch((error: unknown) => {
    if (error instanceof ConfigProblems) for (const problem of error.problems) console.error(problem)
    else if (error instanceof AppError)
      console.error(`refused, nothing was changed: ${error.message} ${error.more.field ?? ''}`)
    else
      console.error(
        error instanceof SyntaxError ? `${path} is not JSON` : error instanceof Error ? error.message : error,
      )
    process.exitCode = 1
  })
