import type { Clock, Tx } from './context.ts'
import { change, insertIgnore, sql } from './sql.ts'
import type { Lane } from './tables.ts'
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
  enqueuedIn.add(tx.em)
}

/** The transactions that wrote jobs: their commit wakes the worker of this process. */
export const enqueuedIn = new WeakSet<Tx['em']>()

/**
 * Leases up to `most` ready jobs of a lane: reads a window without locking, takes a random run of it by a guarded
 * update, reads back by token. Two workers never hold one job.
 */
export async function claim(tx: Tx, lane: Lane, most: number): Promise<LeasedJob[]> {
  const now = tx.clock.now()
  const ready = await sql<{ id: string }>(
    tx.em,
    "select id from job where state = 'ready' and lane = ? and ready_at_ms <= ? order by ready_at_ms limit ?",
    [lane, now, most * 8],
  )
  if (ready.length === 0) return []
  const start = ready.length <= most ? 0 : tx.random(4).readUInt32BE() % (ready.length - most + 1)
  const ids = ready.slice(start, start + most).map((row) => row.id)
  const token = tx.random(16).toString('hex')
  const slots = ids.map(() => '?').join(',')
  await change(
    tx.em,
    `update job set state = 'leased', lease_token = ?, lease_until_ms = ?, attempts = attempts + 1 where id in (${slots}) and state = 'ready'`,
    [token, now + LEASE_MS, ...ids],
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
  const changed = await change(
    tx.em,
    "update job set state = 'done', lease_token = null, done_at_ms = ? where id = ? and lease_token = ?",
    [tx.clock.now(), job.id, job.leaseToken],
  )
  return changed === 1
}

/** Keeps a job for another lease while its work goes on. False when the lease was lost meanwhile. */
export async function renew(tx: Tx, job: LeasedJob): Promise<boolean> {
  const changed = await change(tx.em, 'update job set lease_until_ms = ? where id = ? and lease_token = ?', [
    tx.clock.now() + LEASE_MS,
    job.id,
    job.leaseToken,
  ])
  return changed === 1
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
  enqueuedIn.add(tx.em)
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
