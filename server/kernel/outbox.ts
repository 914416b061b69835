import type { Clock, Tx } from './context.ts'
import { change, insertIgnore, sql, updateRows } from './sql.ts'
import { lanes, type Lane } from './tables.ts'
import { trail } from './trail.ts'

export interface NewJob {
  readonly kind: string
  /** Unique for ever: the same cause enqueues once. */
  readonly key: string
  /** Ids only. */
  readonly args: Readonly<Record<string, string | number>>
  readonly lane?: Lane
  readonly readyAtMs?: number
}

export interface LeasedJob {
  readonly id: string
  readonly kind: string
  readonly args: Readonly<Record<string, string | number>>
  readonly attempts: number
  readonly leaseToken: string
}

/** How long a worker may hold a job before a sweep gives it to another. */
export const LEASE_MS = 60_000
const MAX_ATTEMPTS = 12

/** Writes jobs with their cause, in the same transaction. A key that is taken is passed over. */
export async function enqueue(tx: Tx, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return
  const now = tx.clock.now()
  const rows = jobs.map((job) => ({
    id: tx.newId('job'),
    kind: job.kind,
    job_key: job.key,
    lane: job.lane ?? 'small',
    args: JSON.stringify(job.args),
    state: 'ready',
    attempts: 0,
    ready_at_ms: job.readyAtMs ?? now,
    created_at_ms: now,
  }))
  await insertIgnore(tx.em, 'job', rows)
  const due = rows.filter((row) => row.ready_at_ms <= now).map(({ lane }) => lane)
  if (due.length > 0) enqueuedIn.set(tx.em, new Set([...(enqueuedIn.get(tx.em) ?? []), ...due]))
}

/** The lanes for which a transaction wrote jobs that are due: its commit wakes the worker of this process for these. */
export const enqueuedIn = new WeakMap<Tx['em'], ReadonlySet<Lane>>()

/** Kinds of jobs that a worker takes none of for the moment. */
type Kinds = ReadonlySet<string>
const noKinds: Kinds = new Set()
const notOf = (kinds: Kinds): string =>
  kinds.size === 0 ? '' : `and kind not in (${[...kinds].map(() => '?').join(',')})`

/** Whether a lane has work that is due, by a look that holds nothing: most looks find none, and cost no transaction. */
export async function hasWork(tx: Tx, lane: Lane, not = noKinds): Promise<boolean> {
  const text = `select 1 as one from job where state = 'ready' and lane = ? and ready_at_ms <= ? ${notOf(not)} limit 1`
  return (await sql(tx.em, text, [lane, tx.clock.now(), ...not])).length > 0
}

/** Of how many ready jobs those that are taken are chosen: the more, the seldomer two workers want the same. */
const WINDOW = 8

/**
 * Leases up to `most` ready jobs of a lane: reads a window without locking, takes a random run of it by a guarded
 * update, reads back by token. Two workers never hold one job.
 */
export async function claim(tx: Tx, lane: Lane, most: number): Promise<LeasedJob[]> {
  const ready = await sql<{ id: string }>(
    tx.em,
    "select id from job where state = 'ready' and lane = ? and ready_at_ms <= ? order by ready_at_ms limit ?",
    [lane, tx.clock.now(), most * WINDOW],
  )
  return lease(tx, aRunOf(tx, ready, most))
}

/**
 * Leases one ready job of a lane, and where its kind is worked many at once (`mostOf`), more of that kind. Those that were
 * tried before come alone: one that ends its worker every time must not take others with it.
 */
export async function claimAlike(
  tx: Tx,
  lane: Lane,
  mostOf: (kind: string) => number,
  not = noKinds,
): Promise<LeasedJob[]> {
  const ready = await sql<{ id: string; kind: string; attempts: unknown }>(
    tx.em,
    `select id, kind, attempts from job where state = 'ready' and lane = ? and ready_at_ms <= ? ${notOf(not)}
      order by ready_at_ms limit ?`,
    [lane, tx.clock.now(), ...not, WINDOW],
  )
  const [one] = aRunOf(tx, ready, 1)
  const most = one === undefined ? 1 : mostOf(one.kind)
  if (one === undefined || most === 1 || Number(one.attempts) > 0) return lease(tx, one ? [one] : [])
  const alike = await sql<{ id: string }>(
    tx.em,
    "select id from job where state = 'ready' and lane = ? and ready_at_ms <= ? and kind = ? and attempts = 0 order by ready_at_ms limit ?",
    [lane, tx.clock.now(), one.kind, most * 2],
  )
  return lease(tx, aRunOf(tx, alike, most))
}

function aRunOf<T>(tx: Tx, ready: readonly T[], most: number): T[] {
  const start = ready.length <= most ? 0 : tx.random(4).readUInt32BE() % (ready.length - most + 1)
  return ready.slice(start, start + most)
}

async function lease(tx: Tx, chosen: readonly { readonly id: string }[]): Promise<LeasedJob[]> {
  if (chosen.length === 0) return []
  const ids = chosen.map((row) => row.id).sort()
  const token = tx.random(16).toString('hex')
  await change(
    tx.em,
    `update job set state = 'leased', lease_token = ?, lease_until_ms = ?, attempts = attempts + 1 where id in (${ids.map(() => '?').join(',')}) and state = 'ready'`,
    [token, tx.clock.now() + LEASE_MS, ...ids],
  )
  const rows = await sql<{ id: string; kind: string; args: string; attempts: number }>(
    tx.em,
    'select id, kind, args, attempts from job where lease_token = ? order by id',
    [token],
  )
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    args: JSON.parse(row.args) as LeasedJob['args'],
    attempts: Number(row.attempts),
    leaseToken: token,
  }))
}

/** Ends a job. Returns false when the lease was lost meanwhile: somebody else has it now. */
export async function finish(tx: Tx, job: LeasedJob): Promise<boolean> {
  return (await finishMany(tx, [job])) === 1
}

/** Ends jobs by one statement; says of how many the lease still held. */
export async function finishMany(tx: Tx, jobs: readonly LeasedJob[]): Promise<number> {
  return updateRows(tx.em, 'job', leasesOf(jobs, tx.clock.now()), {
    set: "state = 'done', lease_token = null, done_at_ms = new_at_ms",
    where: 'lease_token = new_token',
  })
}

/** Keeps a job for another lease while its work goes on. False when the lease was lost meanwhile. */
export async function renew(tx: Tx, job: LeasedJob): Promise<boolean> {
  return (await renewMany(tx, [job])) === 1
}

/** Keeps jobs for another lease; says of how many the lease still held. */
export async function renewMany(tx: Tx, jobs: readonly LeasedJob[]): Promise<number> {
  return updateRows(tx.em, 'job', leasesOf(jobs, tx.clock.now() + LEASE_MS), {
    set: 'lease_until_ms = new_at_ms',
    where: 'lease_token = new_token',
  })
}

function leasesOf(jobs: readonly LeasedJob[], atMs: number) {
  const rows = jobs.map((job) => ({ id: job.id, token: job.leaseToken, at_ms: atMs }))
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/**
 * Gives a job back after a failure: later each time, dead after 12 attempts. With `retryAfterMs` the fault lies outside
 * the house: it comes back after that time at the least and never dies. `error` must hold no personal data. Says how the
 * job stands now; null when the lease was lost meanwhile.
 */
export async function giveBack(
  tx: Tx,
  job: LeasedJob,
  error: string,
  retryAfterMs?: number,
): Promise<'ready' | 'dead' | null> {
  const state = retryAfterMs === undefined && job.attempts >= MAX_ATTEMPTS ? 'dead' : 'ready'
  const waitMs = Math.max(retryAfterMs ?? 0, Math.min(60_000, 200 * 2 ** job.attempts))
  const changed = await change(
    tx.em,
    'update job set state = ?, lease_token = null, ready_at_ms = ?, last_error = ? where id = ? and lease_token = ?',
    [state, tx.clock.now() + waitMs, error.slice(0, 500), job.id, job.leaseToken],
  )
  return changed === 1 ? state : null
}

/** Lets a dead job be tried again, with all its attempts. False when it is not dead (any more). */
export async function revive(tx: Tx, jobId: string): Promise<boolean> {
  const revived = await change(
    tx.em,
    "update job set state = 'ready', attempts = 0, ready_at_ms = ? where id = ? and state = 'dead'",
    [tx.clock.now(), jobId],
  )
  if (revived !== 1) return false
  enqueuedIn.set(tx.em, new Set(lanes))
  await trail(tx, { objectId: jobId, act: 'job.revived', fromState: 'dead', toState: 'ready' })
  return true
}

/**
 * Returns expired leases to the queue: their worker died or lost its way. A job that ended its worker 12 times is dead:
 * it would end the next one too.
 */
export async function sweep(tx: Tx): Promise<number> {
  const swept = (state: 'ready' | 'dead', attempts: string) =>
    change(
      tx.em,
      `update job set state = '${state}', lease_token = null where state = 'leased' and lease_until_ms <= ? and attempts ${attempts} ?`,
      [tx.clock.now(), MAX_ATTEMPTS],
    )
  return (await swept('dead', '>=')) + (await swept('ready', '<'))
}

export const systemClock: Clock = { now: () => Date.now() }
