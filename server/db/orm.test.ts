import { expect, test } from 'vitest'
import { onBothDatabases } from '../testing/databases.ts'
import { readDifference } from './difference.ts'
import { sql } from '../kernel/sql.ts'
import { idSource } from '../kernel/new-ids.ts'

onBothDatabases('two scopes', (database) => {
  test('a transaction inside a transaction throws on SQLite instead of waiting for ever', async () => {
    if (database.dialect !== 'sqlite') return
    await expect(database.tx(() => database.tx(() => Promise.resolve(1)))).rejects.toThrow('inside a transaction')
  })

  test('one transaction after the other leaves room for requests and timers', async () => {
    let ticks = 0
    const timer = setInterval(() => (ticks += 1), 1)
    const until = Date.now() + 200
    while (Date.now() < until) await database.tx((tx) => sql(tx.em, 'select 1'))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(2)
  })

  test('the migrations leave no difference to the tables', async () => {
    expect(await readDifference(database.store)).toEqual([])
  })
})

test('ids never repeat while the clock is stepped back and forth', () => {
  let now = Date.now()
  const newId = idSource(5, { now: () => now })
  const ids: string[] = []
  for (let step = 0; step < 200; step += 1) {
    now += step % 3 === 0 ? -5000 : 1700
    for (let i = 0; i < 500; i += 1) ids.push(newId('card'))
  }
  expect(new Set(ids).size).toBe(100_000)
  expect([...ids].sort()).toEqual(ids)
})
