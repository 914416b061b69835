import { setTimeout as sleep } from 'node:timers/promises'
import type { Edge } from '../server/kernel/context.ts'
import { AppError } from '../server/kernel/errors.ts'
import { claim, finish, giveBack, LEASE_MS, renew } from '../server/kernel/outbox.ts'
import { OutsideError } from '../server/kernel/outside.ts'
import type { Lane } from '../server/kernel/tables.ts'
import { failBuriedEvents } from '../server/modules/company/fail-buried-events.ts'
import type { Handler } from './handlers.ts'

/** How many jobs of a lane run at once in one process. Small work keeps hands of its own beside a festival. */
const defaultHands: Readonly<Record<Lane, number>> = { fast: 2, small: 3, bulk: 2 }
/** The safety net: a commit wakes the worker at once. */
const POLL_MS = 500

export interface Worker {
  /** Looks for work now. */
  wake(): void
  /** Takes no new job, finishes those it holds, then resolves. */
  stop(): Promise<void>
}

/** Runs jobs until it is stopped: each lane has its hands, each hand one job at a time. */
export function startWorker(
  edge: Edge,
  handlers: Readonly<Record<string, Handler>>,
  hands: Readonly<Record<Lane, number>> = defaultHands,
): Worker {
  let stopped = false
  let bell = new AbortController()
  const wake = (): void => {
    bell.abort()
    bell = new AbortController()
  }
  const hand = async (lane: Lane): Promise<void> => {
    while (!stopped) {
      const heard = bell.signal
      const worked = await workOnce(edge, handlers, lane).catch((error: unknown) => {
        edge.log.error({ err: error, lane }, 'worker could not take a job')
        return false
      })
      if (!worked && !stopped) await sleep(POLL_MS, undefined, { signal: heard }).catch(() => undefined)
    }
  }
  const running = (['fast', 'small', 'bulk'] as const).flatMap((lane) =>
    Array.from({ length: hands[lane] }, () => hand(lane)),
  )
  return {
    wake,
    stop: async () => {
      stopped = true
      wake()
      await Promise.all(running)
    },
  }
}

/** Takes one job of a lane and does it. False when there was none. */
export async function workOnce(edge: Edge, handlers: Readonly<Record<string, Handler>>, lane: Lane): Promise<boolean> {
  const [job] = await edge.tx((tx) => claim(tx, lane, 1))
  if (!job) return false
  const keep = setInterval(() => {
    edge
      .tx((tx) => renew(tx, job))
      .catch((error: unknown) => {
        edge.log.warn({ err: error, jobId: job.id }, 'lease not renewed')
      })
  }, LEASE_MS / 3)
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
  } finally {
    clearInterval(keep)
  }
  return true
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
