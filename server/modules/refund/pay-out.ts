import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readArrived } from '../funding/book-refund.ts'
import { account } from '../ledger/accounts.ts'
import { credit } from '../ledger/post.ts'
import { addPayoutItem, readPayoutOfRefund } from '../settlement/add-payout-item.ts'
import { finishPart } from './finish-part.ts'
import { holdPart } from './read-part.ts'
import type { RefundPartRow } from './tables.ts'

/**
 * Puts a part on a payout of its own, to the account that the payer's transfer came from; finance enters an account where
 * none is known (what was paid by WeChat). It is done when a bank statement shows the debit.
 */
export async function addRefundToPayout(tx: Tx, part: RefundPartRow): Promise<void> {
  const refund = { partId: part.id, orderId: part.orderId, amountFen: part.fen }
  await addPayoutItem(tx, refund, await readPayerAccount(tx, part.paymentId))
}

async function readPayerAccount(tx: Tx, paymentId: Id<'payment'>) {
  const payment = await readArrived(tx, paymentId)
  if (payment?.source !== 'bank_transfer' || !payment.payerSealed) return null
  const place = { table: 'payment', column: 'payer_sealed', rowId: paymentId }
  const payer = JSON.parse(tx.house.seal.open(place, payment.payerSealed)) as Partial<
    Record<'holder' | 'account' | 'bank', string>
  >
  const { holder, account: number, bank = '' } = payer
  return holder && number ? { holder, number, bank } : null
}

/** Ends a part whose payout a statement has shown: the money left custody. False while none has. */
export async function endPaidOut(tx: Tx, partId: Id<'refundPart'>): Promise<boolean> {
  const facts = await holdPart(tx, partId)
  if (facts?.part.state !== 'paying_out') return false
  if ((await readPayoutOfRefund(tx, partId))?.state !== 'paid') return false
  const { part } = facts
  return finishPart(tx, part, [credit(account.custodyBank(tx.house.custody.name), part.fen)])
}
