import type { Id } from '../contract/ids.ts'
import { conserved } from '../sandbox/wechatpay/conserved.ts'
import { readSum } from '../server/kernel/columns.ts'
import type { Tx } from '../server/kernel/context.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { readBills } from '../server/modules/reconciliation/read-bills.ts'
import type { Stage } from './stage.ts'

/** How each order and its payments stood when they were last looked at. */
export type Seen = ReadonlyMap<Id<'order'>, string>

/** Which orders something happened to since. */
export async function touchedSince(stage: Stage, before: Seen): Promise<{ orders: Id<'order'>[]; seen: Seen }> {
  const rows = await stage.look((tx) =>
    sql<{ id: Id<'order'>; version: number; payments: unknown }>(
      tx.em,
      'select orders.id as id, orders.version as version, (select sum(version) from payment where order_id = orders.id) as payments from orders',
    ),
  )
  const seen = new Map(rows.map((row) => [row.id, `${row.version} ${readSum(row.payments)}`]))
  return { orders: [...seen].filter(([id, now]) => before.get(id) !== now).map(([id]) => id), seen }
}

/** What is wrong with the books of some orders, or of the whole house and of WeChat Pay. */
export async function booksOf(stage: Stage, orders: readonly Id<'order'>[] | 'all'): Promise<string[]> {
  const broken = conserved(stage.pay.world).map((line) => `WeChat Pay itself: ${line}`)
  if (orders === 'all') {
    const findings = await stage.look(proveBooks)
    return [...broken, ...findings.map(({ rule, subject, detail }) => `${rule} ${subject} ${detail}`)]
  }
  for (const id of orders) broken.push(...(await stage.look((tx) => booksOfOrder(tx, id))))
  return broken
}

/** What must hold for one order at every moment (design: the ledger). */
const rules: readonly { readonly rule: string; readonly query: string }[] = [
  {
    rule: 'what an order secured is what its payments brought, and what it holds is what is neither issued nor given back',
    query: `select secured_fen - issued_fen - returned_fen as stored,
        -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = 'order-funds:' || orders.id) as posted
      from orders where id = ?`,
  },
  {
    rule: 'cards of an order are worth what was issued and not taken back',
    query: `select issued_fen - refunded_fen as stored, (select coalesce(sum(order_item.price_fen), 0) from order_item
        join card on card.order_item_id = order_item.id
        where order_item.order_id = orders.id and card.state <> 'refunded') as posted
      from orders where id = ?`,
  },
  {
    rule: 'parts of a payment are what it brought, less what is too much',
    query: `select (select coalesce(sum(paid_fen), 0) from payment where order_id = orders.id) - secured_fen as stored,
        -(select coalesce(sum(amount), 0) from posting join entry on entry.id = posting.entry_id
          where unit = 'CNY' and account = 'overpaid:' || orders.id and entry.kind = 'funds_received') as posted
      from orders where id = ?`,
  },
]

async function booksOfOrder(tx: Tx, id: Id<'order'>): Promise<string[]> {
  const broken: string[] = []
  for (const { rule, query } of rules) {
    const [row] = await sql<{ stored: unknown; posted: unknown }>(tx.em, query, [id])
    const [stored, posted] = [readSum(row?.stored), readSum(row?.posted)]
    if (stored !== posted) broken.push(`${rule}: ${id} stored ${stored}, posted ${posted}`)
  }
  return broken
}

/** How much happened in a story. */
export async function countMoney(stage: Stage): Promise<{ payments: number; refunds: number; splits: number }> {
  const count = async (text: string) =>
    readSum((await stage.look((tx) => sql<{ total: unknown }>(tx.em, text)))[0]?.total)
  return {
    payments: await count('select count(*) as total from payment where paid_fen is not null'),
    refunds: await count("select count(*) as total from refund where state in ('accepted', 'done')"),
    splits: await count("select count(*) as total from split where state = 'finished'"),
  }
}

/** Lets everything come to rest and looks whether it did. */
export async function endOf(stage: Stage, log: ((line: string) => void) | null): Promise<string[]> {
  stage.restart()
  stage.pay.world.faults = []
  for (let round = 0; round < 60; round += 1) {
    let worked = 0
    if (round >= 40) await readBills(stage.edge())
    while (await stage.work()) worked += 1
    await stage.pay.clock.advance(round < 40 ? 15 * 60_000 : 86_400_000)
    log?.(`rest ${round}: ${worked} jobs`)
  }
  return [...(await booksOf(stage, 'all')), ...(await readDifferences(stage))]
}

/** Once all is at rest our books and WeChat Pay's bills say the same. */
async function readDifferences(stage: Stage): Promise<string[]> {
  const rows = await stage.look((tx) =>
    sql<{ subject: string; kind: string; guess: string; day: string }>(
      tx.em,
      "select subject, bill_difference.kind as kind, guess, day from bill_difference join bill on bill.id = bill_difference.bill_id where bill_difference.state = 'open'",
    ),
  )
  return rows.map((row) => `bill of ${row.day}: ${row.subject} ${row.kind} (${row.guess})`)
}
