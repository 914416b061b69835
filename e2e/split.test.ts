import { describe, expect, test } from 'vitest'
import { sql } from '../server/kernel/sql.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { crashRound, isClean, type Killer } from './crash-round.ts'
import { beside, endLeases, openCrashStage } from './crash-stage.ts'
import { dialectsHere } from './stage.ts'

describe.runIf(dialectsHere().includes('mysql'))('one web process and two workers on MariaDB', () => {
  test('share the work; a worker that is killed, or told to stop, leaves nothing undone and nothing done twice', async () => {
    const mysql = await freshMysqlUrl(process.env['TEST_MYSQL_URL'] ?? '')
    const stage = await openCrashStage({ databaseUrl: mysql.url, heads: 3000, rounds: 3, workers: 2 })
    try {
      const { worker } = stage
      if (worker === null) throw new Error('no worker of its own')
      const killed: Killer = {
        // The other worker's leases are ended as well: it works on beside whoever takes its jobs.
        kill: async () => {
          await worker.kill()
          await endLeases(stage)
        },
        revive: () => worker.restart(),
      }
      const stopped: Killer = { kill: () => worker.end(), revive: () => worker.restart() }
      expect(await crashRound(stage, '两个一起', killed, [])).toSatisfy(isClean)
      expect(await crashRound(stage, '杀掉一个', killed, [100 + Math.random() * 400])).toSatisfy(isClean)
      expect(await crashRound(stage, '停下一个', stopped, [100 + Math.random() * 400])).toSatisfy(isClean)
      const numbers = await beside(stage, (tx) =>
        sql<{ n: unknown }>(tx.em, 'select count(*) as n from worker where lease_until_ms > ?', [Date.now()]),
      )
      expect(Number(numbers[0]?.n)).toBeGreaterThanOrEqual(3)
    } finally {
      await stage.close()
      await mysql.drop()
    }
  })
})
