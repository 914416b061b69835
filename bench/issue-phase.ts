/**
 * The phases of `bench -- issue`, each a process of its own:
 *   place URL CARDS    companies' orders, approved and paid
 *   issue URL          their cards, through the service
 *   check URL          independent counts and the proof of the books
 */
import { performance } from 'node:perf_hooks'
import { fen, type Fen } from '../contract/fen.ts'
import { encodeId, type Id } from '../contract/ids.ts'
import { limits } from '../contract/limits.ts'
import type { Edge, Tx } from '../server/kernel/context.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { createBrand } from '../server/modules/catalog/create-template.ts'
import { issueOrder } from '../server/modules/issuance/issue-order.ts'
import { account } from '../server/modules/ledger/accounts.ts'
import { credit, debit, post } from '../server/modules/ledger/post.ts'
import { addOrderItems, beginOrder, completeOrder } from '../server/modules/order/place-order.ts'
import { secureFunds } from '../server/modules/order/secure-funds.ts'
import { aTemplate } from '../server/testing/cards.ts'
import { openBench } from './bench-house.ts'
import { answer, peakRssMiB } from './phases.ts'

const FACE = fen(50_000)
const PRICE = fen(48_000)
/** Orders worked on at once, as by the hands of a job runner; each makes two slices side by side. */
const WORKERS = 1

async function place(edge: Edge, cards: number): Promise<void> {
  const templateVersionId = await edge.tx(async (tx) =>
    aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6230' })),
  )
  for (let done = 0; done < cards; done += limits.itemsPerOrder)
    await placeOne(edge, done, Math.min(limits.itemsPerOrder, cards - done), templateVersionId)
}

async function placeOne(
  edge: Edge,
  firstPerson: number,
  heads: number,
  templateVersionId: Id<'templateVersion'>,
): Promise<void> {
  const orderId = await edge.tx((tx) => beginOrder(tx, encodeId('company', 1n)))
  for (let from = 0; from < heads; from += limits.cardsPerSlice) {
    const items = Array.from({ length: Math.min(limits.cardsPerSlice, heads - from) }, (_, index) => ({
      holderId: encodeId('person', BigInt(firstPerson + from + index)),
      templateVersionId,
      faceFen: FACE,
      priceFen: PRICE,
    }))
    await edge.tx((tx) => addOrderItems(tx, orderId, from, items))
  }
  const totalFen = fen(heads * PRICE)
  await edge.tx((tx) => completeOrder(tx, orderId, { itemCount: heads, totalFen }))
  await edge.tx((tx) => pay(tx, orderId, totalFen))
}

async function pay(tx: Tx, orderId: Id<'order'>, amount: Fen): Promise<void> {
  const lines = [debit(account.custodyBank('main'), amount), credit(account.orderFunds(orderId), amount)]
  await post(tx, [{ kind: 'funds_received', ref: orderId, lines }])
  if (!(await secureFunds(tx, orderId, amount))) throw new Error('the order took no money')
}

async function issue(edge: Edge): Promise<object> {
  const funded = () =>
    edge.read((tx) => sql<{ id: Id<'order'> }>(tx.em, "select id from orders where state = 'funded'"))
  const waiting = (await funded()).map((row) => row.id)
  const sliceMs: number[] = []
  const watched = watchSlices(edge, sliceMs)
  const rss: number[] = []
  const sampling = setInterval(() => rss.push(Math.round(process.memoryUsage.rss() / 1_048_576)), 1000)
  const cpu = process.cpuUsage()
  const began = performance.now()
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (let order = waiting.shift(); order; order = waiting.shift()) await issueToItsEnd(watched, order)
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const used = process.cpuUsage(cpu)
  clearInterval(sampling)
  sliceMs.sort((a, b) => a - b)
  const p99SliceMs = sliceMs[Math.ceil(sliceMs.length * 0.99) - 1] ?? 0
  const cpuSeconds = (used.user + used.system) / 1e6
  return { seconds, cpuSeconds, p99SliceMs, slices: sliceMs.length, rssMiB: rss, peakRssMiB: peakRssMiB() }
}

/** The job hands the rest of a long order to a next job; here the same worker takes that one too. */
async function issueToItsEnd(edge: Edge, orderId: Id<'order'>): Promise<void> {
  for (let state = ''; state !== 'issued';) {
    await issueOrder(edge, orderId)
    const [order] = await edge.read((tx) =>
      sql<{ state: string }>(tx.em, 'select state from orders where id = ?', [orderId]),
    )
    state = order?.state ?? 'gone'
    if (state !== 'issuing' && state !== 'issued') throw new Error(`order ${orderId} is ${state}`)
  }
}

/** The same edge, writing down how long each transaction that made cards took. */
function watchSlices(edge: Edge, sliceMs: number[]): Edge {
  return {
    ...edge,
    tx: async (work) => {
      const began = performance.now()
      let makesCards = false
      const result = await edge.tx((tx) =>
        work({
          ...tx,
          newId: (kind) => {
            if (kind === 'card') makesCards = true
            return tx.newId(kind)
          },
        }),
      )
      if (makesCards) sliceMs.push(performance.now() - began)
      return result
    },
  }
}

async function check(edge: Edge): Promise<object> {
  const [counted] = await edge.read((tx) =>
    sql<Record<string, unknown>>(
      tx.em,
      'select count(*) as cards, count(distinct order_item_id) as items, count(distinct number) as numbers, count(distinct secret_index) as secrets from card',
    ),
  )
  const findings = await edge.read(proveBooks)
  const numbers = Object.fromEntries(Object.entries(counted ?? {}).map(([name, value]) => [name, Number(value)]))
  return { ...numbers, findings }
}

const [phase, url = '', cards = '0'] = process.argv.slice(2)
const { store, edge } = await openBench(url, ['place', 'issue', 'check'].indexOf(phase ?? '') + 1)
if (phase === 'place') {
  await place(edge, Number(cards))
  answer({ placed: Number(cards) })
} else if (phase === 'issue') answer(await issue(edge))
else if (phase === 'check') answer(await check(edge))
else throw new Error(`no such phase: ${phase}`)
await store.close()
