import { Gauge, type Registry } from 'prom-client'
import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { lateTickets } from './watch-tickets.ts'

/**
 * Adds what WeCom's side looks like to the metrics, read from the database when they are asked for, so that every process
 * shows the same: callbacks by state, those of an unknown kind by kind, broken connections, the age of each suite's
 * ticket. Kinds are WeCom's words, never a person's.
 */
export function measureWecom(registry: Registry, edge: Edge): void {
  const gauge = (name: string, help: string, labelNames: string[], read: (gauge: Gauge) => Promise<void>): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect: async () => {
        made.reset()
        await read(made)
      },
    })
  }
  const counted = <T>(text: string) => edge.read((tx) => sql<T>(tx.em, text))
  gauge('wecom_events', 'Callbacks of the last 30 days by state', ['state'], async (made) => {
    const rows = await counted<{ state: string; count: unknown }>(
      'select state, count(*) as count from wecom_event group by state',
    )
    for (const { state, count } of rows) made.set({ state }, Number(count))
  })
  gauge('wecom_events_unknown', 'Callbacks of a kind that nobody here knows', ['kind'], async (made) => {
    const rows = await counted<{ kind: string; count: unknown }>(
      "select kind, count(*) as count from wecom_event where state = 'unknown' group by kind order by kind limit 50",
    )
    for (const { kind, count } of rows) made.set({ kind }, Number(count))
  })
  gauge(
    'wecom_connections',
    'Companies by kind of app and state of the connection',
    ['kind', 'state'],
    async (made) => {
      const rows = await counted<{ kind: string; state: string; count: unknown }>(
        'select kind, state, count(*) as count from wecom_connection group by kind, state',
      )
      for (const { kind, state, count } of rows) made.set({ kind, state }, Number(count))
    },
  )
  gauge(
    'wecom_suite_ticket_age_seconds',
    'Age of the newest ticket; above 1200 something is wrong',
    ['suite'],
    async (made) => {
      for (const { suiteId, ageMs } of await lateTickets(edge, 0))
        made.set({ suite: suiteId }, ageMs === null ? Infinity : ageMs / 1000)
    },
  )
}
