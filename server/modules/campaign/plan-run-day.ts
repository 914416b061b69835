import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readCelebrated, type Celebrated } from '../staff/read-days.ts'
import { ONCE_IN_DAYS, runHeads } from './recurring-rules.ts'
import type { Terms } from './rules.ts'
import { Recurring, type CampaignRow, type RecurringDbRow } from './tables.ts'

/** Who gets a card of which face by a campaign that a run made for its day. Throws for a campaign of no run. */
export async function planRunDay(
  tx: Tx,
  campaign: Pick<CampaignRow, 'recurringId' | 'runDay' | 'faceFen'>,
  terms: Terms,
): Promise<ReturnType<typeof runHeads>> {
  const { recurringId, runDay: day, faceFen } = campaign
  const run = recurringId ? await tx.em.findOne(Recurring, { id: recurringId }, { disableIdentityMap: true }) : null
  if (!run || !day || !faceFen) throw new Error('a campaign of a run lacks its run')
  return runHeads({ faceFen, perYearFen: run.perYearFen }, terms, await readDue(tx, run, [day]))
}

const PER_QUERY = 1000

/** Those whose day it is on these days, without those who had a card of this run less than a year ago. */
export async function readDue(
  tx: Tx,
  run: Pick<RecurringDbRow, 'id' | 'companyId' | 'kind'>,
  days: readonly string[],
): Promise<Celebrated[]> {
  const kind = run.kind === 'birthday' ? 'birthday' : 'hireDay'
  const celebrated = await readCelebrated(tx, { companyId: run.companyId, kind, days })
  const [first] = celebrated
  if (first === undefined) return []
  const since = addDays(first.day, -ONCE_IN_DAYS)
  const people = celebrated.map((one) => one.personId)
  const had = await readHad(tx, { runId: run.id, since, people })
  return celebrated.filter(({ personId, day }) => {
    const lastDay = had.get(personId)
    return lastDay === undefined || lastDay === day || lastDay <= addDays(day, -ONCE_IN_DAYS)
  })
}

/** The last day for which each of these people had a card of a run, by what was really ordered. */
async function readHad(
  tx: Tx,
  { runId, since, people }: { runId: Id<'recurring'>; since: string; people: readonly Id<'person'>[] },
): Promise<Map<string, string>> {
  const had = new Map<string, string>()
  for (let from = 0; from < people.length; from += PER_QUERY) {
    const some = people.slice(from, from + PER_QUERY)
    const rows = await sql<{ holder: string; day: string }>(
      tx.em,
      `select order_item.holder_id as holder, max(campaign.run_day) as day
       from campaign join order_item on order_item.order_id = campaign.order_id
       where campaign.recurring_id = ? and campaign.run_day > ? and campaign.state in ('approved', 'running', 'finished')
         and order_item.holder_id in (${some.map(() => '?').join(',')}) group by order_item.holder_id`,
      [runId, since, ...some],
    )
    for (const row of rows) had.set(row.holder, row.day)
  }
  return had
}
