/**
 * npm run crash -- [--rounds N] [--kills N] [--db mysql|sqlite] [--target server|worker|database] [--heads N] [--faults] [--json]
 * Rounds of the main job with one to three (`--kills`) times kill -9 at random moments of issuing and pushing. `--target
 * database` kills a private MariaDB instead of the server, `--target worker` the two workers that then run beside it. With
 * `--faults` the approver presses the card in WeCom, tokens expire, calls fail, callbacks are lost, doubled and reordered,
 * and the company may hardly send more than the rounds need. Prints each round; the last line sums up. Exit code 1 when a
 * promise was broken.
 */
import { parseArgs } from 'node:util'
import {
  crashRound,
  databaseKiller,
  isClean,
  serverKiller,
  workerKiller,
  type Killer,
  type RoundReport,
} from '../e2e/crash-round.ts'
import { openCrashStage, type CrashStage } from '../e2e/crash-stage.ts'
import { settledEvents } from '../e2e/crash-trouble.ts'
import { control } from '../e2e/steps.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { provideMariadb } from './mariadb.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    heads: { type: 'string', default: '2500' },
    db: { type: 'string', default: 'mysql' },
    target: { type: 'string', default: 'server' },
    faults: { type: 'boolean', default: false },
    kills: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const heads = Number(values.heads)
/** Messages of a round beside those of the heads: cards for the approver. */
const BESIDE = 20
/**
 * Between rounds the sandbox's clock runs on, or people would get more than 30 messages a minute. Not where its day must
 * stay ours, for the day's quota is hardly enough.
 */
const PAUSE_MS = 150_000

// Ending by a signal runs what stands at exit: the processes that were started end too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()

async function main(): Promise<number> {
  const began = Date.now()
  const database = values.db === 'sqlite' ? null : await provideMariadb({ private: true })
  if (values.db !== 'sqlite' && database === null) throw new Error('no MariaDB to be had')
  const url = database === null ? null : (await freshMysqlUrl(database.url)).url
  const settings = {
    ...(values.target === 'worker' && { workers: 2 }),
    ...(values.faults && { accounts: Math.ceil(((heads + BESIDE) * (rounds + 1)) / 200) }),
  }
  const stage = await openCrashStage({ databaseUrl: url, heads, rounds: rounds + 1, ...settings })
  try {
    const reports = await playRounds(stage, killerOf(stage, database))
    const events = values.faults ? await settledEvents(stage) : {}
    return tell(reports, events, Math.round((Date.now() - began) / 1000))
  } finally {
    await stage.close()
    await database?.stop()
  }
}

function killerOf(stage: CrashStage, database: Awaited<ReturnType<typeof provideMariadb>>): Killer {
  switch (values.target) {
    case 'database':
      return databaseKiller(stage, database)
    case 'worker':
      return workerKiller(stage)
    default:
      return serverKiller(stage)
  }
}

async function playRounds(stage: CrashStage, killer: Killer): Promise<RoundReport[]> {
  const calm = await crashRound(stage, '第 0 轮', killer, [], values.faults)
  if (!isClean(calm)) throw new Error(`broken without any kill: ${JSON.stringify(calm)}`)
  process.stderr.write(`a round without a kill takes ${calm.tookMs} ms\n`)
  /** A server that was killed takes up its work shortly before it answers. */
  const startup = () => stage.startMs * (0.6 + Math.random() * 0.4)
  const reports: RoundReport[] = []
  let tookMs = calm.tookMs
  for (let round = 1; round <= rounds; round += 1) {
    if (!values.faults) await control(`${stage.wecomUrl}/__ctl/clock`, { advanceMs: PAUSE_MS })
    // Making cards takes less time than pushing them: the first kill comes early more often than late.
    const delays = Array.from({ length: Math.ceil(Math.random() * Number(values.kills)) }, (_, kill) =>
      kill === 0 || values.target !== 'server' ? Math.random() ** 2 * tookMs : startup() + Math.random() * tookMs * 0.5,
    )
    const report = await crashRound(stage, `第 ${round} 轮`, killer, delays, values.faults)
    reports.push(report)
    tookMs = Math.min(tookMs, report.tookMs)
    const verdict = isClean(report) ? 'clean' : `BROKEN ${JSON.stringify(report)}`
    process.stderr.write(
      `${round}: killed ${report.moments.join(', ')}; repeats suppressed ${report.repeats}; ${verdict}\n`,
    )
  }
  return reports
}

function tell(reports: readonly RoundReport[], events: Readonly<Record<string, number>>, seconds: number): number {
  const sum = (value: (report: RoundReport) => number) => reports.reduce((total, report) => total + value(report), 0)
  const moments = addUp(reports.flatMap((report) => report.moments.map((moment) => ({ [moment]: 1 }))))
  const broken =
    reports.filter((report) => !isClean(report)).length + (events['failed'] ?? 0) + (events['received'] ?? 0)
  const figures = {
    rounds: reports.length,
    db: values.db,
    target: values.target,
    heads,
    faults: values.faults,
    kills: sum((report) => report.moments.length),
    moments,
    withoutCard: sum((report) => report.withoutCard),
    withSeveralCards: sum((report) => report.withSeveralCards),
    withoutMessage: sum((report) => report.withoutMessage),
    withSeveralMessages: sum((report) => report.withSeveralMessages),
    repeatsSuppressed: sum((report) => report.repeats),
    pending: sum((report) => report.pending),
    failed: sum((report) => report.failed),
    stray: sum((report) => report.stray),
    dropped: sum((report) => report.dropped),
    overLimit: sum((report) => report.overLimit),
    events,
    troubles: addUp(reports.map((report) => report.troubles)),
    booksBalanced: reports.every((report) => report.findings.length === 0),
    broken,
    seconds,
  }
  console.log(JSON.stringify(figures, null, values.json ? undefined : 2))
  return broken === 0 ? 0 : 1
}

function addUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const [name, count] of counts.flatMap((one) => Object.entries(one))) total[name] = (total[name] ?? 0) + count
  return total
}
