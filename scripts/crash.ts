/**
 * npm run crash -- [--rounds N] [--db mysql|sqlite] [--target server|database] [--heads N] [--json]
 * Rounds of the main job with kill -9 at random moments of issuing and pushing. `--target database` kills a private
 * MariaDB instead of the server. Prints each round; the last line sums up. Exit code 1 when a promise was broken.
 */
import { parseArgs } from 'node:util'
import { crashRound, databaseKiller, isClean, serverKiller, type Killer, type RoundReport } from '../e2e/crash-round.ts'
import { openCrashStage, type CrashStage } from '../e2e/crash-stage.ts'
import { control } from '../e2e/steps.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { provideMariadb } from './mariadb.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    heads: { type: 'string', default: '2500' },
    db: { type: 'string', default: 'mysql' },
    target: { type: 'string', default: 'server' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
/** Between rounds the sandbox's clock runs on, or people would get more than 30 messages a minute. */
const PAUSE_MS = 150_000

// Ending by a signal runs what stands at exit: the processes that were started end too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()

async function main(): Promise<number> {
  const began = Date.now()
  const database = values.db === 'sqlite' ? null : await provideMariadb({ private: true })
  if (values.db !== 'sqlite' && database === null) throw new Error('no MariaDB to be had')
  const url = database === null ? null : (await freshMysqlUrl(database.url)).url
  const stage = await openCrashStage({ databaseUrl: url, heads: Number(values.heads), rounds: rounds + 1 })
  try {
    const killer = values.target === 'database' ? databaseKiller(stage, database) : serverKiller(stage)
    const reports = await playRounds(stage, killer)
    return tell(reports, Math.round((Date.now() - began) / 1000))
  } finally {
    await stage.close()
    await database?.stop()
  }
}

async function playRounds(stage: CrashStage, killer: Killer): Promise<RoundReport[]> {
  const calm = await crashRound(stage, '第 0 轮', killer, [])
  if (!isClean(calm)) throw new Error(`broken without any kill: ${JSON.stringify(calm)}`)
  process.stderr.write(`a round without a kill takes ${calm.tookMs} ms\n`)
  /** A server that was killed takes up its work shortly before it answers. */
  const startup = () => stage.startMs * (0.6 + Math.random() * 0.4)
  const reports: RoundReport[] = []
  for (let round = 1; round <= rounds; round += 1) {
    await control(`${stage.wecomUrl}/__ctl/clock`, { advanceMs: PAUSE_MS })
    // Making cards takes less time than pushing them: the first kill comes early more often than late.
    const delays = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, (_, kill) =>
      kill === 0 || values.target === 'database'
        ? Math.random() ** 2 * calm.tookMs
        : startup() + Math.random() * calm.tookMs * 0.5,
    )
    const report = await crashRound(stage, `第 ${round} 轮`, killer, delays)
    reports.push(report)
    const verdict = isClean(report) ? 'clean' : `BROKEN ${JSON.stringify(report)}`
    process.stderr.write(
      `${round}: killed ${report.moments.join(', ')}; repeats suppressed ${report.repeats}; ${verdict}\n`,
    )
  }
  return reports
}

function tell(reports: readonly RoundReport[], seconds: number): number {
  const sum = (value: (report: RoundReport) => number) => reports.reduce((total, report) => total + value(report), 0)
  const moments: Record<string, number> = {}
  for (const moment of reports.flatMap((report) => report.moments)) moments[moment] = (moments[moment] ?? 0) + 1
  const broken = reports.filter((report) => !isClean(report)).length
  const figures = {
    rounds: reports.length,
    db: values.db,
    target: values.target,
    heads: Number(values.heads),
    kills: sum((report) => report.moments.length),
    moments,
    withoutCard: sum((report) => report.withoutCard),
    withSeveralCards: sum((report) => report.withSeveralCards),
    withoutMessage: sum((report) => report.withoutMessage),
    withSeveralMessages: sum((report) => report.withSeveralMessages),
    repeatsSuppressed: sum((report) => report.repeats),
    pending: sum((report) => report.pending),
    booksBalanced: reports.every((report) => report.findings.length === 0),
    broken,
    seconds,
  }
  console.log(JSON.stringify(figures, null, values.json ? undefined : 2))
  return broken === 0 ? 0 : 1
}
