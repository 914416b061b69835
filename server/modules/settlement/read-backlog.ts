import { fen } from '../../../contract/fen.ts'
import type { Backlog } from '../../../contract/operator/settlement.ts'
import type { PayoutState, SplitState } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** What waits to be settled, by state and merchant with the age of the oldest, and the calls made beside the naive plan. */
export async function readBacklog(tx: Tx): Promise<Backlog> {
  const now = tx.clock.now()
  const waiting = await sql<{ state: SplitState; mchid: string; splits: unknown; frozen: unknown; oldest: unknown }>(
    tx.em,
    `select state, mchid, count(*) as splits, sum(paid_fen - refunded_fen - shared_fen) as frozen,
        min(planned_at_ms) as oldest from split where state <> 'finished' group by state, mchid order by state, mchid`,
  )
  return {
    held: await readHeld(tx),
    waiting: waiting.map((row) => ({
      state: row.state,
      mchid: row.mchid,
      splits: readSum(row.splits),
      frozenFen: fen(readSum(row.frozen)),
      oldestMs: Math.max(0, now - readSum(row.oldest)),
    })),
    callsPerSecond: tx.house.wechatPay.sharesPerSecond,
    calls: await readCallsSaved(tx),
    payouts: await readPayoutSums(tx),
  }
}

async function readHeld(tx: Tx): Promise<Backlog['held']> {
  const [orders] = await sql<{ orders: unknown; price: unknown }>(
    tx.em,
    `select count(*) as orders, sum(orders.issued_fen - orders.refunded_fen) as price from orders
      left join settlement on settlement.order_id = orders.id
      where orders.state = 'issued' and settlement.order_id is null`,
  )
  const [next] = await sql<{ at: unknown }>(
    tx.em,
    "select min(ready_at_ms) as at from job where kind = 'settlement.plan' and state = 'ready'",
  )
  return {
    orders: readSum(orders?.orders),
    priceFen: fen(readSum(orders?.price)),
    nextAtMs: next?.at == null ? null : readSum(next.at),
  }
}

/**
 * Calls of sharing and unfreezing that were really made, repeats included, and those that one call a receiver and slice
 * would have been without any, of splits that are over. Questions are on neither side: who makes more calls asks more.
 */
async function readCallsSaved(tx: Tx): Promise<Backlog['calls']> {
  const [splits] = await sql<{ splits: unknown; naive: unknown }>(
    tx.em,
    "select count(*) as splits, sum(naive_calls) as naive from split where state = 'finished'",
  )
  const [calls] = await sql<{ made: unknown; receivers: unknown }>(
    tx.em,
    `select sum(split_call.tries) as made, (select count(*) from split_receiver join split on split.id = split_receiver.split_id
        where split.state = 'finished' and split_receiver.state <> 'pending') as receivers
      from split_call join split on split.id = split_call.split_id
      where split.state = 'finished' and split_call.sent_at_ms is not null`,
  )
  const [made, naive] = [readSum(calls?.made), readSum(splits?.naive)]
  return { splits: readSum(splits?.splits), made, naive, saved: naive - made, receivers: readSum(calls?.receivers) }
}

async function readPayoutSums(tx: Tx): Promise<Backlog['payouts']> {
  const [open] = await sql<{ count: unknown; total: unknown }>(
    tx.em,
    'select count(*) as count, sum(amount_fen) as total from payout_item where payout_id is null',
  )
  const rows = await sql<{ state: PayoutState; count: unknown; total: unknown }>(
    tx.em,
    'select state, count(*) as count, sum(amount_fen) as total from payout group by state order by state',
  )
  return [
    { state: 'open', count: readSum(open?.count), fen: readSum(open?.total) },
    ...rows.map((row) => ({ state: row.state, count: readSum(row.count), fen: readSum(row.total) })),
  ]
}
