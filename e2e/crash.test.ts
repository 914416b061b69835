import { describe, expect, test } from 'vitest'
import { provideMariadb } from '../scripts/mariadb.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { crashRound, databaseKiller, isClean, serverKiller, workerKiller, type RoundReport } from './crash-round.ts'
import { openCrashStage } from './crash-stage.ts'
import { settledEvents } from './crash-trouble.ts'
import { dialectsHere } from './stage.ts'

const clean = (round: RoundReport) => expect(round).toSatisfy(isClean)

// A sample of `npm run crash`: the full number of rounds is recorded in bench/RESULTS.md.
describe.each(dialectsHere())('kill -9 of the server (%s)', (dialect) => {
  test('while cards are made and pushed: one card and one message each, and the books tie', async () => {
    const server = process.env['TEST_MYSQL_URL'] ?? ''
    const mysql = dialect === 'mysql' ? await freshMysqlUrl(server) : null
    const stage = await openCrashStage({ databaseUrl: mysql?.url ?? null, heads: 1500, rounds: 3 })
    try {
      const after = () => stage.startMs * 0.7 + Math.random() * 800
      clean(await crashRound(stage, '不停', serverKiller(stage), []))
      clean(await crashRound(stage, '停一次', serverKiller(stage), [Math.random() * 400]))
      clean(await crashRound(stage, '停三次', serverKiller(stage), [30, after(), after()]))
    } finally {
      await stage.close()
      await mysql?.drop()
    }
  })
})

describe.each(dialectsHere())('kill -9 of the sender while everything else goes wrong (%s)', (dialect) => {
  test('tokens end, callbacks are lost, doubled and late: one message each, and nobody over a limit', async () => {
    const mysql = dialect === 'mysql' ? await freshMysqlUrl(process.env['TEST_MYSQL_URL'] ?? '') : null
    const heads = 1500
    const rounds = 2
    const stage = await openCrashStage({
      databaseUrl: mysql?.url ?? null,
      heads,
      rounds,
      ...(mysql !== null && { workers: 2 }),
      // Hardly more than the rounds need: whoever counts somebody twice has nothing left in the end.
      accounts: Math.ceil((rounds * (heads + 10)) / 200),
    })
    const killer = mysql === null ? serverKiller(stage) : workerKiller(stage)
    try {
      clean(await crashRound(stage, '全乱', killer, [Math.random() * 400], true))
      clean(await crashRound(stage, '再乱', killer, [Math.random() * 400, stage.startMs + Math.random() * 400], true))
      const events = await settledEvents(stage)
      expect(events).not.toHaveProperty('failed')
      expect(events).not.toHaveProperty('received')
    } finally {
      await stage.close()
      await mysql?.drop()
    }
  })
})

describe.runIf(dialectsHere().includes('mysql'))('kill -9 of MariaDB', () => {
  test('the server lives on: one card and one message each, and the books tie', async () => {
    const database = await provideMariadb({ private: true })
    if (database === null) throw new Error('no private MariaDB to kill')
    const { url } = await freshMysqlUrl(database.url)
    const stage = await openCrashStage({ databaseUrl: url, heads: 1500, rounds: 2 })
    const killer = databaseKiller(stage, database)
    try {
      clean(await crashRound(stage, '库停一次', killer, [Math.random() * 300]))
      clean(await crashRound(stage, '库停两次', killer, [20, Math.random() * 500]))
    } finally {
      await stage.close()
      await database.stop()
    }
  })
})
