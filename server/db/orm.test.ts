import { readdirSync } from 'node:fs'
import { join } from 'node:path'
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

  test('a statement that is kept ready reads the schema as it stands and forgets what it was asked before', async () => {
    const ask = (values: unknown[]) =>
      database.store.read((em) => sql(em, 'select * from changing where a > ?', values))
    await database.tx((tx) => sql(tx.em, 'create table changing (a int)'))
    await database.tx((tx) => sql(tx.em, 'insert into changing values (1)'))
    expect(await ask([0])).toEqual([{ a: 1 }])
    await database.tx((tx) => sql(tx.em, 'alter table changing add column b int default 7'))
    expect(await Promise.all([ask([0]), ask([1]), ask([0])])).toEqual([[{ a: 1, b: 7 }], [], [{ a: 1, b: 7 }]])
    await database.tx((tx) => sql(tx.em, 'drop table changing'))
    await expect(ask([0])).rejects.toThrow(/changing/)
  })

  test('a transaction sees what others have committed meanwhile, on every connection of the pool', async () => {
    // On SQLite nobody else writes meanwhile: there is one writer.
    if (database.dialect !== 'mysql') return
    await database.tx((tx) => sql(tx.em, 'create table seen (a int)'))
    const both = Array.from({ length: 4 }, () =>
      database.tx(async (tx) => {
        const before = await sql(tx.em, 'select a from seen')
        await database.store.read((em) => sql(em, 'insert into seen values (1)'))
        return (await sql(tx.em, 'select a from seen')).length - before.length
      }),
    )
    for (const more of await Promise.all(both)) expect(more).toBeGreaterThan(0)
    await database.tx((tx) => sql(tx.em, 'drop table seen'))
  })

  test('the migrations leave no difference to the tables', async () => {
    expect(await readDifference(database.store)).toEqual([])
  })
})

test('migrations are numbered without a gap or a clash, alike for both databases', () => {
  const [sqlite, mysql] = ['sqlite', 'mysql'].map((dialect) =>
    readdirSync(join(import.meta.dirname, 'migrations', dialect)).sort(),
  )
  expect(mysql).toEqual(sqlite)
  const numbers = sqlite!.map((name) => name.slice(0, 4))
  expect(numbers).toEqual(numbers.map((_, index) => String(index + 1).padStart(4, '0')))
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
