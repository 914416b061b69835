/**
 * The storefront's shelf over HTTP in a process of its own for `bench -- shelf`, with buyers who take cards and an operator who
 * changes listings meanwhile. Answers each message of the parent: `cpu` with its processor time since the last, `alone` with how long
 * a bare query takes, `stop` by ending.
 */
import { randomInt } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { fen } from '../contract/fen.ts'
import { encodeId, type Id } from '../contract/ids.ts'
import { endpoint } from '../server/kernel/endpoint.ts'
import { AppError } from '../server/kernel/errors.ts'
import { createHttpApp, serve } from '../server/kernel/http.ts'
import { silentLog } from '../server/kernel/log.ts'
import { sql } from '../server/kernel/sql.ts'
import { placeSingleOrders } from '../server/modules/order/place-single-orders.ts'
import { changeListing } from '../server/modules/shelf/change-listing.ts'
import { factsOf } from '../server/modules/shelf/listing-rules.ts'
import { findListing } from '../server/modules/shelf/read-listing.ts'
import { storeShelfEndpoints } from '../server/modules/shelf/store-endpoints.ts'
import { takeOne } from '../server/testing/shelf.ts'
import { openBench } from './bench-house.ts'
import { FACE_FEN, searches } from './shelf-words.ts'

const TAKINGS_A_SECOND = 20
const { store, edge } = await openBench(process.argv[2] ?? '', 21)
const anybody = { kind: 'anybody' } as const
const hello = endpoint({
  method: 'GET',
  path: '/store/hello',
  may: 'public',
  scope: 'edge',
  input: z.object({}),
  output: z.object({ hello: z.string() }),
  run: async () => Promise.resolve({ hello: 'world' }),
})
const app = createHttpApp({
  endpoints: [...storeShelfEndpoints, hello],
  edgeFor: () => ({
    ...edge,
    actor: anybody,
    read: (work) => edge.read((tx) => work({ ...tx, actor: anybody })),
  }),
  authenticate: () => Promise.resolve(anybody),
  origins: [],
  log: silentLog(),
  trustProxy: false,
  rate: { points: 1_000_000_000, seconds: 60 },
})
const server = await serve(app, 0, '127.0.0.1')

const listings = await edge.read((tx) =>
  sql<{ id: Id<'listing'>; versionId: Id<'templateVersion'> }>(
    tx.em,
    'select id, template_version_id as versionId from listing',
  ),
)
const anyListing = () => listings[randomInt(listings.length)]!
let [taken, refused, changed] = [0, 0, 0]

async function buyAny(): Promise<void> {
  const { id: listingId, versionId } = anyListing()
  const buyerId = encodeId('buyer', BigInt(randomInt(1, 10_000)))
  const [faceFen, priceFen] = [fen(FACE_FEN), fen(FACE_FEN)]
  try {
    await edge.tx(async (tx) => {
      const item = { holderId: buyerId, templateVersionId: versionId, faceFen, priceFen, listingId }
      const orderId = tx.newId('order')
      await placeSingleOrders(tx, [{ id: orderId, buyerId, item }])
      await takeOne(tx, { listingId, versionId, faceFen, priceFen, buyerId, orderId })
    })
    taken += 1
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    refused += 1
  }
}

async function changeOne(): Promise<void> {
  await edge.tx(async (tx) => {
    const { version, templateVersionId, state, ...row } = (await findListing(tx, anyListing().id))!
    const facts = factsOf({ ...row, version, templateVersionId, state })
    const subtitle = `改于 ${new Date().toISOString()}`
    await changeListing(tx, { ...facts, subtitle, id: row.id, version, templateVersionId, state })
  })
  changed += 1
}
let isOpen = true
async function every(ms: number, work: () => Promise<void>): Promise<void> {
  while (isOpen) {
    await work()
    await sleep(ms)
  }
}
const working = [every(1000 / TAKINGS_A_SECOND, buyAny), every(1000, changeOne)]
let cpu = process.cpuUsage()

/** What the database alone needs for one page of a search: no facets, no total, nobody else's price. */
async function queryAlone(count: number): Promise<number[]> {
  const took: number[] = []
  for (let index = 0; index < count; index += 1) {
    const like = `%${searches[index % searches.length]!}%`
    const began = performance.now()
    await edge.read((tx) =>
      sql(
        tx.em,
        `select listing.id, listing.title, listing.stock, listing.taken from listing
          join template_version as sold on sold.id = listing.template_version_id
          where listing.state = 'on' and listing.search_text like ? order by sold.price_bp, listing.id limit 20`,
        [like],
      ),
    )
    took.push(performance.now() - began)
  }
  return took
}

/** Processor time of this process since it was asked before. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  return (user + system) / 1000
}

async function stop(): Promise<void> {
  isOpen = false
  await Promise.all(working)
  process.send?.({ taken, refused, changed, rssMiB: Math.round(process.memoryUsage().rss / 1024 ** 2) })
  await server.close(1_000)
  await store.close()
  process.exit(0)
}

process.on('message', (order: { kind: 'cpu' | 'alone' | 'stop'; count?: number }) => {
  switch (order.kind) {
    case 'cpu':
      return void process.send?.({ cpuMs: cpuMs() })
    case 'alone':
      return void queryAlone(order.count ?? 0).then((ms) => process.send?.({ ms }))
    case 'stop':
      return void stop()
  }
})
process.once('disconnect', () => process.exit(0))
process.send?.({ port: server.port })
