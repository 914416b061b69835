import { signedFen } from '../../../contract/fen.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { recordCredit } from './record-credit.ts'
import type { Spending } from './spend-from-wallet.ts'

/**
 * Pays for an order on a company's credit line and posts the debt to order funds. The database decides in one guarded
 * update, so any number of callers at once never owe more than the limit. Returns false, with nothing written, where the
 * line does not cover it or there is none. The caller holds the once key of the payment and has checked that the order is
 * the company's and that credit is a way to pay it (compliance/rules.ts). Throws RangeError on 0 fen.
 */
export async function drawCredit(tx: Tx, spending: Spending): Promise<boolean> {
  const { companyId, amount, orderId, ref } = spending
  if (amount === 0) throw new RangeError('a spending is at least 1 fen')
  const drawn = await change(
    tx.em,
    'update credit_line set owed_fen = owed_fen + ?, version = version + 1 where company_id = ? and owed_fen + ? <= limit_fen',
    [amount, companyId, amount],
  )
  if (drawn !== 1) return false
  await recordCredit(tx, { companyId, kind: 'drawn', amount: signedFen(amount), ref })
  await post(tx, [
    {
      kind: 'paid_on_credit',
      ref,
      lines: [debit(account.creditLine(companyId), amount), credit(account.orderFunds(orderId), amount)],
    },
  ])
  return true
}
