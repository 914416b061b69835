import { fen, splitFen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Report, ReportSums, RowFigure } from '../../../contract/hr/report.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import { readSum } from '../../kernel/columns.ts'
import { startOfDay } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { departmentOfHead, headTables, instantOfHead, measuresAt } from './report-measures.ts'
import type { ReportScope } from './report-scope.ts'

/** Orders that one statement reads. */
const ORDERS_AT_ONCE = 100

/** What the heads of one campaign, department and month come to; `month` is null outside of the report's days. */
interface Group {
  readonly orderId: Id<'order'>
  readonly department: string
  readonly month: string | null
  readonly sums: ReportSums
}

/**
 * The sums of a report by campaign, by department and by month. They are made of the same groups, so each of the three comes
 * to the total. One pass over the heads of its campaigns, whatever is asked.
 */
export async function readReport(tx: Tx, scope: ReportScope): Promise<Report> {
  const months = monthsOf(scope)
  const all = await readGroups(tx, scope, months)
  const inTime = all.filter((group) => group.month !== null)
  const { department, campaignId, campaigns, fromDay, toDay, timeZone, asOfMs } = scope
  const groups = inTime.filter((group) => department === null || group.department === department)
  const granted = campaignId === null ? await readGranted(tx, scope) : new Map<string, Fen>()
  const ofOrder = Map.groupBy(groups, (group) => group.orderId)
  const ofDepartment = Map.groupBy(groups, (group) => group.department)
  const ofMonth = Map.groupBy(groups, (group) => group.month)
  const named = [...granted.keys()].filter((name) => department === null || name === department)
  return {
    query: { fromDay, toDay, campaignId, department, timeZone, asOfMs },
    total: addUp(groups),
    byCampaign: campaigns
      .filter(({ orderId }) => ofOrder.has(orderId))
      .map(({ id, title, state, orderId, approvedAtMs }) => ({
        campaignId: id,
        title,
        state,
        orderId,
        approvedAtMs,
        sums: addUp(ofOrder.get(orderId)),
      })),
    byDepartment: [...new Set([...ofDepartment.keys(), ...named])]
      .sort((a, b) => a.localeCompare(b, 'zh'))
      .map((name) => ({
        department: name,
        grantedFen: granted.get(name) ?? null,
        sums: addUp(ofDepartment.get(name)),
      })),
    byMonth: months
      .filter(({ month }) => ofMonth.has(month))
      .map(({ toMs: _toMs, ...month }) => ({ ...month, sums: addUp(ofMonth.get(month.month)) })),
    choices: {
      campaigns: scope.choices.map(({ id, title }) => ({ campaignId: id, title })),
      departments: [...new Set(inTime.map((group) => group.department))].sort((a, b) => a.localeCompare(b, 'zh')),
    },
  }
}

interface Month {
  readonly month: string
  readonly fromDay: string
  readonly toDay: string
  /** The first instant after it. */
  readonly toMs: number
}

/** The months of a report's days; the first and the last may be parts. */
function monthsOf({ fromDay, toDay, timeZone }: ReportScope): Month[] {
  const months: Month[] = []
  for (let first = fromDay; first <= toDay;) {
    const month = first.slice(0, 7)
    const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(5, 7))]
    const next = number === 12 ? `${year + 1}-01-01` : `${year}-${String(number + 1).padStart(2, '0')}-01`
    const last = addDays(next, -1) < toDay ? addDays(next, -1) : toDay
    months.push({ month, fromDay: first, toDay: last, toMs: startOfDay(addDays(last, 1), timeZone) })
    first = next
  }
  return months
}

type Raw = Record<`${RowFigure}Count` | `${RowFigure}Fen`, unknown> & {
  readonly orderId: Id<'order'>
  readonly ofDepartment: string
  readonly ofMonth: string
}

async function readGroups(tx: Tx, scope: ReportScope, months: readonly Month[]): Promise<Group[]> {
  const measures = Object.entries(measuresAt(scope.asOfMs)).flatMap(([figure, { counts, fen: amount }]) => [
    `sum(${counts}) as ${figure}Count`,
    `sum(${amount}) as ${figure}Fen`,
  ])
  const month = `case when ${instantOfHead} < ? then '' ${months
    .map(() => `when ${instantOfHead} < ? then ?`)
    .join(' ')} else '' end`
  const monthValues = [scope.fromMs, ...months.flatMap((one) => [one.toMs, one.month])]
  const groups: Group[] = []
  for (let from = 0; from < scope.campaigns.length; from += ORDERS_AT_ONCE) {
    const some = scope.campaigns.slice(from, from + ORDERS_AT_ONCE)
    const rows = await sql<Raw>(
      tx.em,
      `select item.order_id as orderId, ${departmentOfHead} as ofDepartment, ${month} as ofMonth, ${measures.join(', ')}
        from ${headTables} where item.order_id in (${some.map(() => '?').join(',')})
        group by orderId, ofDepartment, ofMonth order by orderId, ofDepartment, ofMonth`,
      [...monthValues, ...some.map(({ orderId }) => orderId)],
    )
    const byOrder = Map.groupBy(rows, (row) => row.orderId)
    for (const { orderId, fundedFen } of some) groups.push(...present(byOrder.get(orderId) ?? [], fundedFen))
  }
  return groups
}

/** An order's groups; the money that arrived for it is shared out by what each of them costs, to the fen. */
function present(rows: readonly Raw[], fundedFen: number): Group[] {
  if (rows.length === 0) return []
  const shares = splitFen(
    fen(fundedFen),
    rows.map((row) => readSum(row.budgetFen)),
  )
  return rows.map((row, index) => ({
    orderId: row.orderId,
    department: row.ofDepartment,
    month: row.ofMonth === '' ? null : row.ofMonth,
    sums: {
      heads: readSum(row.budgetCount),
      budgetFen: fen(readSum(row.budgetFen)),
      fundedFen: shares[index]!,
      issued: readSum(row.issuedCount),
      issuedFen: fen(readSum(row.issuedFen)),
      delivered: readSum(row.deliveredCount),
      opened: readSum(row.openedCount),
      spent: readSum(row.spentCount),
      spentFen: fen(readSum(row.spentFen)),
      left: readSum(row.leftCount),
      leftFen: fen(readSum(row.leftFen)),
      expiring: readSum(row.expiringCount),
      expiringFen: fen(readSum(row.expiringFen)),
      expired: readSum(row.expiredCount),
      expiredFen: fen(readSum(row.expiredFen)),
      takenBack: readSum(row.takenBackCount),
      takenBackFen: fen(readSum(row.takenBackFen)),
    },
  }))
}

function addUp(groups: readonly Group[] = []): ReportSums {
  const count = (of: (sums: ReportSums) => number): number => groups.reduce((sum, { sums }) => sum + of(sums), 0)
  const amount = (of: (sums: ReportSums) => number): Fen => sumFen(groups.map(({ sums }) => of(sums)))
  return {
    heads: count((sums) => sums.heads),
    budgetFen: amount((sums) => sums.budgetFen),
    fundedFen: amount((sums) => sums.fundedFen),
    issued: count((sums) => sums.issued),
    issuedFen: amount((sums) => sums.issuedFen),
    delivered: count((sums) => sums.delivered),
    opened: count((sums) => sums.opened),
    spent: count((sums) => sums.spent),
    spentFen: amount((sums) => sums.spentFen),
    left: count((sums) => sums.left),
    leftFen: amount((sums) => sums.leftFen),
    expiring: count((sums) => sums.expiring),
    expiringFen: amount((sums) => sums.expiringFen),
    expired: count((sums) => sums.expired),
    expiredFen: amount((sums) => sums.expiredFen),
    takenBack: count((sums) => sums.takenBack),
    takenBackFen: amount((sums) => sums.takenBackFen),
  }
}

/** What departments' budgets grant whose time touches the report's. */
async function readGranted(tx: Tx, { companyId, fromMs, toMs }: ReportScope): Promise<Map<string, Fen>> {
  const rows = await sql<{ department: string; granted: unknown }>(
    tx.em,
    `select department, sum(granted_fen) as granted from budget
      where company_id = ? and from_ms < ? and to_ms > ? group by department`,
    [companyId, toMs, fromMs],
  )
  return new Map(rows.map((row) => [row.department, fen(readSum(row.granted))]))
}
