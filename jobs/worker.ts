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
/** The safety net: a commit wakes the worker at once. So often one hand of each lane looks by itself (ms). */
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
  const bells = new Map(lanes.map((lane) => [lane, new Bell()]))
  const hand = async (lane: Lane, gathering: Set<string>): Promise<void> => {
    const bell = bells.get(lane)!
    while (!stopped) {
      if (lane !== 'fast') await giveWay()
      bell.answer()
      const worked = await workOnce(edge, handlers, lane, { gathering, took: () => bell.ring() }).catch(
        (error: unknown) => {
          edge.log.error({ err: error, lane }, 'worker could not take a job')
          return false
        },
      )
      if (!worked && !stopped) await bell.heard()
    }
  }
  // One lane after the other, so that they do not all ask in the same moment.
  let turn = 0
  const polling = setInterval(() => bells.get(lanes[(turn += 1) % lanes.length]!)!.ring(), POLL_MS / lanes.length)
  const running = lanes.flatMap((lane) => {
    const gathering = new Set<string>()
    return Array.from({ length: hands[lane] }, () => hand(lane, gathering))
  })
  return {
    wake: (of = new Set(lanes)) => {
      for (const lane of of) bells.get(lane)!.ring()
    },
    stop: async () => {
      stopped = true
      clearInterval(polling)
      for (const bell of bells.values()) bell.ringAll()
      await Promise.all(running)
    },
  }
}

/** Calls one hand of a lane, that which has rested longest; where none rests, the first that looks after its work answers it. */
class Bell {
  private readonly resting: (() => void)[] = []
  private rung = false
  private isOver = false

  ring(): void {
    const next = this.resting.shift()
    if (next === undefined) this.rung = true
    else next()
  }

  /** For all hands, and for ever: they are to go home. */
  ringAll(): void {
    this.isOver = true
    for (let rest = this.resting.shift(); rest !== undefined; rest = this.resting.shift()) rest()
  }

  /** Somebody looks now: what was rung until here need not be looked for again. */
  answer(): void {
    this.rung = false
  }

  /** Resolves when it is rung for this hand. */
  async heard(): Promise<void> {
    if (this.isOver) return
    if (this.rung) this.rung = false
    else await new Promise<void>((resolve) => this.resting.push(resolve))
  }
}

/** While callers wait for commits, background work waits too: a second at the most, so that it always goes on. */
async function giveWay(): Promise<void> {
  for (let waited = 0; isCrowded() && waited < GIVE_WAY_MS; waited += STEP_MS) await sleep(STEP_MS)
}

/** What the hands of a lane tell each other. */
interface Hands {
  /** Kinds of which a hand does a batch that was not full: the others leave what comes meanwhile for the next one. */
  readonly gathering: Set<string>
  /** A hand took work: there may be more for another. */
  readonly took: () => void
}
const oneHand = (): Hands => ({ gathering: new Set(), took: () => undefined })

/** Takes one job of a lane, or many of a kind that is worked in batches, and does it. False when there was none. */
export async function workOnce(edge: Edge, handlers: Handlers, lane: Lane, hands = oneHand()): Promise<boolean> {
  if (!(await edge.read((tx) => hasWork(tx, lane, hands.gathering)))) return false
  const mostOf = (kind: string): number => handlers[kind]?.batch?.most ?? 1
  const jobs = await edge.tx((tx) => claimAlike(tx, lane, mostOf, hands.gathering))
  const [first] = jobs
  if (first === undefined) return false
  const gathers = handlers[first.kind]?.batch?.gathers === lane && jobs.length < mostOf(first.kind)
  if (gathers) hands.gathering.add(first.kind)
  hands.took()
  try {
    await work(edge, handlers, jobs)
  } finally {
    if (gathers) hands.gathering.delete(first.kind)
  }
  return true
}

/** Does jobs of one kind, and keeps them leased as long as that takes. */
async function work(edge: Edge, handlers: Handlers, jobs: readonly LeasedJob[]): Promise<void> {
  const left = new Set(jobs)
  const keep = setInterval(() => {
    edge
      .tx((tx) => renewMany(tx, [...left]))
      .catch((error: unknown) => {
        edge.log.warn({ err: error, jobs: left.size }, 'lease not renewed')
      })
  }, LEASE_MS / 3)
  try {
    if (await workTogether(edge, handlers, jobs)) return
    for (const job of jobs) {
      await workOne(edge, handlers, job)
      left.delete(job)
    }
  } finally {
    clearInterval(keep)
  }
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
