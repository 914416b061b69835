import { expect, test } from 'vitest'
import { onBothDatabases } from '../testing/databases.ts'
import { claim, enqueue, finish, giveBack, LEASE_MS, sweep } from './outbox.ts'
import { sql } from './sql.ts'

onBothDatabases('outbox', (database) => {
  const fill = (count: number) =>
    database.tx((tx) =>
      enqueue(
        tx,
        Array.from({ length: count }, (_, i) => ({ kind: 'demo', key: `job-${i}`, args: { i } })),
      ),
    )

  test('eight workers at once take each job exactly once', async () => {
    await fill(400)
    const seen: string[] = []
    const worker = async () => {
      for (let idle = 0; idle < 5;) {
        const jobs = await database.tx((tx) => claim(tx, 'small', 10))
        if (jobs.length === 0) idle += 1
        for (const job of jobs) {
          seen.push(job.id)
          expect(await database.tx((tx) => finish(tx, job))).toBe(true)
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(seen).toHaveLength(400)
    expect(new Set(seen).size).toBe(400)
  })

  test('a key enqueues once, and a rolled-back cause leaves no job', async () => {
    await fill(3)
    await fill(3)
    const broken = database.tx(async (tx) => {
      await enqueue(tx, [{ kind: 'demo', key: 'never', args: {} }])
      throw new Error('rolled back')
    })
    await expect(broken).rejects.toThrow('rolled back')
    expect(await database.tx((tx) => sql(tx.em, 'select id from job'))).toHaveLength(3)
  })

  test('a lease that ran out goes to another worker, and the first cannot finish it any more', async () => {
    await fill(1)
    const [first] = await database.tx((tx) => claim(tx, 'small', 1))
    const later = (ms: number) => ({ now: () => Date.now() + ms })
    expect(await database.tx((tx) => sweep({ ...tx, clock: later(LEASE_MS - 1000) }))).toBe(0)
    expect(await database.tx((tx) => sweep({ ...tx, clock: later(LEASE_MS + 1000) }))).toBe(1)
    const [second] = await database.tx((tx) => claim(tx, 'small', 1))
    expect(second?.id).toBe(first?.id)
    expect(await database.tx((tx) => finish(tx, first!))).toBe(false)
    expect(await database.tx((tx) => finish(tx, second!))).toBe(true)
  })

  test('a failed job waits, then comes back, and dies after its last attempt', async () => {
    await fill(1)
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      const [job] = await database.tx((tx) =>
        claim({ ...tx, clock: { now: () => Date.now() + attempt * 120_000 } }, 'small', 1),
      )
      expect(job?.attempts).toBe(attempt)
      await database.tx((tx) => giveBack({ ...tx, clock: { now: () => Date.now() + attempt * 120_000 } }, job!, 'boom'))
    }
    const rows = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from job'))
    expect(rows).toEqual([{ state: 'dead' }])
  })
})
