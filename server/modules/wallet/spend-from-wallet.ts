import { signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { recordMovement } from './record-movement.ts'

export interface Spending {
  readonly companyId: Id<'company'>
  readonly amount: Fen
  readonly orderId: Id<'order'>
  /** The payment that this spends for. */
  readonly ref: string
}

/**
 * Takes money from a company's wallet for an order and posts wallet to order funds. The database decides in one guarded
 * update, so any number of callers at once never bring it below zero. Returns false, with nothing written, when the
 * wallet holds less or there is none. The caller holds the once key of the payment and has checked that the order is
 * the company's. Throws RangeError on 0 fen.
 */
export async function spendFromWallet(tx: Tx, spending: Spending): Promise<boolean> {
  const { companyId, amount, orderId, ref } = spending
  if (amount === 0) throw new RangeError('a spending is at least 1 fen')
  const taken = await change(
    tx.em,
    'update wallet set balance_fen = balance_fen - ?, version = version + 1 where company_id = ? and balance_fen >= ?',
    [amount, companyId, amount],
  )
  if (taken !== 1) return false
  await recordMovement(tx, { companyId, kind: 'spent', amount: signedFen(0 - amount), ref })
  await post(tx, [
    {
      kind: 'paid_from_wallet',
      ref,
      lines: [debit(account.wallet(companyId), amount), credit(account.orderFunds(orderId), amount)],
    },
  ])
  return true
}
