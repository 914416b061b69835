import { signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { recordMovement } from './record-movement.ts'

export interface TopUp {
  readonly companyId: Id<'company'>
  readonly amount: Fen
  /** The statement line that brought the money. */
  readonly ref: string
}

/**
 * Adds money that arrived in custody to a company's wallet and posts custody bank to wallet. The caller holds the once
 * key of the money. Throws when the amount is 0 or the company has no wallet.
 */
export async function topUpWallet(tx: Tx, topUp: TopUp): Promise<void> {
  const { companyId, amount, ref } = topUp
  if (amount === 0) throw new RangeError('a top-up is at least 1 fen')
  const added = await change(
    tx.em,
    'update wallet set balance_fen = balance_fen + ?, version = version + 1 where company_id = ?',
    [amount, companyId],
  )
  if (added !== 1) throw new Error(`wallet: ${companyId} has none`)
  await recordMovement(tx, { companyId, kind: 'top_up', amount: signedFen(amount), ref })
  await post(tx, [
    {
      kind: 'wallet_topped_up',
      ref,
      lines: [debit(account.custodyBank(tx.house.custody.name), amount), credit(account.wallet(companyId), amount)],
    },
  ])
}
