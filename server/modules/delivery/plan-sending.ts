import type { DryRun } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import type { SendingWish } from '../campaign/dry-run.ts'
import { chinaDay } from './china-day.ts'
import { readManyCounts } from './read-deliveries.ts'
import { readQuota } from './read-quota.ts'
import { sendWindows } from './send-windows.ts'

/**
 * When a campaign's people would be sent to, were it approved and paid now: by what is left of the app's quota today, by
 * what other campaigns of the company are going to send, by look-ups, and beside minute 0 and 30.
 */
export async function planSending(tx: Tx, wish: SendingWish): Promise<Pick<DryRun['wecom'], 'quota' | 'windows'>> {
  const now = tx.clock.now()
  const quota = await readQuota(tx, wish.companyId)
  const promised = await readPromised(tx, wish.companyId, wish.campaignId)
  const leftOn = (atMs: number): number => {
    const day = chinaDay(atMs)
    const used = day === chinaDay(now) ? quota.usedToday : 0
    return Math.max(0, quota.quota - used - (promised.get(day) ?? 0))
  }
  const startMs = Math.max(now, wish.sendAtMs ?? now)
  const windows = sendWindows({
    quietMinutes: tx.house.quietMinutes,
    startMs,
    known: wish.known,
    toLookUp: wish.toLookUp,
    leftOn,
  })
  return { quota: { ...quota, leftFirstDay: leftOn(startMs) }, windows }
}

/** Messages of the company's other approved campaigns that are still to go, by the day of China on which they do. */
async function readPromised(
  tx: Tx,
  companyId: Id<'company'>,
  campaignId: Id<'campaign'>,
): Promise<ReadonlyMap<number, number>> {
  const rows = await sql<{ id: Id<'campaign'>; sendAtMs: unknown }>(
    tx.em,
    `select id, send_at_ms as sendAtMs from campaign
      where company_id = ? and id <> ? and state in ('approved', 'running')`,
    [companyId, campaignId],
  )
  const counts = await readManyCounts(
    tx,
    rows.map(({ id }) => id),
  )
  const now = tx.clock.now()
  const promised = new Map<number, number>()
  for (const { id, sendAtMs } of rows) {
    const day = chinaDay(Math.max(now, readSum(sendAtMs)))
    promised.set(day, (promised.get(day) ?? 0) + (counts.get(id)?.pending ?? 0))
  }
  return promised
}
