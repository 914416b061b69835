import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { PaymentOutcome } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readCompany } from '../company/read-company.ts'
import { openLinePayer, type LinePayer } from './line-origin.ts'
import { readCandidates, type Candidate } from './read-candidates.ts'
import { Payment, StatementLine, type StatementLineRow } from './tables.ts'

export interface StatementLineFacts {
  readonly id: Id<'statementLine'>
  readonly serial: string
  readonly direction: 'in' | 'out'
  readonly source: 'bank' | 'wechat_income'
  readonly amountFen: Fen
  readonly arrivedAtMs: number
  readonly payer: LinePayer
  readonly outcome: StatementLineRow['outcome']
  readonly paymentId: Id<'payment'> | null
  readonly paymentOutcome: PaymentOutcome | null
  readonly companyName: string | null
  readonly matchedBy: (StatementLineRow['matchedBy'] & string) | null
  readonly reason: string | null
  /** Of lines that wait for a person: what they might be. */
  readonly candidates: readonly Candidate[]
}

/** A page of statement lines with their payers opened, newest first: the work list of the platform's finance. */
export async function readStatementLines(
  tx: Tx,
  page: {
    readonly outcome?: StatementLineFacts['outcome'] | undefined
    readonly cursor?: string | undefined
    readonly limit: number
  },
): Promise<{ lines: StatementLineFacts[]; nextCursor: string | null }> {
  const where = {
    ...(page.outcome === undefined ? {} : { outcome: page.outcome }),
    ...(page.cursor === undefined ? {} : { id: { $lt: page.cursor as Id<'statementLine'> } }),
  }
  const options = { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(StatementLine, where, options)
  const shown = rows.slice(0, page.limit)
  return { lines: await withFacts(tx, shown), nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null }
}

/** One line as the work list shows it. Refuses with `not_found`. */
export async function readStatementLine(tx: Tx, id: Id<'statementLine'>): Promise<StatementLineFacts> {
  const row = (await tx.em.findOne(StatementLine, { id }, { disableIdentityMap: true })) ?? refuse('not_found')
  const [facts] = await withFacts(tx, [row])
  return facts!
}

async function withFacts(tx: Tx, rows: readonly StatementLineRow[]): Promise<StatementLineFacts[]> {
  const names = new Map<Id<'company'>, string>()
  for (const companyId of new Set(rows.map((row) => row.companyId)))
    if (companyId) names.set(companyId, (await readCompany(tx, companyId))?.name ?? '')
  const ids = rows.flatMap((row) => row.paymentId ?? [])
  const where = { id: { $in: ids } }
  const paid =
    ids.length === 0 ? [] : await tx.em.find(Payment, where, { fields: ['id', 'outcome'], disableIdentityMap: true })
  const outcomes = new Map(paid.map((payment) => [payment.id, payment.outcome ?? null]))
  const candidates = await readCandidates(tx, rows)
  return rows.map((row) => ({
    id: row.id,
    serial: row.serial,
    direction: row.direction,
    source: row.source,
    amountFen: row.amountFen,
    arrivedAtMs: row.arrivedAtMs,
    payer: openLinePayer(tx, row),
    outcome: row.outcome,
    paymentId: row.paymentId ?? null,
    paymentOutcome: row.paymentId ? (outcomes.get(row.paymentId) ?? null) : null,
    companyName: row.companyId ? (names.get(row.companyId) ?? null) : null,
    matchedBy: row.matchedBy ?? null,
    reason: openReason(tx, row),
    candidates: candidates.get(row.id) ?? [],
  }))
}

function openReason(tx: Tx, row: StatementLineRow): string | null {
  if (!row.reasonSealed) return null
  return tx.house.seal.open({ table: 'statement_line', column: 'reason_sealed', rowId: row.id }, row.reasonSealed)
}
