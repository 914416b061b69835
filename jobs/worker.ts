import { setTimeout as sleep } from 'node:timers/promises'
import { isCrowded } from '../server/kernel/coalesce.ts'
import type { Edge } from '../server/kernel/context.ts'
import { AppError } from '../server/kernel/errors.ts'
import {
  claimAlike,
  finish,
  finishMany,
  giveBack,
  hasWork,
  LEASE_MS,
  renewMany,
  type LeasedJob,
} from '../server/kernel/outbox.ts'
import { OutsideError } from '../server/kernel/outside.ts'
import { lanes, type Lane } from '../server/kernel/tables.ts'
import { failBuriedEvents } from '../server/modules/company/fail-buried-events.ts'
import type { Handler } from './handlers.ts'

type Handlers = Readonly<Record<string, Handler>>

/** How many jobs of a lane run at once in one process. Small work keeps hands of its own beside a festival. */
const defaultHands: Readonly<Record<Lane, number>> = { fast: 2, small: 3, bulk: 2, webhook: 3 }
/** The safety net: a commit wakes the worker at once. */
const POLL_MS = 500
const GIVE_WAY_MS = 1000
const STEP_MS = 20

export interface Worker {
  /** Looks for work of these lanes now; of all where none is named. */
  wake(this: void, of?: ReadonlySet<Lane>): void
  /** Takes no new job, finishes those it holds, then resolves. */
  stop(): Promise<void>
}

/** Runs jobs until it is stopped: each lane has its hands, each hand one job at a time. */
export function startWorker(
  edge: Edge,
  handlers: Handlers,
  hands: Readonly<Record<Lane, number>> = defaultHands,
): Worker {
  let stopped = false
  const bells = new Map(lanes.map((lane) => [lane, new AbortController()]))
  const wake: Worker['wake'] = (of = new Set(lanes)) => {
    for (const lane of of) {
      bells.get(lane)?.abort()
      bells.set(lane, new AbortController())
    }
  }
  const hand = async (lane: Lane): Promise<void> => {
    while (!stopped) {
      const heard = bells.get(lane)!.signal
      if (lane !== 'fast') await giveWay()
      const worked = await workOnce(edge, handlers, lane).catch((error: unknown) => {
        edge.log.error({ err: error, lane }, 'worker could not take a job')
        return false
      })
      if (!worked && !stopped) await sleep(POLL_MS, undefined, { signal: heard }).catch(() => undefined)
    }
  }
  const running = lanes.flatMap((lane) => Array.from({ length: hands[lane] }, () => hand(lane)))
  return {
    wake,
    stop: async () => {
      stopped = true
      wake()
      await Promise.all(running)
    },
  }
}

/** While callers wait for commits, background work waits too: a second at the most, so that it always goes on. */
async function giveWay(): Promise<void> {
  for (let waited = 0; isCrowded() && waited < GIVE_WAY_MS; waited += STEP_MS) await sleep(STEP_MS)
}

/** Takes one job of a lane, or many of a kind that is worked in batches, and does it. False when there was none. */
export async function workOnce(edge: Edge, handlers: Handlers, lane: Lane): Promise<boolean> {
  if (!(await edge.read((tx) => hasWork(tx, lane)))) return false
  const jobs = await edge.tx((tx) => claimAlike(tx, lane, (kind) => handlers[kind]?.batch?.most ?? 1))
  const left = new Set(jobs)
  if (left.size === 0) return false
  const keep = setInterval(() => {
    edge
      .tx((tx) => renewMany(tx, [...left]))
      .catch((error: unknown) => {
        edge.log.warn({ err: error, jobs: left.size }, 'lease not renewed')
      })
  }, LEASE_MS / 3)
  try {
    if (await workTogether(edge, handlers, jobs)) return true
    for (const job of jobs) {
      await workOne(edge, handlers, job)
      left.delete(job)
    }
  } finally {
    clearInterval(keep)
  }
  return true
}

/** Does jobs of one kind at once; tried again when it fails, for a deadlock. False: they must be done one by one. */
async function workTogether(edge: Edge, handlers: Handlers, jobs: readonly LeasedJob[]): Promise<boolean> {
  const batch = handlers[jobs[0]!.kind]?.batch
  if (batch === undefined || jobs.length === 1) return false
  const run = () =>
    batch.run(
      edge,
      jobs.map((job) => job.args),
    )
  try {
    await run().catch(run)
    await edge.tx((tx) => finishMany(tx, jobs))
    return true
  } catch (error) {
    edge.log.warn({ err: error, jobs: jobs.length, kind: jobs[0]!.kind }, 'jobs failed together, now one by one')
    return false
  }
}

async function workOne(edge: Edge, handlers: Handlers, job: LeasedJob): Promise<void> {
  try {
    const handler = handlers[job.kind]
    if (!handler) throw new Error(`no handler for ${job.kind}`)
    await handler(edge, job.args)
    await edge.tx((tx) => finish(tx, job))
  } catch (error) {
    await edge.tx(async (tx) => {
      const state = await giveBack(tx, job, reasonOf(error), retryOf(error))
      if (state === 'dead') await failBuriedEvents(tx)
    })
    edge.log.warn({ err: error, jobId: job.id, kind: job.kind, attempts: job.attempts }, 'job given back')
  }
}

/** What may be stored of an error: its closed code or its class. The message stays in the log. */
function reasonOf(error: unknown): string {
  if (error instanceof OutsideError) return `outside ${error.outcome} ${error.code}`
  if (error instanceof AppError) return error.code
  const code = (error as { code?: unknown }).code
  return `${error instanceof Error ? error.name : 'unknown'}${typeof code === 'string' ? ` ${code}` : ''}`
}

function retryOf(error: unknown): number | undefined {
  if (!(error instanceof OutsideError)) return undefined
  return error.outcome === 'busy' || error.outcome === 'unknown' ? error.retryAfterMs : undefined
}
