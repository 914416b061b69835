import { schedule } from 'node-cron'
import type { Edge } from '../server/kernel/context.ts'
import { enqueue, sweep } from '../server/kernel/outbox.ts'

/** What happens by the clock: node-cron is only the clock, the work is a job that any process may take, once a day. */
export const daily = [
  { kind: 'books.prove', at: '10 3 * * *' },
  { kind: 'orders.sweep', at: '30 3 * * *' },
  { kind: 'roster.erase', at: '40 3 * * *' },
  { kind: 'sign-ins.forget', at: '50 3 * * *' },
] as const
const SWEEP_MS = 10_000

/** Starts the clock; the answer stops it. */
export function startSchedule(edge: Edge): () => void {
  const tasks = daily.map(({ kind, at }) =>
    schedule(
      at,
      async () => {
        const day = new Date(edge.clock.now() + 8 * 3_600_000).toISOString().slice(0, 10)
        await edge.tx((tx) => enqueue(tx, [{ kind, key: `${kind}:${day}`, args: {} }]))
      },
      { timezone: 'Asia/Shanghai' },
    ),
  )
  const sweeping = setInterval(() => {
    edge.tx(sweep).catch((error: unknown) => edge.log.warn({ err: error }, 'leases not swept'))
  }, SWEEP_MS)
  return () => {
    clearInterval(sweeping)
    for (const task of tasks) void task.destroy()
  }
}
