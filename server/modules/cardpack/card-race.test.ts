import { expect, test } from 'vitest'
import { onBothDatabases } from '../../testing/databases.ts'
import { cardPairs, openCardStage, raceCards } from '../../testing/racing/card-matrix.ts'

/** A sample of `npm run race`: the numbers that count are in bench/RESULTS.md. */
const SAMPLE = 10

onBothDatabases('two who want something of one card at once', (database) => {
  test('end as if one had come before the other, whichever two they are', async () => {
    const stage = await openCardStage(database)
    expect(cardPairs).toHaveLength(53)
    for (const pair of cardPairs) {
      const { wrong, ...counted } = await raceCards(stage, pair, SAMPLE)
      expect(wrong).toEqual([])
      expect(counted.asFirst + counted.asSecond + counted.asEither).toBe(SAMPLE)
    }
  }, 240_000)
})
