import { setTimeout as sleep } from 'node:timers/promises'
import type { Edge } from '../server/kernel/context.ts'
import { sql } from '../server/kernel/sql.ts'
import type { Handler } from './handlers.ts'
import { workOnce } from './worker.ts'

/** Works until no job of the named kinds is left to do (all kinds when none is named); for tests and scripts. */
export async function drain(
  edge: Edge,
  handlers: Readonly<Record<string, Handler>>,
  kinds: readonly string[] = Object.keys(handlers),
): Promise<void> {
  for (;;) {
    const worked =
      (await workOnce(edge, handlers, 'small')) ||
      (await workOnce(edge, handlers, 'bulk')) ||
      (await workOnce(edge, handlers, 'webhook'))
    if (worked) continue
    const slots = kinds.map(() => '?').join(',')
    const left = await edge.read((tx) =>
      sql<{ id: string }>(
        tx.em,
        `select id from job where state in ('ready', 'leased') and kind in (${slots}) limit 1`,
        kinds,
      ),
    )
    if (left.length === 0) return
    await sleep(20)
  }
}
