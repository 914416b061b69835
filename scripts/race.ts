/**
 * npm run race -- [--rounds N] [--pair refund-unlock|refund-hold|refund-split] [--db mysql|sqlite] [--json]
 * Races a refund against the end of cooling-off, against a shop's hold, and against sharing: many cards at once on MariaDB,
 * both orders on SQLite. The last line sums up; exit code 1 when both ever won, or the books do not add up.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { freshMysqlUrl, openTestDatabase } from '../server/testing/databases.ts'
import { race, racingPairs, type RaceReport } from '../server/testing/racing.ts'
import { provideMariadb } from './mariadb.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    pair: { type: 'string' },
    db: { type: 'string', default: 'mysql' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const pairs = racingPairs.filter((pair) => values.pair === undefined || pair === values.pair)
if (pairs.length === 0 || !Number.isSafeInteger(rounds) || rounds < 1)
  throw new Error('usage: npm run race -- --rounds N')
process.exitCode = await main()

async function main(): Promise<number> {
  const mariadb = values.db === 'sqlite' ? null : await provideMariadb()
  if (values.db !== 'sqlite' && !mariadb) throw new Error('no MariaDB to be had')
  const fresh = mariadb ? await freshMysqlUrl(mariadb.url) : null
  const url = fresh?.url ?? join(mkdtempSync(join(tmpdir(), 'fulika-race-')), 'race.sqlite')
  const database = await openTestDatabase(fresh ? 'mysql' : 'sqlite', url)
  const reports: (RaceReport & { readonly seconds: number })[] = []
  try {
    for (const pair of pairs) {
      const began = Date.now()
      const report = await race(database, pair, rounds)
      reports.push({ ...report, seconds: Math.round((Date.now() - began) / 100) / 10 })
      if (!values.json) console.log(line(reports.at(-1)!))
    }
    const findings = await database.tx(proveBooks)
    const violations = reports.flatMap((report) => report.violations)
    for (const text of violations.slice(0, 20)) console.error(text)
    for (const finding of findings.slice(0, 20)) console.error(JSON.stringify(finding))
    const told = reports.map((report) => ({ ...report, violations: report.violations.length }))
    if (values.json)
      console.log(
        JSON.stringify({ db: values.db, pairs: told, violations: violations.length, findings: findings.length }),
      )
    else console.log(`${violations.length} violations, ${findings.length} findings in the books`)
    return violations.length + findings.length === 0 ? 0 : 1
  } finally {
    await database.store.close()
    await fresh?.drop()
    await mariadb?.stop()
  }
}

function line({
  pair,
  rounds: played,
  refundWon,
  otherWon,
  violations,
  seconds,
}: RaceReport & { readonly seconds: number }): string {
  return `${pair}: ${played} rounds in ${seconds} s, the refund first ${refundWon}, the other ${otherWon}, violations ${violations.length}`
}
