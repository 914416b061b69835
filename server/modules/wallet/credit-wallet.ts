import { signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, type Line } from '../ledger/post.ts'
import { recordMovement } from './record-movement.ts'

/**
 * Gives money back to a company's wallet (a movement `refunded`) and posts nothing: the lines that the caller's entry must
 * have are the answer. `ref` is the refund part behind it; `from` the account that pays. The caller's own guard says that
 * it happens once. Throws when the amount is 0 or the company has no wallet.
 */
export async function creditWallet(
  tx: Tx,
  gift: { readonly companyId: Id<'company'>; readonly amount: Fen; readonly ref: string; readonly from: Account },
): Promise<Line[]> {
  const { companyId, amount, ref, from } = gift
  if (amount === 0) throw new RangeError('a credit is at least 1 fen')
  const added = await change(
    tx.em,
    'update wallet set balance_fen = balance_fen + ?, version = version + 1 where company_id = ?',
    [amount, companyId],
  )
  if (added !== 1) throw new Error(`wallet: ${companyId} has none`)
  await recordMovement(tx, { companyId, kind: 'refunded', amount: signedFen(amount), ref })
  return [debit(from, amount), credit(account.wallet(companyId), amount)]
}
