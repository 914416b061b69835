import type { Id } from '../../../contract/ids.ts'
import type { Quota } from '../../../contract/hr/campaign.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readAccountLimit } from '../company/read-account-limit.ts'
import { countAccounts } from '../staff/count-accounts.ts'
import { chinaDay } from './china-day.ts'
import { sendLimits } from './send-limits.ts'

/** Messages that the company's app may send in a day of China, and how we know the number of accounts behind it. */
export async function countQuota(tx: Tx, companyId: Id<'company'>): Promise<Omit<Quota, 'usedToday'>> {
  const told = await readAccountLimit(tx, companyId)
  const { accounts, from } =
    told === null ? await countAccounts(tx, companyId) : { accounts: told, from: 'wecom' as const }
  return { quota: accounts * sendLimits.perAccountADay, accounts, from }
}

/** The quota of a company and what of it is counted for today. */
export async function readQuota(tx: Tx, companyId: Id<'company'>): Promise<Quota> {
  const quota = await countQuota(tx, companyId)
  const [row] = await sql<{ used: unknown }>(tx.em, 'select used from send_day where company_id = ? and day = ?', [
    companyId,
    chinaDay(tx.clock.now()),
  ])
  return { ...quota, usedToday: readSum(row?.used) }
}
