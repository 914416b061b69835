import { fen, type Fen } from '../../../contract/fen.ts'
import { RecurringContent, type RecurringDetail, type RecurringSummary } from '../../../contract/hr/recurring.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import { dayOf } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf, findOwn } from '../../kernel/tenant.ts'
import { readVersions, viewTemplates } from '../catalog/read-template.ts'
import { readCompany } from '../company/read-company.ts'
import { readMemberNames } from '../company/read-members.ts'
import { openRecurring } from './seal-words.ts'
import { Campaign, Recurring, type RecurringRow } from './tables.ts'

/** The run, or null. For the house itself; an id from outside goes through `findOwnRecurring`. */
export async function readRecurring(tx: Tx, id: Id<'recurring'>): Promise<RecurringRow | null> {
  const row = await tx.em.findOne(Recurring, { id }, { disableIdentityMap: true })
  return row && openRecurring(tx, row)
}

/** A run of the actor's company; anything else is 404. */
export const findOwnRecurring = async (tx: Tx, id: Id<'recurring'>): Promise<RecurringRow> =>
  openRecurring(tx, await findOwn(tx, Recurring, id))

/** What a run says, as the contract has it. */
export function contentOfRun(run: RecurringRow): RecurringContent {
  return RecurringContent.parse(run)
}

/** The company's day now. */
export async function companyToday(tx: Tx, companyId: Id<'company'>): Promise<{ day: string; timeZone: string }> {
  const { timeZone } = (await readCompany(tx, companyId)) ?? refuse('not_found')
  return { day: dayOf(tx.clock.now(), timeZone), timeZone }
}

/** What a run has spent in the calendar month of a day: all that was approved, paid or not. */
export async function readSpent(tx: Tx, runId: Id<'recurring'>, day: string): Promise<Fen> {
  const month = day.slice(0, 7)
  const [row] = await sql<{ spent: unknown }>(
    tx.em,
    `select sum(price_total_fen) as spent from campaign
     where recurring_id = ? and run_day >= ? and run_day <= ? and state in ('approved', 'running', 'finished')`,
    [runId, `${month}-01`, `${month}-31`],
  )
  return fen(readSum(row?.spent))
}

/** Every active run that has a day to look at: which of them is today's its company's clock says. */
export async function readActiveRuns(tx: Tx): Promise<Id<'recurring'>[]> {
  const tomorrow = dayOf(tx.clock.now() + 86_400_000, 'UTC')
  const rows = await sql<{ id: Id<'recurring'> }>(
    tx.em,
    "select id from recurring where state = 'active' and next_day <= ? order by id",
    [tomorrow],
  )
  return rows.map(({ id }) => id)
}

const RUNS_SHOWN = 100
const DAYS_SHOWN = 60

/** The runs of the actor's company, newest first. */
export async function listRecurring(tx: Tx): Promise<RecurringSummary[]> {
  const companyId = companyOf(tx.actor)
  const { day } = await companyToday(tx, companyId)
  const rows = await tx.em.find(
    Recurring,
    { companyId },
    { orderBy: { id: 'desc' }, limit: RUNS_SHOWN, disableIdentityMap: true },
  )
  const summaries: RecurringSummary[] = []
  for (const { id, kind, title, state, faceFen, monthlyLimitFen } of rows)
    summaries.push({ id, kind, title, state, faceFen, monthlyLimitFen, spentFen: await readSpent(tx, id, day) })
  return summaries
}

/** All of one run of the actor's company, with the days it made. Another company's is 404. */
export async function viewRecurring(tx: Tx, id: Id<'recurring'>): Promise<RecurringDetail> {
  const run = await findOwnRecurring(tx, id)
  const [template] = await viewTemplates(tx, await readVersions(tx, [run.templateVersionId]))
  if (template === undefined) throw new Error(`run ${id} has no template version`)
  const people = [run.createdBy, run.submittedBy, run.decidedBy].filter((one) => one != null)
  const names = await readMemberNames(tx, [...new Set(people)])
  const member = (of: Id<'member'>) => ({ id: of, name: names.get(of) ?? '' })
  const { day } = await companyToday(tx, run.companyId)
  const days = await tx.em.find(
    Campaign,
    { recurringId: id },
    { orderBy: { runDay: 'desc' }, limit: DAYS_SHOWN, disableIdentityMap: true },
  )
  return {
    id,
    state: run.state,
    version: run.version,
    content: contentOfRun(run),
    template,
    createdBy: member(run.createdBy),
    submittedBy: run.submittedBy ? member(run.submittedBy) : null,
    decidedBy: run.decidedBy ? member(run.decidedBy) : null,
    decidedAtMs: run.decidedAtMs ?? null,
    spentFen: await readSpent(tx, id, day),
    days: days.map((one) => ({
      campaignId: one.id,
      day: one.runDay ?? '',
      state: one.state,
      heads: one.heads ?? 0,
      priceFen: one.priceTotalFen ?? fen(0),
    })),
  }
}
