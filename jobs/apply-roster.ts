import type { Id } from '../contract/ids.ts'
import type { Edge } from '../server/kernel/context.ts'
import { applySlice, finishApplying, markLeavers, pageLeavers } from '../server/modules/staff/apply-roster.ts'

/**
 * The job `roster.apply`: makes a list the company's staff, slice by slice. Killed at any point and run again, or run
 * twice at once, each person is added once.
 */
export async function applyRoster(edge: Edge, rosterId: Id<'roster'>): Promise<void> {
  for (let after: number | null = 0; after !== null;) {
    const from: number = after
    after = await edge.tx((tx) => applySlice(tx, rosterId, from))
  }
  for (const page of await edge.read((tx) => pageLeavers(tx, rosterId))) {
    await edge.tx((tx) => markLeavers(tx, rosterId, page))
  }
  await edge.tx((tx) => finishApplying(tx, rosterId))
}
