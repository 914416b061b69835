import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertIgnore, insertRows, sql } from '../../kernel/sql.ts'
import { chinaDay, nextChinaDay } from './china-day.ts'
import { countQuota } from './read-quota.ts'
import { ourWindows, roomFor, sendLimits, type Wait } from './send-limits.ts'

/** One call of message/send, before it is made. */
export interface Carrier {
  readonly companyId: Id<'company'>
  /** The batch or notification whose body names the people. */
  readonly id: Id<'deliveryBatch'> | Id<'notification'>
  /** As they are compared in the company's space, each once. */
  readonly userIds: readonly string[]
}

export interface Reserved {
  /** Counted: these may be named in the call. */
  readonly taken: readonly string[]
  /** Over a limit: not counted, and not to be named before that instant. */
  readonly waiting: ReadonlyMap<string, Wait>
}

const MINUTE_MS = 60_000
/** Around midnight processes may stand on two days: both days' rows are held, so that they still take turns. */
const CLOCKS_MS = 5 * MINUTE_MS

/**
 * Counts the people of a call against WeCom's limits, in the caller's transaction, before the call is made: nobody
 * beyond 30 a minute and 1,000 an hour, and no more in a day of China than the app's quota. Whoever does not fit is told
 * apart with the instant from which they may. All processes of the house take turns at the company's row of the day.
 */
export async function reserveSends(tx: Tx, carrier: Carrier): Promise<Reserved> {
  const now = tx.clock.now()
  await holdDays(tx, carrier.companyId, now)
  const waiting = await findWaiting(tx, carrier, now)
  const fitting = carrier.userIds.filter((userId) => !waiting.has(userId))
  const { left, quota } = await readLeft(tx, carrier.companyId, now)
  const taken = fitting.slice(0, left)
  const tomorrow = { waitsFor: 'day_quota', untilMs: nextChinaDay(now) + MINUTE_MS } as const
  for (const userId of fitting.slice(left)) waiting.set(userId, tomorrow)
  await count(tx, carrier.companyId, { day: chinaDay(now), more: taken.length, quota })
  await writeSends(tx, { ...carrier, userIds: taken }, now)
  return { taken, waiting }
}

/**
 * Counts a repeat of the same bytes: nobody is counted twice, but each at the later instant, for either call may be the
 * one that WeCom took. On another day than the call before (`lastCallAtMs`) it counts for that day too. Answers when the
 * repeat may be made, where somebody does not fit at this instant; then nothing has changed.
 */
export async function renewSends(tx: Tx, carrier: Carrier, lastCallAtMs: number): Promise<number | null> {
  const now = tx.clock.now()
  await holdDays(tx, carrier.companyId, now)
  const waits = [...(await findWaiting(tx, carrier, now)).values()].map((wait) => wait.untilMs)
  if (waits.length > 0) return Math.max(...waits)
  if (chinaDay(lastCallAtMs) !== chinaDay(now)) {
    const { left, quota } = await readLeft(tx, carrier.companyId, now)
    if (left < carrier.userIds.length) return nextChinaDay(now) + MINUTE_MS
    await count(tx, carrier.companyId, { day: chinaDay(now), more: carrier.userIds.length, quota })
  }
  await dropSends(tx, carrier)
  await writeSends(tx, carrier, now)
  return null
}

/** Takes back what was counted for a call that certainly had no effect. `atMs` is when it was counted. */
export async function releaseSends(tx: Tx, carrier: Carrier, atMs: number): Promise<void> {
  await count(tx, carrier.companyId, { day: chinaDay(atMs), more: -carrier.userIds.length })
  await dropSends(tx, carrier)
}

/**
 * WeCom says that the day is used up although our count did not: others of the company's tools send through the app too.
 * The call had no effect; for the rest of the day nobody else is sent to.
 */
export async function closeDay(tx: Tx, carrier: Carrier, atMs: number): Promise<void> {
  await change(tx.em, 'update send_day set used = quota where company_id = ? and day = ? and used < quota', [
    carrier.companyId,
    chinaDay(atMs),
  ])
  await dropSends(tx, carrier)
}

/** Holds the company's rows of these days until the end of the transaction, the earlier day first. */
async function holdDays(tx: Tx, companyId: Id<'company'>, now: number): Promise<void> {
  for (const day of new Set([chinaDay(now), chinaDay(now + CLOCKS_MS)])) {
    const [known] = await sql(tx.em, 'select 1 from send_day where company_id = ? and day = ?', [companyId, day])
    if (known === undefined) await insertIgnore(tx.em, 'send_day', [{ company_id: companyId, day, used: 0, quota: 0 }])
    await change(tx.em, 'update send_day set quota = quota where company_id = ? and day = ?', [companyId, day])
  }
}

/** Who of them got as many messages as a member may, by what other calls were counted for. */
async function findWaiting(tx: Tx, { companyId, id, userIds }: Carrier, now: number): Promise<Map<string, Wait>> {
  const waiting = new Map<string, Wait>()
  if (userIds.length === 0) return waiting
  const byIndex = new Map(userIds.map((userId) => [indexOf(tx, userId), userId]))
  const since = now - ourWindows.hourMs
  const full = await sql<{ who: string }>(
    tx.em,
    `select user_id_index as who from member_send
      where company_id = ? and user_id_index in (${slots(userIds)}) and at_ms > ? and carrier_id <> ?
      group by user_id_index having count(*) >= ?`,
    [companyId, ...byIndex.keys(), since, id, sendLimits.minute.most],
  )
  for (const { who } of full) {
    const sends = await sql<{ atMs: unknown }>(
      tx.em,
      `select at_ms as atMs from member_send where company_id = ? and user_id_index = ? and at_ms > ? and carrier_id <> ?`,
      [companyId, who, since, id],
    )
    const wait = roomFor(
      sends.map(({ atMs }) => readSum(atMs)),
      now,
    )
    // To the next whole minute: people of one moment then wait for one job.
    if (wait) waiting.set(byIndex.get(who)!, { ...wait, untilMs: Math.ceil(wait.untilMs / MINUTE_MS) * MINUTE_MS })
  }
  return waiting
}

async function readLeft(tx: Tx, companyId: Id<'company'>, now: number) {
  const { quota } = await countQuota(tx, companyId)
  const [row] = await sql<{ used: unknown }>(tx.em, 'select used from send_day where company_id = ? and day = ?', [
    companyId,
    chinaDay(now),
  ])
  const used = readSum(row?.used)
  // A day that WeCom closed stays closed, and a quota that shrank meanwhile undoes nothing.
  return { left: Math.max(0, quota - used), quota: Math.max(quota, used) }
}

async function count(
  tx: Tx,
  companyId: Id<'company'>,
  { day, more, quota }: { readonly day: number; readonly more: number; readonly quota?: number },
): Promise<void> {
  if (more === 0) return
  const set = quota === undefined ? 'used = used + ?' : 'used = used + ?, quota = ?'
  const values = quota === undefined ? [more] : [more, quota]
  await change(tx.em, `update send_day set ${set} where company_id = ? and day = ?`, [...values, companyId, day])
}

async function writeSends(tx: Tx, { companyId, id, userIds }: Carrier, now: number): Promise<void> {
  const rows = userIds.map((userId) => ({
    company_id: companyId,
    user_id_index: indexOf(tx, userId),
    carrier_id: id,
    at_ms: now,
  }))
  await insertRows(tx.em, 'member_send', rows)
}

async function dropSends(tx: Tx, { companyId, id, userIds }: Carrier): Promise<void> {
  if (userIds.length === 0) return
  await change(
    tx.em,
    `delete from member_send where company_id = ? and user_id_index in (${slots(userIds)}) and carrier_id = ?`,
    [companyId, ...userIds.map((userId) => indexOf(tx, userId)), id],
  )
}

const indexOf = (tx: Tx, userId: string): string => tx.house.seal.blindIndex('wecom.member', userId)
const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')
