/**
 * npm run prove [-- --json]
 * Proves the books of DATABASE_URL, or of the SQLite file of a plain start: stored balances against postings, and the
 * ledger by itself. Writes nothing, except that an older schema is brought up to date first, as at every start.
 * Exit code 1 when something does not add up, 2 when there is nothing to look at.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../server/db/orm.ts'
import type { Tx } from '../server/kernel/context.ts'
import { silentLog } from '../server/kernel/log.ts'
import { systemClock } from '../server/kernel/outbox.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'

const url = process.env['DATABASE_URL'] || join(process.env['FULIKA_DATA_DIR'] || 'data', 'fulika.sqlite')
const json = process.argv.includes('--json')
/** A proof opens nothing that is sealed and makes nothing that needs an id. */
const none = (): never => {
  throw new Error('the proof asked for more than the rows')
}
const onlyReading: Omit<Tx, 'em'> = {
  actor: { kind: 'system', name: 'prove' },
  clock: systemClock,
  random: randomBytes,
  log: silentLog(),
  house: new Proxy({} as Tx['house'], { get: none }),
  newId: none,
}
process.exitCode = await prove()

async function prove(): Promise<number> {
  if (!url.startsWith('mysql:') && !existsSync(url)) {
    console.error(`no database at ${url}; set DATABASE_URL, or start the product once`)
    return 2
  }
  const store = await openStore(url)
  try {
    const findings = await store.read((em) => proveBooks({ ...onlyReading, em }))
    if (json) console.log(JSON.stringify({ booksBalanced: findings.length === 0, findings }))
    else {
      for (const { rule, subject, detail } of findings) console.log(`${rule}: ${subject}: ${detail}`)
      console.log(findings.length === 0 ? 'the books balance' : `${findings.length} findings`)
    }
    return findings.length === 0 ? 0 : 1
  } finally {
    await store.close()
  }
}
