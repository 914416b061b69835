/**
 * The POS API in a process of its own for `bench -- redeem`, on a database with cards and shops: the terminals, their
 * signatures, nonces and acts as in the product. Answers each message of the parent: `codes` with that many payment codes
 * as phones would show them, `stop` by ending.
 */
import type { Id } from '../contract/ids.ts'
import { createHttpApp, serve } from '../server/kernel/http.ts'
import { silentLog } from '../server/kernel/log.ts'
import { sql } from '../server/kernel/sql.ts'
import { createTerminal } from '../server/modules/merchant/create-terminal.ts'
import { readNewKey } from '../server/modules/merchant/read-terminals.ts'
import { createTerminalCheck } from '../server/modules/merchant/verify-terminal.ts'
import { makePayCode } from '../server/modules/redemption/pay-code.ts'
import { posEndpoints } from '../server/modules/redemption/pos-endpoints.ts'
import { openBench } from './bench-house.ts'
import { cardPicker } from './zipf.ts'

/** What a till needs to ask. */
export interface BenchTerminal {
  readonly id: string
  readonly secret: string
}

const TERMINALS_A_SHOP = 10
const { store, edge } = await openBench(process.argv[2] ?? '', 20)
const shops = await edge.read((tx) => sql<{ id: Id<'shop'> }>(tx.em, 'select id from shop order by id'))
const terminals = await edge.tx(async (tx): Promise<BenchTerminal[]> => {
  const made: BenchTerminal[] = []
  for (const shop of shops)
    for (let n = 1; n <= TERMINALS_A_SHOP; n += 1) {
      const id = await createTerminal(tx, { shopId: shop.id, name: `${n}` })
      made.push({ id, secret: (await readNewKey(tx, id, { version: 1, atMs: tx.clock.now() }))! })
    }
  return made
})
const cards = await edge.read((tx) => sql<{ id: Id<'card'> }>(tx.em, 'select id from card order by id'))
const pick = cardPicker(cards.map(({ id }) => id))
const app = createHttpApp({
  endpoints: posEndpoints,
  edgeFor: (actor) => ({
    ...edge,
    actor,
    tx: (work) => edge.tx((tx) => work({ ...tx, actor })),
    read: (work) => edge.read((tx) => work({ ...tx, actor })),
  }),
  authenticate: createTerminalCheck(edge),
  origins: [],
  log: silentLog(),
  trustProxy: false,
  rate: { points: 1_000_000_000, seconds: 60 },
})
const server = await serve(app, 0, '127.0.0.1')

process.on('message', (order: { kind: string; count?: number }) => {
  if (order.kind === 'stop') return void server.close(1_000).then(() => store.close().then(() => process.exit(0)))
  const codes = Array.from({ length: order.count ?? 0 }, () => {
    const { cardId, hot } = pick()
    return { code: makePayCode(edge, { kind: 'card', cardId }).code, hot }
  })
  process.send?.({ codes })
})
process.once('disconnect', () => process.exit(0))
process.send?.({ port: server.port, terminals })
