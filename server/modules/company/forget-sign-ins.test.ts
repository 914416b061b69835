import { expect, test } from 'vitest'
import { once, useUp } from '../../kernel/once.ts'
import { sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { forgetSignIns } from './forget-sign-ins.ts'

onBothDatabases('forgetting sign-ins', (database) => {
  test('states that are over go, by the thousand; fresh ones and other keys stay', async () => {
    const old = { now: () => 1_000 }
    await database.tx(async (tx) => {
      for (let i = 0; i < 1_001; i += 1) await once({ ...tx, clock: old }, 'sign-in', `old${i}`, {}, async () => null)
      await once({ ...tx, clock: old }, 'payment', 'old', {}, async () => null)
      await once(tx, 'sign-in', 'fresh', {}, async () => null)
      const hoursAgo = (hours: number) => ({ ...tx, clock: { now: () => tx.clock.now() - hours * 3_600_000 } })
      await useUp(hoursAgo(26), 'first-sign-in', ['over'])
      await useUp(hoursAgo(24), 'first-sign-in', ['spent today'])
    })
    expect(await database.tx(forgetSignIns)).toBe(1_000)
    expect(await database.tx(forgetSignIns)).toBe(2)
    expect(await database.tx(forgetSignIns)).toBe(0)
    const left = await database.tx((tx) => sql(tx.em, 'select scope, once_key from once_key order by scope'))
    expect(left).toEqual([
      { scope: 'first-sign-in', once_key: 'spent today' },
      { scope: 'payment', once_key: 'old' },
      { scope: 'sign-in', once_key: 'fresh' },
    ])
  })
})
