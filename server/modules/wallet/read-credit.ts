import { fen, type Fen, type SignedFen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { CreditLine, CreditMovement } from './tables.ts'

export interface CreditFacts {
  readonly limitFen: Fen
  readonly owedFen: Fen
  readonly leftFen: Fen
}

/** A company's credit line; null where it has none and owes nothing. */
export async function readCredit(tx: Tx, companyId: Id<'company'>): Promise<CreditFacts | null> {
  const row = await tx.em.findOne(CreditLine, { companyId }, { disableIdentityMap: true })
  if (!row || (row.limitFen === 0 && row.owedFen === 0)) return null
  const { limitFen, owedFen } = row
  return { limitFen, owedFen, leftFen: fen(Math.max(0, limitFen - owedFen)) }
}

/** Whether the platform opened a line for the company. */
export async function hasCredit(tx: Tx, companyId: Id<'company'>): Promise<boolean> {
  return ((await readCredit(tx, companyId))?.limitFen ?? 0) > 0
}

export interface CreditStep {
  readonly id: Id<'creditMovement'>
  readonly kind: 'drawn' | 'repaid' | 'refunded'
  readonly amountFen: SignedFen
  readonly owedAfterFen: Fen
  readonly atMs: number
}

/** The latest changes of what a company owes, newest first. */
export async function readCreditSteps(tx: Tx, companyId: Id<'company'>, limit: number): Promise<CreditStep[]> {
  const options = { orderBy: { id: 'desc' }, limit, disableIdentityMap: true } as const
  const rows = await tx.em.find(CreditMovement, { companyId }, options)
  return rows.map(({ id, kind, amountFen, owedAfterFen, atMs }) => ({ id, kind, amountFen, owedAfterFen, atMs }))
}
