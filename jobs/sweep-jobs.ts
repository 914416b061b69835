import type { Tx } from '../server/kernel/context.ts'
import { sweep } from '../server/kernel/outbox.ts'
import { failBuriedEvents } from '../server/modules/company/fail-buried-events.ts'

/** Gives jobs of dead workers back, or buries them with the callbacks that they stood for. Returns how many jobs. */
export async function sweepJobs(tx: Tx): Promise<number> {
  const swept = await sweep(tx)
  if (swept > 0) await failBuriedEvents(tx)
  return swept
}
