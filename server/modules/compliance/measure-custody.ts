import { Gauge, type Registry } from 'prom-client'
import { addDays, daysBetween } from '../../../contract/wall-clock.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/**
 * Adds custody to the metrics, read when they are asked for: the shortfall that each brand is being alarmed about, and
 * how many days of statements are missing (1 from midnight until the night's job).
 */
export function measureCustody(registry: Registry, edge: Edge): void {
  const shortfall: Gauge = new Gauge({
    name: 'custody_shortfall_fen',
    help: 'What custody fell short by when the alarm was raised, by brand; none: no alarm is open',
    labelNames: ['brand'],
    registers: [registry],
    collect: async () => {
      shortfall.reset()
      const text = 'select brand_id as brand, shortfall_fen as fen from custody_alarm where open_brand_id is not null'
      for (const { brand, fen } of await edge.read((tx) => sql<{ brand: string; fen: unknown }>(tx.em, text)))
        shortfall.set({ brand }, Number(fen))
    },
  })
  const behind: Gauge = new Gauge({
    name: 'custody_statement_days_behind',
    help: 'Days that have ended and have no custody statement',
    registers: [registry],
    collect: async () => {
      const text = 'select max(day) as day from custody_statement'
      const [row] = await edge.read((tx) => sql<{ day: string | null }>(tx.em, text))
      const yesterday = addDays(dayOf(edge.clock.now(), CHINA), -1)
      behind.set(row?.day ? Math.max(0, daysBetween(row.day, yesterday)) : 0)
    },
  })
}
