import { expect, test } from 'vitest'
import { onBothDatabases } from '../../testing/databases.ts'
import { race, racingPairs } from '../../testing/racing.ts'

/** A sample of `npm run race`. */
const ROUNDS = 50

onBothDatabases('a refund races', (database) => {
  for (const pair of racingPairs)
    test(`${pair}: never both`, async () => {
      const report = await race(database, pair, ROUNDS)
      expect(report.violations).toEqual([])
      expect(report.refundWon).toBeGreaterThan(0)
      expect(report.otherWon).toBeGreaterThan(0)
    })
})
