import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { lookUpsLeft } from './rules.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How long look-ups that somebody set out to make count as made: a process that died gives them back after that. */
const ASKING_MS = 2 * MINUTE_MS

/** Look-ups that a process may make now; it says afterwards how many WeCom did not know. */
export interface Ration {
  readonly companyId: Id<'company'>
  readonly askingAtMs: number
  readonly granted: number
}

/**
 * Takes up to so many look-ups out of a company's ration, as if WeCom knew none of them: all processes count together,
 * over the last 24 hours (protocols wecom 4.2). 0 granted: no more look-ups for now.
 */
export async function takeRation(tx: Tx, companyId: Id<'company'>, wanted: number): Promise<Ration> {
  const now = tx.clock.now()
  const askingAtMs = now - (now % MINUTE_MS)
  await add(tx, asking(companyId), askingAtMs, wanted)
  const under_way = (await count(tx, asking(companyId), now - ASKING_MS)) - wanted
  const missed = (await count(tx, missing(companyId), now - DAY_MS)) + under_way
  const granted = Math.min(wanted, lookUpsLeft({ known: await countKnown(tx, companyId), missed }))
  await add(tx, asking(companyId), askingAtMs, granted - wanted)
  return { companyId, askingAtMs, granted }
}

/** Ends look-ups that were granted: those that WeCom did not know count for a day. */
export async function settleRation(tx: Tx, ration: Ration, missed: number): Promise<void> {
  const now = tx.clock.now()
  await add(tx, asking(ration.companyId), ration.askingAtMs, -ration.granted)
  if (missed > 0) await add(tx, missing(ration.companyId), now - (now % HOUR_MS), missed)
  await forget(tx, asking(ration.companyId), now - DAY_MS)
  await forget(tx, missing(ration.companyId), now - 2 * DAY_MS)
}

const asking = (companyId: Id<'company'>) => `getuserid.asking:${companyId}`
const missing = (companyId: Id<'company'>) => `getuserid.missed:${companyId}`

/** The window's row is ours until the commit: two processes count one after the other. */
async function add(tx: Tx, name: string, windowAtMs: number, more: number): Promise<void> {
  await insertIgnore(tx.em, 'shared_count', [{ name, window_at_ms: windowAtMs, count: 0 }])
  await change(tx.em, 'update shared_count set count = count + ? where name = ? and window_at_ms = ?', [
    more,
    name,
    windowAtMs,
  ])
}

async function count(tx: Tx, name: string, afterMs: number): Promise<number> {
  const [row] = await sql<{ calls: unknown }>(
    tx.em,
    'select sum(count) as calls from shared_count where name = ? and window_at_ms > ?',
    [name, Math.max(0, afterMs)],
  )
  return readSum(row?.calls)
}

async function forget(tx: Tx, name: string, beforeMs: number): Promise<void> {
  await change(tx.em, 'delete from shared_count where name = ? and window_at_ms < ?', [name, Math.max(0, beforeMs)])
}

async function countKnown(tx: Tx, companyId: Id<'company'>): Promise<number> {
  const [row] = await sql<{ known: unknown }>(
    tx.em,
    "select count(*) as known from person where company_id = ? and matched in ('listed', 'found')",
    [companyId],
  )
  return readSum(row?.known)
}
