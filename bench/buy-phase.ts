/** The proof after `bench -- buy`, in a process of its own: how many cards were made of orders, and whether the books balance. */
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { openBench } from './bench-house.ts'
import { answer } from './phases.ts'

const { store, edge } = await openBench(process.argv[2] ?? '', 900)
const findings = await edge.tx(proveBooks)
for (const finding of findings.slice(0, 20)) console.error(JSON.stringify(finding))
const [row] = await edge.read((tx) =>
  sql<{ n: unknown }>(
    tx.em,
    `select count(*) as n from card join order_item on order_item.id = card.order_item_id
      join listing_taking on listing_taking.order_id = order_item.order_id and listing_taking.state = 'sold'`,
  ),
)
await store.close()
answer({ cards: Number(row?.n), findings: findings.length })
