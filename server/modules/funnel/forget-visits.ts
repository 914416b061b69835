import { addDays } from '../../../contract/wall-clock.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

/** A funnel is asked for over a quarter at most. */
const KEPT_DAYS = 92

/** Job `visits.forget`: visits that no funnel counts any more, the oldest day. Returns how many; call again until there are none. */
export async function forgetVisits(tx: Tx): Promise<number> {
  const before = addDays(dayOf(tx.clock.now(), CHINA), -KEPT_DAYS)
  const [oldest] = await sql<{ day: string }>(
    tx.em,
    'select day from funnel_visit where day < ? order by day limit 1',
    [before],
  )
  return oldest === undefined ? 0 : change(tx.em, 'delete from funnel_visit where day = ?', [oldest.day])
}
