/**
 * Provides what the tests need and says what it found.
 *   node scripts/provide.ts                 looks, installs what it may, prints, ends
 *   node scripts/provide.ts -- COMMAND ...  then runs the command with TEST_MYSQL_URL and CHROMIUM set
 */
import { spawn } from 'node:child_process'
import { provideChromium } from './chromium.ts'
import { mustNotSkip, sayLoudly } from './debian.ts'
import { provideMariadb, type ProvidedMariadb } from './mariadb.ts'

process.exitCode = await provide(process.argv.slice(2))

async function provide(args: readonly string[]): Promise<number> {
  let mariadb: ProvidedMariadb | null = null
  try {
    mariadb = await provideMariadb()
    const chromium = await provideChromium()
    report(mariadb, chromium)
    const [separator, command, ...rest] = args
    if (separator !== '--' || command === undefined) return 0
    return await run(command, rest, {
      ...process.env,
      ...(mariadb === null ? {} : { TEST_MYSQL_URL: mariadb.url }),
      ...(chromium === null ? {} : { CHROMIUM: chromium }),
    })
  } catch (error) {
    sayLoudly(`FAILED${mustNotSkip() ? ' (CI=true: nothing may be skipped)' : ''}: ${messageOf(error)}`)
    return 1
  } finally {
    await mariadb?.stop()
  }
}

function report(mariadb: ProvidedMariadb | null, chromium: string | null): void {
  if (mariadb === null) sayLoudly('SKIPPED: every test on MariaDB, for there is none and it may not be installed here')
  else process.stderr.write(`MariaDB: ${mariadb.kind}${mariadb.kind === 'given' ? '' : `, ${mariadb.url}`}\n`)
  if (chromium === null) sayLoudly('SKIPPED: every test in a browser, for there is no Chromium here')
  else process.stderr.write(`Chromium: ${chromium}\n`)
}

/** Runs the command to its end and answers its exit code; Ctrl-C reaches it, so that we can tidy up after it. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
    process.on('SIGINT', pass).on('SIGTERM', pass)
    child.on('error', reject)
    child.on('exit', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass)
      resolve(code ?? 1)
    })
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
