import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId } from '../../../contract/ids.ts'
import { sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { cancelOrder } from './cancel-order.ts'
import { addOrderItems, beginOrder, completeOrder, placeOrder, type NewItem } from './place-order.ts'
import { readOrder, readPrices } from './read-order.ts'
import { secureFunds } from './secure-funds.ts'

const item = (index: number): NewItem => ({
  holderId: encodeId('person', BigInt(index)),
  templateVersionId: encodeId('templateVersion', 1n),
  faceFen: fen(10_000),
  priceFen: fen(9_500),
})
const items = (from: number, count: number) => Array.from({ length: count }, (_, index) => item(from + index))

onBothDatabases('placing an order', (database) => {
  test('slices are written once by two writers at once, and the order takes money only when it is complete', async () => {
    const orderId = await database.tx((tx) => beginOrder(tx, null))
    const add = (from: number) => database.tx((tx) => addOrderItems(tx, orderId, from, items(from, 1000)))
    expect((await Promise.all([add(0), add(0), add(0)])).filter(Boolean)).toHaveLength(1)
    expect(await add(2000)).toBe(false)
    expect(await database.tx((tx) => secureFunds(tx, orderId, fen(1)))).toBe(false)
    expect(await add(1000)).toBe(true)
    const complete = (itemCount: number, totalFen: number) =>
      database.tx((tx) => completeOrder(tx, orderId, { itemCount, totalFen: fen(totalFen) }))
    await expect(complete(3000, 28_500_000)).rejects.toThrow('2000 items')
    await expect(complete(2000, 18_999_999)).rejects.toThrow('19000000 fen')
    expect((await Promise.all([complete(2000, 19_000_000), complete(2000, 19_000_000)])).sort()).toEqual([false, true])
    expect(await database.tx((tx) => readOrder(tx, orderId))).toMatchObject({
      state: 'awaiting_funds',
      itemCount: 2000,
      totalFen: 19_000_000,
    })
    expect(await add(2000)).toBe(false)
    const seqs = await database.tx((tx) => sql<{ seq: number }>(tx.em, 'select seq from order_item order by seq'))
    expect(seqs.map((row) => Number(row.seq))).toEqual(Array.from({ length: 2000 }, (_, index) => index))
    expect(await database.tx((tx) => sql(tx.em, 'select id from order_slice'))).toHaveLength(2)
  })

  test('an order without items, and a slice of none or too many, are refused', async () => {
    await expect(database.tx((tx) => placeOrder(tx, { companyId: null, items: [] }))).rejects.toThrow(RangeError)
    const orderId = await database.tx((tx) => beginOrder(tx, null))
    for (const count of [0, 1001])
      await expect(database.tx((tx) => addOrderItems(tx, orderId, 0, items(0, count)))).rejects.toThrow(RangeError)
  })

  test('an order is cancelled once, before any money; money that came first keeps it', async () => {
    const place = () => database.tx((tx) => placeOrder(tx, { companyId: null, items: items(0, 3) }))
    const [empty, placing] = [await place(), await database.tx((tx) => beginOrder(tx, null))]
    for (const id of [empty, placing]) {
      expect(await database.tx((tx) => cancelOrder(tx, id))).toBe(true)
      expect(await database.tx((tx) => cancelOrder(tx, id))).toBe(false)
      expect(await database.tx((tx) => secureFunds(tx, id, fen(1)))).toBe(false)
    }
    expect(await database.tx((tx) => addOrderItems(tx, placing, 0, items(0, 1)))).toBe(false)
    expect(await database.tx((tx) => readPrices(tx, empty))).toMatchObject([{ priceFen: 28_500, items: 3 }])
  })
})
