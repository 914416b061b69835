import { schedule } from 'node-cron'
import type { Edge } from '../server/kernel/context.ts'
import { enqueue } from '../server/kernel/outbox.ts'
import { queueReseal } from '../server/kernel/reseal.ts'
import { watchTickets } from '../server/modules/company/watch-tickets.ts'
import { endOverdue } from '../server/modules/redemption/end-overdue.ts'
import { sweepJobs } from './sweep-jobs.ts'

/** What happens by the clock: node-cron is only the clock, the work is a job that any process may take, once a day. */
export const daily = [
  { kind: 'directories.sync', at: '20 2 * * *' },
  { kind: 'leavers.take-back', at: '0 4 * * *' },
  { kind: 'bills.read', at: '30 10 * * *' },
  { kind: 'custody.write', at: '40 2 * * *' },
  { kind: 'books.prove', at: '10 3 * * *' },
  { kind: 'income.read', at: '15 9 * * *' },
  { kind: 'orders.sweep', at: '30 3 * * *' },
  { kind: 'roster.erase', at: '40 3 * * *' },
  { kind: 'deliveries.remind', at: '20 2 * * *' },
  { kind: 'deliveries.forget', at: '45 3 * * *' },
  { kind: 'gifts.forget', at: '47 3 * * *' },
  { kind: 'covers.forget', at: '48 3 * * *' },
  { kind: 'notices.forget', at: '49 3 * * *' },
  { kind: 'visits.forget', at: '51 3 * * *' },
  { kind: 'store-words.forget', at: '53 3 * * *' },
  { kind: 'notices.plan', at: '0 10 * * *' },
  { kind: 'sign-ins.forget', at: '50 3 * * *' },
  { kind: 'sms-codes.forget', at: '52 3 * * *' },
  { kind: 'contacts.forget', at: '54 3 * * *' },
  { kind: 'contact-ways.end', at: '56 3 * * *' },
  { kind: 'contacts.heal', at: '20 4 * * *' },
  { kind: 'wecom-events.forget', at: '55 3 * * *' },
  { kind: 'webhooks.forget', at: '57 3 * * *' },
] as const
/** What happens every hour, and once as a process starts: a machine that was off in the morning does it at noon. */
export const hourly = [
  { kind: 'payouts.match', at: '7 * * * *' },
  { kind: 'recurring.start', at: '1 * * * *' },
  { kind: 'nonces.forget', at: '37 * * * *' },
] as const
/** What happens every ten minutes, whoever is awake. */
export const everyTenMinutes = [{ kind: 'shelf.round', at: '*/10 * * * *' }] as const
/** What happens once for ever, in whatever process starts first. */
export const onceForAll = ['people.days'] as const
const SWEEP_MS = 10_000
/** What tills set aside and never came back for is free again so long after its end. */
/** Transactions of 200 purchases each. */
const MOST_TURNS = 50
const END_HOLDS_MS = 30_000
const WATCH_MS = 5 * 60_000

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
  /** Once for all processes: the key names the hour, or as much of the time as is said. */
  const thisTime = async (kind: string, characters: number): Promise<void> => {
    const time = new Date(edge.clock.now()).toISOString().slice(0, characters)
    await edge.tx((tx) => enqueue(tx, [{ kind, key: `${kind}:${time}`, args: {} }]))
  }
  const thisHour = (kind: string): Promise<void> => thisTime(kind, '2026-01-01T00'.length)
  tasks.push(...hourly.map(({ kind, at }) => schedule(at, () => thisHour(kind), { timezone: 'Asia/Shanghai' })))
  for (const { kind, at } of everyTenMinutes)
    tasks.push(schedule(at, () => thisTime(kind, '2026-01-01T00:0'.length), { timezone: 'Asia/Shanghai' }))
  const starting = async (): Promise<void> => {
    for (const { kind } of hourly) await thisHour(kind)
    await edge.tx(queueReseal)
    await edge.tx((tx) =>
      enqueue(
        tx,
        onceForAll.map((kind) => ({ kind, key: kind, args: {} })),
      ),
    )
  }
  starting().catch((error: unknown) => edge.log.warn({ err: error }, 'what starts with the process was not queued'))
  const sweeping = setInterval(() => {
    edge.tx(sweepJobs).catch((error: unknown) => edge.log.warn({ err: error }, 'leases not swept'))
  }, SWEEP_MS)
  const ending = setInterval(() => {
    endAllOverdue(edge).catch((error: unknown) => edge.log.warn({ err: error }, 'holds of tills not ended'))
  }, END_HOLDS_MS)
  const watching = setInterval(() => {
    watchTickets(edge).catch((error: unknown) => edge.log.warn({ err: error }, 'tickets not watched'))
  }, WATCH_MS)
  return () => {
    clearInterval(sweeping)
    clearInterval(ending)
    clearInterval(watching)
    for (const task of tasks) void task.destroy()
  }
}

/** As many transactions as it takes, within bounds: another process is at it too, and the next turn is near. */
async function endAllOverdue(edge: Edge): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS && (await edge.tx(endOverdue)) > 0; turn += 1);
}
