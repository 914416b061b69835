import type { Id } from '../contract/ids.ts'
import { conserved } from '../sandbox/wechatpay/conserved.ts'
import { readSum } from '../server/kernel/columns.ts'
import type { Tx } from '../server/kernel/context.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { readBills } from '../server/modules/reconciliation/read-bills.ts'
import type { Stage } from './stage.ts'
import { isPaid } from './stage.ts'

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
  broken.push(...stage.calls.broken.splice(0))
  for (const { call, outNo, transactionId } of stage.pay.world.money.overlaps.splice(0))
    broken.push(`${call} ${outNo} while another call about ${transactionId} is under way`)
  if (orders === 'all') {
    const findings = await stage.look(proveBooks)
    return [...broken, ...findings.map(({ rule, subject, detail }) => `${rule} ${subject} ${detail}`)]
  }
  const beyond = await stage.look((tx) => sql<{ id: string; left: unknown }>(tx.em, beyondLimits))
  broken.push(...beyond.map((row) => `${row.id} has ${Number(row.left)} fen left to spend`))
  for (const id of orders)
    broken.push(...(await stage.look((tx) => booksOfOrder(tx, id))), ...(await failedButPaid(stage, id)))
  return broken
}

/** A payment fails only where WeChat Pay has no such number: money of a failed one would be nobody's. */
async function failedButPaid(stage: Stage, id: Id<'order'>): Promise<string[]> {
  const failed = await stage.look((tx) =>
    sql<{ mchid: string; no: string }>(
      tx.em,
      "select mchid, out_trade_no as no from payment where order_id = ? and source = 'wechat_pay' and state = 'failed'",
      [id],
    ),
  )
  return failed.filter(({ mchid, no }) => isPaid(stage, mchid, no)).map(({ no }) => `${no} failed and is paid`)
}

/** Nobody spends what they do not have, or are not lent. */
const beyondLimits = `select company_id as id, balance_fen as left from wallet where balance_fen < 0
  union all select company_id, limit_fen - owed_fen from credit_line where owed_fen > limit_fen`

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

const [QUARTER_MS, DAY_MS] = [15 * 60_000, 86_400_000]
/** Whatever takes longest at WeChat Pay, a refund without money, is over after seven days. */
const REST_MS = 20 * DAY_MS
/** After the first hours of quarters somebody looks four times a day, and bills tell of the three days before. */
const [QUARTERS_MS, SELDOM_MS, BILLS_MS] = [10 * 3_600_000, 6 * 3_600_000, 3 * DAY_MS]

/** Lets everything come to rest and looks whether it did. Days on which nothing happens at all have no bills to read. */
export async function endOf(stage: Stage, log: ((line: string) => void) | null): Promise<string[]> {
  stage.restart()
  stage.pay.world.faults = []
  const beginMs = stage.now()
  let [last, lastMs, billsMs] = ['', beginMs, beginMs]
  while (stage.now() < beginMs + REST_MS) {
    // Bills of a day are there from ten in the morning, in China.
    if (stage.now() >= billsMs + DAY_MS && stage.now() % DAY_MS >= 3 * 3_600_000 && stage.now() <= lastMs + BILLS_MS) {
      billsMs = stage.now() - (stage.now() % DAY_MS) + 3 * 3_600_000
      await readBills(stage.edge())
    }
    let worked = 0
    while (await stage.work()) worked += 1
    const [state, dueMs] = await readRest(stage)
    if (state !== last) [last, lastMs] = [state, stage.now()]
    if (worked > 0) log?.(`rest ${new Date(stage.now()).toISOString()}: ${worked} jobs`)
    const least = stage.now() < beginMs + QUARTERS_MS ? QUARTER_MS : SELDOM_MS
    await stage.pay.clock.advance(Math.max(least, Math.min(dueMs - stage.now(), SELDOM_MS)))
  }
  return [...(await booksOf(stage, 'all')), ...(await readDifferences(stage))]
}

/** How far all the money is, in words that change when any of it moves, and when the next job is ready. */
async function readRest(stage: Stage): Promise<[string, number]> {
  const [row] = await stage.look((tx) =>
    sql<{ state: string; due: unknown }>(
      tx.em,
      `select coalesce((select sum(version) from payment), 0) || ' ' || coalesce((select sum(version) from refund_part), 0)
        || ' ' || coalesce((select sum(version) from split), 0) || ' ' || (select count(*) from posting) as state,
        (select min(case state when 'ready' then ready_at_ms else lease_until_ms end) from job
          where state in ('ready', 'leased')) as due`,
    ),
  )
  return [`${row!.state} ${stage.pay.world.money.journal.length}`, row!.due === null ? Infinity : Number(row!.due)]
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
