import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, dialectOf, sql } from '../../kernel/sql.ts'
import { BETWEEN_CALLS_MS } from './rules.ts'
import type { SplitRow } from './tables.ts'

/** `call`: something is sent, in its merchant's turn. `poll`: an answer is asked for. */
type NextStep = { readonly kind: 'call' | 'poll' | 'look'; readonly atMs: number }

/**
 * Writes the next job of a split, in place of any older one: a job carries its step, and a step that is not the split's
 * does nothing, so however often something is run there is one chain of jobs. A call waits for a turn of its merchant,
 * reserved here for all processes. False: somebody else wrote the next job.
 */
export async function scheduleSplit(tx: Tx, split: SplitRow, next: NextStep): Promise<boolean> {
  const early = next.kind === 'call' ? Math.max(next.atMs, (split.lastCallAtMs ?? 0) + BETWEEN_CALLS_MS) : next.atMs
  const moved = await change(
    tx.em,
    'update split set step = step + 1, next_at_ms = ?, version = version + 1 where id = ? and step = ?',
    [early, split.id, split.step],
  )
  if (moved !== 1) return false
  const readyAtMs = next.kind === 'call' ? await takeTurn(tx, split.mchid, early) : early
  const step = split.step + 1
  split.step = step
  const kind = next.kind === 'poll' ? 'share.poll' : 'share.send'
  await enqueue(tx, [
    { kind, key: `share:${split.id}:${step}`, args: { splitId: split.id, step }, lane: 'bulk', readyAtMs },
  ])
  return true
}

/** The next free instant of a collecting merchant, from `atMs` on; it is nobody else's then. */
async function takeTurn(tx: Tx, mchid: string, atMs: number): Promise<number> {
  const now = tx.clock.now()
  // Only what is due now stands in line: a turn far ahead would hold up everybody behind it.
  if (atMs > now + BETWEEN_CALLS_MS) return atMs
  const gap = Math.ceil(1000 / tx.house.wechatPay.sharesPerSecond)
  const name = `share-turn:${mchid}`
  const taken = dialectOf(tx.em) === 'mysql' ? 'on duplicate key update' : 'on conflict (name) do update set'
  await change(
    tx.em,
    `insert into counter (name, next) values (?, ?) ${taken} next = case when counter.next < ? then ? else counter.next end + ?`,
    [name, now + gap, now, now, gap],
  )
  const [row] = await sql<{ next: unknown }>(tx.em, 'select next from counter where name = ?', [name])
  return Math.max(atMs, Number(row?.next) - gap)
}
