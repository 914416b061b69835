import { signedFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { recordMovement } from './record-movement.ts'
import { repayCredit } from './repay-credit.ts'

export interface TopUp {
  readonly companyId: Id<'company'>
  readonly amount: Fen
  /** The statement line that brought the money. */
  readonly ref: string
  /** What holds the money; the custody account unless said. */
  readonly from?: Account
}

/**
 * Takes money of a company that arrived: it first repays what the company owes on its credit line, the rest is
 * added to its wallet; both are posted. The caller holds the once key of the money. Throws when the amount is 0 or the
 * company has no wallet.
 */
export async function topUpWallet(tx: Tx, topUp: TopUp): Promise<void> {
  const { companyId, amount, ref } = topUp
  if (amount === 0) throw new RangeError('a top-up is at least 1 fen')
  const { from = account.custodyBank(tx.house.custody.name) } = topUp
  const { restFen, lines } = await repayCredit(tx, { companyId, amount, ref, from })
  if (lines.length > 0) await post(tx, [{ kind: 'credit_repaid', ref, lines }])
  if (restFen === 0) return
  const added = await change(
    tx.em,
    'update wallet set balance_fen = balance_fen + ?, version = version + 1 where company_id = ?',
    [restFen, companyId],
  )
  if (added !== 1) throw new Error(`wallet: ${companyId} has none`)
  await recordMovement(tx, { companyId, kind: 'top_up', amount: signedFen(restFen), ref })
  const rest = [debit(from, restFen), credit(account.wallet(companyId), restFen)]
  await post(tx, [{ kind: 'wallet_topped_up', ref, lines: rest }])
}
