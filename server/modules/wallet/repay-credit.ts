import { fen, signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, type Line } from '../ledger/post.ts'
import { recordCredit } from './record-credit.ts'
import { CreditLine } from './tables.ts'

/**
 * Takes off what a company owes, as far as the amount goes, and posts nothing: `lines` are what the caller's entry must
 * have, `restFen` is what was not owed (any more) and is still the company's. `kind` says whether money came in or cards
 * went back; `ref` is the statement line or refund part behind it.
 */
export async function repayCredit(
  tx: Tx,
  repayment: {
    readonly companyId: Id<'company'>
    readonly amount: Fen
    readonly ref: string
    readonly from: Account
    readonly kind?: 'repaid' | 'refunded'
  },
): Promise<{ readonly repaidFen: Fen; readonly restFen: Fen; readonly lines: Line[] }> {
  const { companyId, amount, ref, from, kind = 'repaid' } = repayment
  // The row is ours from here on: what it says of the debt stays until the commit.
  await change(tx.em, 'update credit_line set version = version where company_id = ?', [companyId])
  const line = await tx.em.findOne(CreditLine, { companyId }, { disableIdentityMap: true })
  const repaidFen = fen(Math.min(amount, line?.owedFen ?? 0))
  const restFen = fen(amount - repaidFen)
  if (repaidFen === 0) return { repaidFen, restFen, lines: [] }
  const repaid = await change(
    tx.em,
    'update credit_line set owed_fen = owed_fen - ?, version = version + 1 where company_id = ? and owed_fen >= ?',
    [repaidFen, companyId, repaidFen],
  )
  if (repaid !== 1) throw new Error(`credit: ${companyId} owes less than it did a moment ago`)
  await recordCredit(tx, { companyId, kind, amount: signedFen(0 - repaidFen), ref })
  await enqueueRepaid(tx, companyId)
  return { repaidFen, restFen, lines: [debit(from, repaidFen), credit(account.creditLine(companyId), repaidFen)] }
}

/** What waits for a company's repayment goes onto payouts by job `credit.settle`: it looks at what is owed then. */
export const enqueueRepaid = (tx: Tx, companyId: Id<'company'>): Promise<void> =>
  enqueue(tx, [{ kind: 'credit.settle', key: `credit.settle:${companyId}:${tx.newId('job')}`, args: { companyId } }])
