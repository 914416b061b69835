import type { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import type { Companies, Jobs, Proof } from '../../../contract/operator/platform.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { proveBooks } from './prove-books.ts'

const MOST_COMPANIES = 2000
const MOST_DEAD = 100
const MOST_FINDINGS = 500

interface CompanyRow {
  readonly id: Id<'company'>
  readonly code: string
  readonly name: string
  readonly state: 'active' | 'suspended'
  readonly paymentRoute: 'strict' | 'non_cash'
  readonly connected: unknown
  readonly people: unknown
  readonly wallet: unknown
  readonly creditLimit: unknown
  readonly creditOwed: unknown
}

/** Every company with its connection, its people and its money, by one query. */
export async function readCompanies(tx: Tx): Promise<z.input<typeof Companies>> {
  const rows = await sql<CompanyRow>(
    tx.em,
    `select company.id as id, company.code as code, company.name as name, company.state as state,
        company.payment_route as paymentRoute, coalesce(wecom_connection.state = 'active', 0) as connected,
        coalesce(staff.people, 0) as people, coalesce(wallet.balance_fen, 0) as wallet,
        coalesce(credit_line.limit_fen, 0) as creditLimit, coalesce(credit_line.owed_fen, 0) as creditOwed
      from company left join wecom_connection on wecom_connection.company_id = company.id
      left join wallet on wallet.company_id = company.id
      left join credit_line on credit_line.company_id = company.id
      left join (select company_id, count(*) as people from person where state = 'active' group by company_id) staff
        on staff.company_id = company.id
      order by company.code limit ${MOST_COMPANIES}`,
  )
  return {
    companies: rows.map(({ connected, people, wallet, creditLimit, creditOwed, ...row }) => ({
      ...row,
      wecomConnected: Number(connected) === 1,
      people: readSum(people),
      walletFen: fen(readSum(wallet)),
      creditLimitFen: fen(readSum(creditLimit)),
      creditOwedFen: fen(readSum(creditOwed)),
    })),
  }
}

/** The work of the house: how much of each kind in which state, and what has died, newest first. */
export async function readJobs(tx: Tx): Promise<z.input<typeof Jobs>> {
  const counts = await sql<{ kind: string; lane: string; state: string; count: unknown }>(
    tx.em,
    'select kind, lane, state, count(*) as count from job group by kind, lane, state order by kind, lane, state',
  )
  const dead = await sql<{
    id: Id<'job'>
    kind: string
    attempts: unknown
    lastError: string | null
    createdAtMs: unknown
  }>(
    tx.em,
    `select id, kind, attempts, last_error as lastError, created_at_ms as createdAtMs from job
      where state = 'dead' order by id desc limit ${MOST_DEAD}`,
  )
  return {
    counts: counts.map((row) => ({ ...row, count: readSum(row.count) })),
    dead: dead.map((row) => ({ ...row, attempts: readSum(row.attempts), createdAtMs: readSum(row.createdAtMs) })),
  }
}

/** Recounts the books now and says what does not add up, over how many entries and cards, in how many ms. */
export async function readProof(tx: Tx): Promise<Proof> {
  const startedMs = tx.clock.now()
  const findings = await proveBooks(tx)
  const [size] = await sql<{ entries: unknown; cards: unknown }>(
    tx.em,
    'select (select count(*) from entry) as entries, (select count(*) from card) as cards',
  )
  return {
    balanced: findings.length === 0,
    findings: findings.slice(0, MOST_FINDINGS),
    entries: readSum(size?.entries),
    cards: readSum(size?.cards),
    ms: tx.clock.now() - startedMs,
  }
}
