/**
 * npm run race -- [--rounds N] [--pair NAME] [--db mysql|sqlite]
 * Races a refund against the end of cooling-off, against sharing, and against a shop's hold (refund-unlock, refund-split,
 * refund-hold); a gift against its ends (friend-friend, claim-withdraw, claim-return, refund-offer, refund-reveal); and every
 * two of what is done to a card (hold-gift, claim-claim …): many cards at once on MariaDB, both orders and all phases on
 * SQLite. One line of JSON a pair. Exit code 1 when both ever won, when an end was none that one before the other has, when
 * anything else was wrong, or when the books do not balance; what it was goes to stderr.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { freshMysqlUrl, openTestDatabase, type TestDatabase } from '../server/testing/databases.ts'
import { cardPairs, openCardStage, raceCards, type CardRaceReport } from '../server/testing/racing/card-matrix.ts'
import { race, racingPairs, type PairName, type RaceReport } from '../server/testing/racing/race.ts'
import { provideMariadb } from './mariadb.ts'

const MOST_TOLD = 20
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    pair: { type: 'string' },
    db: { type: 'string', default: 'mysql' },
  },
})
const interleavings = Number(values.rounds)
const wanted = (name: string): boolean => values.pair === undefined || name === values.pair
const names = (Object.keys(racingPairs) as PairName[]).filter(wanted)
const pairs = cardPairs.filter((pair) => wanted(pair.join('-')))
const db = values.db
if (
  names.length + pairs.length === 0 ||
  !Number.isSafeInteger(interleavings) ||
  interleavings < 1 ||
  (db !== 'mysql' && db !== 'sqlite')
)
  throw new Error('usage: npm run race -- [--rounds N] [--pair NAME] [--db mysql|sqlite]')
let failed = false
for (const name of names) failed = !(await racePair(name, (database) => race(database, name, interleavings))) || failed
for (const pair of pairs) {
  const raced = async (database: TestDatabase) => raceCards(await openCardStage(database), pair, interleavings)
  failed = !(await racePair(pair.join('-'), raced)) || failed
}
process.exitCode = failed ? 1 : 0

/** Races a pair on a database of its own; false where anything was wrong. */
async function racePair(
  pair: string,
  raced: (database: TestDatabase) => Promise<RaceReport | CardRaceReport>,
): Promise<boolean> {
  const { url, drop } = db === 'mysql' ? await mysqlUrl() : sqliteUrl()
  const database = await openTestDatabase(db as 'mysql' | 'sqlite', url)
  try {
    const began = Date.now()
    const { wrong, ...told } = await raced(database)
    const findings = await database.tx(proveBooks)
    const seconds = Math.round((Date.now() - began) / 100) / 10
    console.log(JSON.stringify({ pair, db, ...told, booksBalanced: findings.length === 0, seconds }))
    for (const text of wrong.slice(0, MOST_TOLD)) console.error(text)
    for (const finding of findings.slice(0, MOST_TOLD)) console.error(JSON.stringify(finding))
    return ('both' in told ? told.both : 0) + wrong.length + findings.length === 0
  } finally {
    await database.store.close()
    await drop()
  }
}

async function mysqlUrl(): Promise<{ url: string; drop: () => Promise<void> }> {
  const mariadb = await provideMariadb({ scratch: true })
  if (!mariadb) throw new Error('no MariaDB to be had')
  const { url, drop } = await freshMysqlUrl(mariadb.url)
  return {
    url,
    drop: async () => {
      await drop()
      await mariadb.stop()
    },
  }
}

function sqliteUrl(): { url: string; drop: () => Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-race-'))
  return { url: join(folder, 'race.sqlite'), drop: async () => rmSync(folder, { recursive: true }) }
}
