import { fen, type Fen } from '../../../contract/fen.ts'
import type { Forecast } from '../../../contract/hr/wallet.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { companyToday } from '../campaign/read-recurring.ts'
import { readRunsAhead } from '../campaign/read-runs-ahead.ts'
import { daysCovered, HISTORY_DAYS, meanOf } from '../wallet/rules.ts'

const RUN_DAYS = 30

/**
 * How long a company's wallet lasts: its balance less what approved orders miss, then day by day what the active runs will
 * make and the mean of what was spent in the last 90 days beside runs. Money that comes from elsewhere (a transfer for one
 * order, WeChat Pay) is not foreseen: whoever pays that way lasts longer.
 */
export async function readForecast(tx: Tx, companyId: Id<'company'>, balanceFen: Fen): Promise<Forecast> {
  const { day: today } = await companyToday(tx, companyId)
  const { spentFen, firstAtMs } = await readSpending(tx, companyId)
  const { perDayFen, days: historyDays } = meanOf(spentFen, firstAtMs, tx.clock.now())
  const { dueOrders, dueFen } = await readDueOrders(tx, companyId)
  const ahead = await readRunsAhead(tx, { companyId, today, days: RUN_DAYS })
  const covered = daysCovered({ balanceFen, dueFen, perDayFen, ahead })
  const runsFen = fen(ahead.reduce((sum, one) => sum + one, 0))
  const quiet = perDayFen === 0 && dueOrders === 0 && runsFen === 0
  return {
    perDayFen,
    historyDays,
    dueOrders,
    dueFen,
    runsFen,
    shortFen: fen(Math.max(0, dueFen - balanceFen)),
    outlook: quiet ? 'quiet' : outlookOf(covered),
    lastsUntilDay: covered === null || covered < 0 ? null : addDays(today, covered),
  }
}

const outlookOf = (covered: number | null): Forecast['outlook'] => {
  if (covered === null) return 'long'
  return covered < 0 ? 'short' : 'until'
}

/** What the wallet spent in the days looked back on, less what came back, without the campaigns that runs made. */
async function readSpending(tx: Tx, companyId: Id<'company'>): Promise<{ spentFen: number; firstAtMs: number | null }> {
  const since = tx.clock.now() - HISTORY_DAYS * 86_400_000
  const [row] = await sql<{ spent: unknown; first: unknown }>(
    tx.em,
    `select (select min(at_ms) from wallet_movement where company_id = ?) as first, coalesce(sum(-m.amount_fen), 0) as spent
      from wallet_movement m left join payment on payment.id = m.ref
      left join campaign on campaign.order_id = payment.order_id
      where m.company_id = ? and m.at_ms >= ? and m.kind in ('spent', 'refunded') and campaign.recurring_id is null`,
    [companyId, companyId, since],
  )
  return { spentFen: readSum(row?.spent), firstAtMs: row?.first == null ? null : Number(row.first) }
}

async function readDueOrders(tx: Tx, companyId: Id<'company'>): Promise<{ dueOrders: number; dueFen: Fen }> {
  const [row] = await sql<{ orders: unknown; missing: unknown }>(
    tx.em,
    `select count(*) as orders, coalesce(sum(orders.total_fen - orders.secured_fen), 0) as missing
      from campaign join orders on orders.id = campaign.order_id
      where campaign.company_id = ? and orders.state = 'awaiting_funds'`,
    [companyId],
  )
  return { dueOrders: readSum(row?.orders), dueFen: fen(readSum(row?.missing)) }
}
