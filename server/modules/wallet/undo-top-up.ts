import { signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { recordMovement } from './record-movement.ts'

/**
 * Takes a top-up off a company's wallet again, because the money was not the company's, and posts it back to where it
 * lies. The wallet decides in one guarded update. False, with nothing written, when it holds less by now, or when the
 * money repaid what the company owed on credit: cards were bought with it then. The caller has taken the line `ref`.
 */
export async function undoTopUp(
  tx: Tx,
  topUp: {
    readonly companyId: Id<'company'>
    readonly amount: Fen
    readonly ref: Id<'statementLine'>
    readonly from: Account
  },
): Promise<boolean> {
  const { companyId, amount, ref, from } = topUp
  const [repaid] = await sql<{ total: unknown }>(
    tx.em,
    "select sum(amount_fen) as total from credit_movement where company_id = ? and ref = ? and kind = 'repaid'",
    [companyId, ref],
  )
  if (readSum(repaid?.total) !== 0) return false
  const taken = await change(
    tx.em,
    'update wallet set balance_fen = balance_fen - ?, version = version + 1 where company_id = ? and balance_fen >= ?',
    [amount, companyId, amount],
  )
  if (taken !== 1) return false
  await recordMovement(tx, { companyId, kind: 'undone', amount: signedFen(0 - amount), ref })
  const lines = [debit(account.wallet(companyId), amount), credit(from, amount)]
  await post(tx, [{ kind: 'top_up_undone', ref, lines }])
  return true
}
