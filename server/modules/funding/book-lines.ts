import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { topUpWallet } from '../wallet/top-up-wallet.ts'
import { bookWithdrawal } from './book-withdrawal.ts'
import { insertPayment } from './insert-payment.ts'
import { holdingAccount, type LineOrigin, type NewLine } from './line-origin.ts'
import { matchLines } from './match-lines.ts'
import { settlePayment } from './settle-payment.ts'
import { Payment, StatementLine, type PaymentRow, type StatementLineRow } from './tables.ts'

/**
 * Books lines of incoming money that were just inserted: what they are for says match-lines.ts; the others wait in the
 * account of unmatched money. Orders are held first, in the order of their ids, then wallets in the order of their
 * companies.
 */
export async function bookLines(tx: Tx, origin: LineOrigin, lines: readonly NewLine[]): Promise<void> {
  const targets = await matchLines(tx, lines)
  const payments = [...targets.values()].flatMap((target) => (target.kind === 'payment' ? [target.payment] : []))
  await lockOrders(
    tx,
    payments.map((payment) => payment.orderId),
  )
  const toWallet: { line: NewLine; companyId: Id<'company'> }[] = []
  for (const line of lines) {
    const target = targets.get(line.id)
    if (target?.kind === 'wallet') toWallet.push({ line, companyId: target.companyId })
    else if (target?.kind === 'withdrawal') {
      const booked = origin.source === 'bank' && (await bookWithdrawal(tx, line, 'payer'))
      if (!booked) await bookUnmatched(tx, origin, line)
    } else if (target === undefined) await bookUnmatched(tx, origin, line)
    else {
      // What was only guessed from the payer must still be open now that its order is held.
      const payment = await tx.em.findOneOrFail(Payment, { id: target.payment.id }, { disableIdentityMap: true })
      const stale = target.by === 'payer' && payment.state !== 'opened'
      if (stale) await bookUnmatched(tx, origin, line)
      else await payByLine(tx, origin, line, payment, target.by)
    }
  }
  for (const { line, companyId } of toWallet.sort((a, b) => (a.companyId < b.companyId ? -1 : 1)))
    await topUpByLine(tx, origin, line, companyId, 'reference')
}

type MatchedBy = NonNullable<StatementLineRow['matchedBy']>

/**
 * Takes a line's money for a payment whose order the caller holds. A second transfer for a payment that was paid before
 * is a payment of its own.
 */
export async function payByLine(
  tx: Tx,
  origin: LineOrigin,
  line: NewLine,
  payment: PaymentRow,
  by: MatchedBy,
): Promise<void> {
  const order = { id: payment.orderId }
  const arrival = {
    amount: line.amountFen,
    from: holdingAccount(tx, origin),
    atMs: line.arrivedAtMs,
    payer: { holder: line.payerName, account: line.payerAccount },
  }
  let settled = payment
  if ((await settlePayment(tx, order, payment, arrival)) === null) {
    settled = await openFurther(tx, payment, line)
    await settlePayment(tx, order, settled, arrival)
  }
  await mark(tx, line, {
    outcome: 'payment',
    companyId: settled.companyId ?? null,
    paymentId: settled.id,
    matchedBy: by,
  })
}

/** Takes a line's money for a company's wallet. */
export async function topUpByLine(
  tx: Tx,
  origin: LineOrigin,
  line: NewLine,
  companyId: Id<'company'>,
  by: MatchedBy,
): Promise<void> {
  await topUpWallet(tx, { companyId, amount: line.amountFen, ref: line.id, from: holdingAccount(tx, origin) })
  await mark(tx, line, { outcome: 'top_up', companyId, matchedBy: by })
}

/** A second transfer under a reference that was paid before is a payment of its own: none of its money is lost. */
async function openFurther(tx: Tx, payment: PaymentRow, line: NewLine): Promise<PaymentRow> {
  const order = { id: payment.orderId, companyId: payment.companyId ?? null }
  const seed = { id: tx.newId('payment'), source: payment.source, amountFen: line.amountFen, reference: null }
  return insertPayment(tx, order, seed, [])
}

async function bookUnmatched(tx: Tx, origin: LineOrigin, line: NewLine): Promise<void> {
  const lines = [
    debit(holdingAccount(tx, origin), line.amountFen),
    credit(account.unmatched(origin.source), line.amountFen),
  ]
  await post(tx, [{ kind: 'funds_unmatched', ref: line.id, lines }])
}

async function mark(
  tx: Tx,
  line: NewLine,
  found: {
    outcome: 'payment' | 'top_up'
    companyId: Id<'company'> | null
    matchedBy: MatchedBy
    paymentId?: Id<'payment'>
  },
): Promise<void> {
  await tx.em.nativeUpdate(StatementLine, { id: line.id }, { ...found, decidedAtMs: tx.clock.now() })
}
