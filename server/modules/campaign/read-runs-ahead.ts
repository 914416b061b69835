import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import type { Tx } from '../../kernel/context.ts'
import { readVersions } from '../catalog/read-template.ts'
import { readDue } from './plan-run-day.ts'
import { runHeads } from './recurring-rules.ts'
import { Recurring } from './tables.ts'

/**
 * What a company's active runs will cost on each of the days from `today` on, in fen, as the staff stands now; a day that
 * a run has looked at already costs nothing more.
 */
export async function readRunsAhead(
  tx: Tx,
  wish: { readonly companyId: Id<'company'>; readonly today: string; readonly days: number },
): Promise<number[]> {
  const { companyId, today } = wish
  const days = Array.from({ length: wish.days }, (_, index) => addDays(today, index))
  const costs = days.map(() => 0)
  const runs = await tx.em.find(Recurring, { companyId, state: 'active' }, { disableIdentityMap: true })
  for (const run of runs) {
    const [version] = await readVersions(tx, [run.templateVersionId])
    if (version === undefined) throw new Error(`run ${run.id} has no template version`)
    const due = await readDue(tx, run, days)
    for (const [index, day] of days.entries()) {
      const { heads } = runHeads(
        run,
        version,
        run.nextDay != null && day < run.nextDay ? [] : due.filter((one) => one.day === day),
      )
      costs[index]! += heads.reduce((sum, head) => sum + head.priceFen, 0)
    }
  }
  return costs
}
