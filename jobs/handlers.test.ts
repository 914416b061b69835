import { expect, test } from 'vitest'
import { fen } from '../contract/fen.ts'
import { encodeId } from '../contract/ids.ts'
import type { Ports } from '../server/channels/ports.ts'
import { enqueue } from '../server/kernel/outbox.ts'
import { once } from '../server/kernel/once.ts'
import { sql } from '../server/kernel/sql.ts'
import { addOrderItems, beginOrder, completeOrder, placeOrder } from '../server/modules/order/place-order.ts'
import { onBothDatabases } from '../server/testing/databases.ts'
import { drain } from './drain.ts'
import { handlers } from './handlers.ts'
import { daily, everyTenMinutes, hourly, onceForAll } from './schedule.ts'

const DAY_MS = 86_400_000
const noPorts = {} as Ports
const item = {
  holderId: encodeId('person', 1n),
  templateVersionId: encodeId('templateVersion', 1n),
  faceFen: fen(10_000),
  priceFen: fen(10_000),
}

onBothDatabases('daily jobs', (database) => {
  /** Does the work of a day, `aheadMs` from now. */
  async function aDay(aheadMs: number): Promise<void> {
    const edge = database.edge(noPorts, undefined, () => Date.now() + aheadMs)
    const jobs = daily.map(({ kind }) => ({ kind, key: `${kind}:${aheadMs}`, args: {} }))
    await edge.tx((tx) => enqueue(tx, jobs))
    await drain(edge, handlers)
  }
  const statesOf = () =>
    database.tx((tx) => sql<{ id: string; state: string }>(tx.em, 'select id, state from orders order by id'))

  test('each has a handler and ends, also where there is nothing to do', async () => {
    const named = [...daily, ...hourly, ...everyTenMinutes].map(({ kind }) => String(kind))
    expect([...named, ...onceForAll].filter((kind) => !(kind in handlers))).toEqual([])
    await aDay(0)
    const jobs = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from job'))
    expect(jobs.map((job) => job.state)).toEqual(daily.map(() => 'done'))
  })

  test('orders whose writing was stopped are cancelled after a day, all of them; others are left alone', async () => {
    const placed = await database.tx((tx) => placeOrder(tx, { companyId: null, items: [item] }))
    const stopped = await database.tx(async (tx) => {
      const ids = []
      for (let i = 0; i < 120; i += 1) ids.push(await beginOrder(tx, null))
      await addOrderItems(tx, ids[0]!, 0, [item])
      return ids
    })
    await aDay(DAY_MS - 60_000)
    expect((await statesOf()).filter((order) => order.state === 'placing')).toHaveLength(120)
    await aDay(DAY_MS + 60_000)
    expect(await statesOf()).toEqual([
      { id: placed, state: 'awaiting_funds' },
      ...stopped.map((id) => ({ id, state: 'cancelled' })),
    ])
    const late = { itemCount: 1, totalFen: fen(10_000) }
    expect(await database.tx((tx) => completeOrder(tx, stopped[0]!, late))).toBe(false)
  })

  test('states of sign-ins are forgotten, thousands of them', async () => {
    await database.tx(async (tx) => {
      for (let i = 0; i < 1_001; i += 1) await once(tx, 'sign-in', `s${i}`, {}, async () => null)
    })
    await aDay(2 * 3_600_000)
    expect(await database.tx((tx) => sql(tx.em, "select 1 from once_key where scope = 'sign-in'"))).toEqual([])
  })
})
