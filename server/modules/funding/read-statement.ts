import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readCompany } from '../company/read-company.ts'
import { StatementLine } from './tables.ts'

export interface StatementLineFacts {
  readonly id: Id<'statementLine'>
  readonly serial: string
  readonly amountFen: Fen
  readonly arrivedAtMs: number
  readonly payer: { readonly holder: string; readonly account: string; readonly memo: string }
  readonly outcome: 'payment' | 'top_up' | 'unmatched'
  readonly paymentId: Id<'payment'> | null
  readonly companyName: string | null
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
  const names = new Map<Id<'company'>, string>()
  for (const companyId of new Set(shown.map((row) => row.companyId)))
    if (companyId) names.set(companyId, (await readCompany(tx, companyId))?.name ?? '')
  const lines = shown.map((row) => {
    const place = { table: 'statement_line', column: 'payer_sealed', rowId: row.id }
    return {
      id: row.id,
      serial: row.serial,
      amountFen: row.amountFen,
      arrivedAtMs: row.arrivedAtMs,
      payer: JSON.parse(tx.house.seal.open(place, row.payerSealed)) as StatementLineFacts['payer'],
      outcome: row.outcome,
      paymentId: row.paymentId ?? null,
      companyName: row.companyId ? (names.get(row.companyId) ?? null) : null,
    }
  })
  return { lines, nextCursor: rows.length > page.limit ? shown.at(-1)!.id : null }
}
