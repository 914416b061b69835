import { expect, test } from 'vitest'
import { fen, type Fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { isCardNumber } from '../card/rules.ts'
import { createBrand } from '../catalog/create-template.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { placeOrder } from '../order/place-order.ts'
import { secureFunds } from '../order/secure-funds.ts'
import { issueOrder } from './issue-order.ts'

const FACE = fen(30_000)

/** Issuing calls nobody outside: whoever reaches for a port fails the test. */
const noPorts = new Proxy({} as Ports, {
  get: (_ports, name) => {
    throw new Error(`issuing asked for the port ${String(name)}`)
  },
})

/** An order of `heads` people, every third of them for the second brand. */
async function place(database: TestDatabase, heads: number): Promise<Id<'order'>> {
  return database.tx(async (tx) => {
    const versions: Id<'templateVersion'>[] = []
    for (const [name, issuerPrefix] of [
      ['青禾', '6230'],
      ['山茶', '6231'],
    ] as const) {
      const brandId = await createBrand(tx, { name, issuerPrefix })
      versions.push(await aTemplate(tx, brandId, { name: `${name}卡` }))
    }
    const items = Array.from({ length: heads }, (_, i) => ({
      holderId: encodeId('person', BigInt(i)),
      templateVersionId: versions[i % 3 === 2 ? 1 : 0]!,
      faceFen: FACE,
      priceFen: FACE,
    }))
    return placeOrder(tx, { companyId: encodeId('company', 1n), items })
  })
}

const pay = (database: TestDatabase, orderId: Id<'order'>, amount: Fen) =>
  database.tx(async (tx) => {
    const lines = [debit(account.custodyBank('main'), amount), credit(account.orderFunds(orderId), amount)]
    await post(tx, [{ kind: 'funds_received', ref: orderId, lines }])
    await secureFunds(tx, orderId, amount)
  })

async function placeFunded(database: TestDatabase, heads: number): Promise<Id<'order'>> {
  const orderId = await place(database, heads)
  await pay(database, orderId, fen(heads * FACE))
  return orderId
}

const rows = <T>(database: TestDatabase, text: string) => database.tx((tx) => sql<T>(tx.em, text))

async function expectIssuedOnce(database: TestDatabase, heads: number): Promise<void> {
  const cards = await rows<{ number: string; order_item_id: string }>(
    database,
    'select number, order_item_id from card',
  )
  expect(cards).toHaveLength(heads)
  expect(new Set(cards.map((card) => card.order_item_id)).size).toBe(heads)
  expect(new Set(cards.map((card) => card.number)).size).toBe(heads)
  expect(cards.every((card) => isCardNumber(card.number))).toBe(true)
  const delivers = await rows(database, "select id from job where kind = 'cards.deliver'")
  expect(delivers).toHaveLength(Math.ceil(heads / 1000))
  expect(await rows(database, 'select state from orders')).toEqual([{ state: 'issued' }])
}

const continuations = (database: TestDatabase, orderId: Id<'order'>) =>
  rows<{ job_key: string }>(database, `select job_key from job where job_key like 'order.issue:${orderId}:%'`)

/** An edge whose process "dies" at its nth transaction: that one and all later ones fail. */
function dyingAt(edge: Edge, nth: number): Edge {
  let count = 0
  return {
    ...edge,
    tx: (work) =>
      edge.tx(async (tx) => {
        const result = await work(tx)
        count += 1
        if (count >= nth) throw new Error('killed before the commit')
        return result
      }),
  }
}

onBothDatabases('issuing a whole order', (database) => {
  test('a funded order of two brands gets all its cards; a repeat makes none and reserves nothing', async () => {
    const orderId = await placeFunded(database, 3200)
    await issueOrder(database.edge(noPorts), orderId)
    await expectIssuedOnce(database, 3200)
    const reserved = await rows(database, 'select * from counter order by name')
    await issueOrder(database.edge(noPorts), orderId)
    await expectIssuedOnce(database, 3200)
    expect(await rows(database, 'select * from counter order by name')).toEqual(reserved)
  })

  test('an order that is not funded yet gets nothing, and all of it after the rest has come', async () => {
    const orderId = await place(database, 30)
    await pay(database, orderId, fen(29 * FACE))
    await issueOrder(database.edge(noPorts), orderId)
    expect(await rows(database, 'select id from card')).toEqual([])
    await pay(database, orderId, FACE)
    await issueOrder(database.edge(noPorts), orderId)
    await expectIssuedOnce(database, 30)
  })

  test('three workers at once make each card once', async () => {
    const orderId = await placeFunded(database, 4100)
    await Promise.all([1, 2, 3].map(() => issueOrder(database.edge(noPorts), orderId)))
    await expectIssuedOnce(database, 4100)
  })

  test('killed in any of its transactions, the next run finishes', async () => {
    const orderId = await placeFunded(database, 3500)
    for (let nth = 1; nth <= 6; nth += 1)
      await expect(issueOrder(dyingAt(database.edge(noPorts), nth), orderId)).rejects.toThrow('killed')
    await issueOrder(database.edge(noPorts), orderId)
    await expectIssuedOnce(database, 3500)
  })

  test('after 40 seconds the rest goes to another job, one for each next slice, and the chain ends', async () => {
    const orderId = await placeFunded(database, 5500)
    let asked = 0
    const slow = () => database.edge(noPorts, undefined, () => 1_800_000_000_000 + (asked += 1) * 15_000)
    await issueOrder(slow(), orderId)
    const first = await continuations(database, orderId)
    expect(first).toHaveLength(1)
    const made = await rows(database, 'select id from card')
    expect(made.length).toBeGreaterThan(0)
    expect(made.length).toBeLessThan(5500)
    let before = -1
    for (let runs = 1; before !== (await continuations(database, orderId)).length; runs += 1) {
      expect(runs).toBeLessThan(10)
      before = (await continuations(database, orderId)).length
      await issueOrder(slow(), orderId)
    }
    await expectIssuedOnce(database, 5500)
  })

  test('a small order takes no more numbers than it has cards', async () => {
    await issueOrder(database.edge(noPorts), await placeFunded(database, 2))
    expect(await rows(database, 'select next from counter')).toEqual([{ next: 2 }])
  })
})
